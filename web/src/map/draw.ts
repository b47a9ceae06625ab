import { ALONE, COLORS, middle, toScreen, unit, type Corpus, type Eye, type Frame } from "./corpus";

const HUES = [205, 25, 140, 285, 50, 345, 175, 235, 95, 315, 10, 265];

export interface Look {
  ink: string;
  paper: string;
  alone: string;
  stories: string[];
}

/** Colours for light or dark, from the page's own. */
export function lookOf(element: Element): Look {
  const style = getComputedStyle(element.parentElement ?? element);
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const lightness = isDark ? "68%" : "42%";
  return {
    ink: style.color,
    paper: style.backgroundColor,
    alone: isDark ? "#5d6670" : "#b4b2ab",
    stories: Array.from({ length: COLORS }, (_, at) => `hsl(${HUES[at]} ${isDark ? 62 : 68}% ${lightness})`),
  };
}

export interface Shown {
  corpus: Corpus;
  eye: Eye;
  /** What is looked for; everything else steps back. */
  marked: Set<number> | undefined;
  hovered: number | undefined;
  labels: { text: string; members: number[] }[];
}

export function draw(context: CanvasRenderingContext2D, frame: Frame, look: Look, shown: Shown): void {
  const { corpus, eye, marked } = shown;
  const place = toScreen(frame, eye);
  const size = Math.max(1.6, Math.min(9, (unit(frame) / 120) * Math.sqrt(eye.k) * crowding(corpus.ids.length)));
  context.clearRect(0, 0, frame.width, frame.height);
  context.globalAlpha = marked ? 0.22 : 0.85;
  for (let color = ALONE; color >= 0; color -= 1) {
    context.fillStyle = colorAt(look, color);
    dots(context, frame, eye, size, corpus, color);
  }
  context.globalAlpha = 1;
  if (marked) {
    for (const at of marked) {
      const [x, y] = place(corpus.x[at] ?? 0, corpus.y[at] ?? 0);
      disc(context, x, y, Math.max(4.5, size * 0.8), colorAt(look, corpus.color[at] ?? ALONE), look.paper);
    }
  }
  if (shown.hovered !== undefined) {
    const at = shown.hovered;
    const [x, y] = place(corpus.x[at] ?? 0, corpus.y[at] ?? 0);
    disc(context, x, y, Math.max(6, size), colorAt(look, corpus.color[at] ?? ALONE), look.ink);
  }
  labels(context, frame, look, shown, place);
}

/** Points are smaller where there are more of them. */
function crowding(count: number): number {
  return Math.max(0.35, Math.min(2.4, Math.sqrt(900 / Math.max(count, 1))));
}

export function colorAt(look: Look, color: number): string {
  return color === ALONE ? look.alone : (look.stories[color] ?? look.alone);
}

function dots(
  context: CanvasRenderingContext2D,
  frame: Frame,
  eye: Eye,
  size: number,
  { x, y, color }: Corpus,
  of: number,
): void {
  const scale = unit(frame) * eye.k;
  const [left, top] = [frame.width / 2 - eye.x * scale - size / 2, frame.height / 2 + eye.y * scale - size / 2];
  const isRound = size > 3;
  if (isRound) context.beginPath();
  for (let at = 0; at < color.length; at += 1) {
    if (color[at] !== of) continue;
    const px = left + (x[at] ?? 0) * scale;
    const py = top - (y[at] ?? 0) * scale;
    if (px < -size || py < -size || px > frame.width || py > frame.height) continue;
    // Squares are several times as fast, and nobody can tell when they are small.
    if (!isRound) context.fillRect(px, py, size, size);
    else {
      context.moveTo(px + size, py + size / 2);
      context.arc(px + size / 2, py + size / 2, size / 2, 0, 2 * Math.PI);
    }
  }
  if (isRound) context.fill();
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, r: number, fill: string, rim: string): void {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = rim;
  context.stroke();
}

/** Names of stories, each where it hides no other one. */
function labels(
  context: CanvasRenderingContext2D,
  frame: Frame,
  look: Look,
  { corpus, labels }: Shown,
  place: (x: number, y: number) => [number, number],
): void {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.lineJoin = "round";
  const taken: [number, number, number, number][] = [];
  for (const { text, members } of labels) {
    const [x, y] = place(...middle(corpus, members));
    const width = context.measureText(text).width;
    const left = Math.max(6, Math.min(frame.width - width - 6, x - width / 2));
    const top = Math.max(6, Math.min(frame.height - 22, y - 26));
    const box: [number, number, number, number] = [left - 4, top - 2, left + width + 4, top + 18];
    if (taken.some((it) => box[0] < it[2] && it[0] < box[2] && box[1] < it[3] && it[1] < box[3])) continue;
    taken.push(box);
    context.lineWidth = 4;
    context.strokeStyle = look.paper;
    context.strokeText(text, left + width / 2, top + 12);
    context.fillStyle = look.ink;
    context.fillText(text, left + width / 2, top + 12);
  }
}
