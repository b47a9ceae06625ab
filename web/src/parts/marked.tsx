import type { AlignedSpan, DuplicateEvidence } from "../gen/copydesk/v1/verdict_pb";

export type Side = "query" | "match";

/** What a run of a text is: in both texts, a fact that differs, or neither. */
type Mark = "" | "shared" | "differs";

/** A text in runs. Offsets count code points, of which some take two places in a string. */
export function runs(text: string, spans: { start: number; end: number }[], facts: string[]): [string, Mark][] {
  const points = [...text];
  const marks: Mark[] = new Array<Mark>(points.length).fill("");
  for (const { start, end } of spans) marks.fill("shared", start, end);
  for (const fact of facts) {
    for (const at of places(points, [...fact])) marks.fill("differs", at, at + [...fact].length);
  }
  const found: [string, Mark][] = [];
  points.forEach((point, at) => {
    const mark = marks[at] ?? "";
    // Blanks between shared words are shared as well: fewer, longer marks are easier to read.
    const isBlank = mark === "" && /\s/.test(point) && marks[at - 1] === "shared" && marks[at + 1] === "shared";
    const of = isBlank ? "shared" : mark;
    if (isBlank) marks[at] = "shared";
    const last = found.at(-1);
    if (last && last[1] === of) last[0] += point;
    else found.push([point, of]);
  });
  return found;
}

/** Where a fact stands as a word of its own. */
function places(text: string[], fact: string[]): number[] {
  const isWord = (point: string | undefined) => point !== undefined && /[\p{L}\p{N}]/u.test(point);
  const same = (at: number) => fact.every((point, i) => text[at + i]?.toLowerCase() === point.toLowerCase());
  const found: number[] = [];
  for (let at = 0; fact.length > 0 && at + fact.length <= text.length; at += 1) {
    if (!isWord(text[at - 1]) && same(at) && !isWord(text[at + fact.length])) found.push(at);
  }
  return found;
}

export function Marked({ text, evidence, side }: { text: string; evidence?: DuplicateEvidence; side: Side }) {
  if (!evidence) return <>{text}</>;
  const span = (it: AlignedSpan) =>
    side === "query" ? { start: it.queryStart, end: it.queryEnd } : { start: it.matchStart, end: it.matchEnd };
  const facts = evidence.conflicts.map((it) => (side === "query" ? it.queryValue : it.matchValue));
  return (
    <>
      {runs(text, evidence.alignedSpans.map(span), facts).map(([run, mark], at) => {
        if (mark === "shared") return <mark key={at}>{run}</mark>;
        if (mark === "differs") return <strong key={at} class="differs">{run}</strong>;
        return run;
      })}
    </>
  );
}
