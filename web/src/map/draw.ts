import { ALONE, COLORS, middle, toScreen, unit, type Corpus, type Eye, type Frame } from "./corpus";

const HUES = [205, 25, 140, 285, 50, 345, 175, 235, 95, 315, 10, 265];

export interface Look {
  ink: string;
  paper: string;
  alone: string;
  stories: string[];
  /** The colours of stories, then that of what is alone, as pixels on paper: solid, and stepped back. */
  solid: Uint32Array;
  faint: Uint32Array;
}

/** How much of their colour points have, and those that step back. */
const SOLID = 0.85;
const FAINT = 0.22;

/** Colours for light or dark, from the page's own. */
export function lookOf(element: Element): Look {
  const style = getComputedStyle(element.parentElement ?? element);
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const lightness = isDark ? "68%" : "42%";
  const paper = style.backgroundColor;
  const alone = isDark ? "#5d6670" : "#b4b2ab";
  const stories = Array.from({ length: COLORS }, (_, at) => `hsl(${HUES[at]} ${isDark ? 62 : 68}% ${lightness})`);
  const all = [...stories, alone];
  return { ink: style.color, paper, alone, stories, solid: pixels(all, paper, SOLID), faint: pixels(all, paper, FAINT) };
}

/** Colours as pixels, so much of them on paper. */
function pixels(colors: string[], paper: string, alpha: number): Uint32Array {
  const canvas = Object.assign(document.createElement("canvas"), { width: colors.length, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return new Uint32Array(colors.length);
  context.fillStyle = paper;
  context.fillRect(0, 0, colors.length, 1);
  context.globalAlpha = alpha;
  colors.forEach((color, at) => {
    context.fillStyle = color;
    context.fillRect(at, 0, 1, 1);
  });
  return new Uint32Array(context.getImageData(0, 0, colors.length, 1).data.buffer);
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
  if (size > ROUND || corpus.ids.length < MANY) {
    context.globalAlpha = marked ? FAINT : SOLID;
    for (let color = ALONE; color >= 0; color -= 1) {
      context.fillStyle = colorAt(look, color);
      dots(context, frame, eye, size, corpus, color);
    }
    context.globalAlpha = 1;
  } else {
    squares(context, frame, eye, size, corpus, marked ? look.faint : look.solid);
  }
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

/** Points of more pixels are round, and all of them where there are few. Else nobody can tell. */
const ROUND = 3;
const MANY = 4_000;

/** Points as pixels of a picture of their own: with many of them, faster than drawing each. */
function squares(
  context: CanvasRenderingContext2D,
  frame: Frame,
  eye: Eye,
  size: number,
  { x, y, color, order }: Corpus,
  colors: Uint32Array,
): void {
  const { width, height } = context.canvas;
  const density = width / frame.width;
  const scale = unit(frame) * eye.k * density;
  const side = Math.max(1, Math.round(size * density));
  const [left, top] = [width / 2 - eye.x * scale - side / 2, height / 2 + eye.y * scale - side / 2];
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (const at of order) {
    const px = Math.round(left + (x[at] ?? 0) * scale);
    const py = Math.round(top - (y[at] ?? 0) * scale);
    if (px < 0 || py < 0 || px + side > width || py + side > height) continue;
    const pixel = colors[color[at] ?? ALONE] ?? 0;
    for (let row = 0; row < side; row += 1) {
      const from = (py + row) * width + px;
      for (let to = from; to < from + side; to += 1) pixels[to] = pixel;
    }
  }
  context.putImageData(picture, 0, 0);
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
  context.beginPath();
  for (let at = 0; at < color.length; at += 1) {
    if (color[at] !== of) continue;
    const px = left + (x[at] ?? 0) * scale;
    const py = top - (y[at] ?? 0) * scale;
    if (px < -size || py < -size || px > frame.width || py > frame.height) continue;
    context.moveTo(px + size, py + size / 2);
    context.arc(px + size / 2, py + size / 2, size / 2, 0, 2 * Math.PI);
  }
  context.fill();
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
