import { quadtree, type Quadtree } from "d3-quadtree";
import type { MapDocumentsResponse } from "../gen/copydesk/v1/similarity_pb";

/** Colours that stories share. Two neighbours seldom have the same. */
export const COLORS = 12;

/** The colour of what is a story of its own. */
export const ALONE = COLORS;

/** Documents on the map, in columns: there are many. */
export interface Corpus {
  ids: string[];
  stories: string[];
  x: Float32Array;
  y: Float32Array;
  color: Uint8Array;
  /** All of them as they are drawn: what is of a story with several stands above the rest. */
  order: Uint32Array;
  /** Documents by story, of those with several. */
  members: Map<string, number[]>;
  tree: Quadtree<number>;
  at: Map<string, number>;
}

/** What came so far. */
export class Gathering {
  readonly ids: string[] = [];
  readonly stories: string[] = [];
  private readonly x: number[] = [];
  private readonly y: number[] = [];

  add({ documents }: MapDocumentsResponse): void {
    for (const { documentId, storyId, x, y } of documents) {
      this.ids.push(documentId);
      this.stories.push(storyId);
      this.x.push(x);
      this.y.push(y);
    }
  }

  finish(): Corpus {
    const members = new Map<string, number[]>();
    this.stories.forEach((story, at) => {
      const known = members.get(story);
      if (known) known.push(at);
      else members.set(story, [at]);
    });
    for (const [story, of] of members) if (of.length < 2) members.delete(story);
    const color = Uint8Array.from(this.stories, (story) => (members.has(story) ? colorOf(story) : ALONE));
    const order = Uint32Array.from(color.keys()).sort((a, b) => (color[b] ?? 0) - (color[a] ?? 0));
    const { x, y } = this;
    const tree = quadtree<number>(
      [...x.keys()],
      (at) => x[at] ?? 0,
      (at) => y[at] ?? 0,
    );
    const at = new Map(this.ids.map((id, at) => [id, at]));
    const [xs, ys] = [Float32Array.from(x), Float32Array.from(y)];
    return { ids: this.ids, stories: this.stories, x: xs, y: ys, color, order, members, tree, at };
  }
}

/** A story's colour, the same wherever it is shown (FNV-1a). */
export function colorOf(story: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < story.length; at += 1) hash = Math.imul(hash ^ story.charCodeAt(at), 16_777_619);
  return ((hash ^ (hash >>> 15)) >>> 0) % COLORS;
}

/** Where one is on the map: the middle of what is seen, and how near. */
export interface Eye {
  x: number;
  y: number;
  k: number;
}

/** How near one is taken to what one looks for. */
const CLOSE = 6;

export const WHOLE: Eye = { x: 0, y: 0, k: 1 };

export interface Frame {
  width: number;
  height: number;
}

/** Pixels for a step of 1, when the whole map is seen. */
export const unit = ({ width, height }: Frame) => Math.min(width, height) / 2.15;

export function toScreen(frame: Frame, eye: Eye): (x: number, y: number) => [number, number] {
  const scale = unit(frame) * eye.k;
  return (x, y) => [frame.width / 2 + (x - eye.x) * scale, frame.height / 2 - (y - eye.y) * scale];
}

/** Stories in what is seen, those with most documents there first. */
export function inView(corpus: Corpus, frame: Frame, eye: Eye, limit: number) {
  const scale = unit(frame) * eye.k;
  const [right, above] = [frame.width / 2 / scale, frame.height / 2 / scale];
  const isSeen = (at: number) =>
    Math.abs((corpus.x[at] ?? 0) - eye.x) <= right && Math.abs((corpus.y[at] ?? 0) - eye.y) <= above;
  const found: { story: string; seen: number[] }[] = [];
  for (const [story, members] of corpus.members) {
    // Of a story, all that is seen counts; most stories are not worth filtering.
    if (members.length < (found[limit - 1]?.seen.length ?? 0)) continue;
    const seen = members.filter(isSeen);
    if (seen.length === 0) continue;
    found.push({ story, seen });
    found.sort((a, b) => b.seen.length - a.seen.length);
    found.length = Math.min(found.length, limit);
  }
  return found;
}

/** Where one sees all of some points, with room around them. */
export function around(corpus: Corpus, frame: Frame, members: number[]): Eye {
  const extent = (values: Float32Array): [number, number] => {
    const sorted = members.map((at) => values[at] ?? 0).sort((a, b) => a - b);
    return [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  };
  const [[left, right], [below, above]] = [extent(corpus.x), extent(corpus.y)];
  const room = 0.8;
  const fits = Math.min(frame.width / (right - left), frame.height / (above - below)) / unit(frame);
  const k = Math.max(1, Math.min(CLOSE, room * fits));
  return { x: (left + right) / 2, y: (below + above) / 2, k };
}

/** The middle of points, leaving out what stands far from most of them. */
export function middle(corpus: Corpus, members: number[]): [number, number] {
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
  return [median(members.map((at) => corpus.x[at] ?? 0)), median(members.map((at) => corpus.y[at] ?? 0))];
}
