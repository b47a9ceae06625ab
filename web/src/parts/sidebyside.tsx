import { PassageKind, Verdict, type Passage } from "../gen/copydesk/v1/document_pb";
import type { DocumentVerdict, PassageVerdict } from "../gen/copydesk/v1/verdict_pb";
import { share } from "../format";
import { Badge } from "./common";
import { Marked } from "./marked";
import type { ComponentChildren } from "preact";

interface Row {
  left?: Passage;
  right?: PassageVerdict;
}

/** Passages of the later document beside those of the earlier one that say the same, those of
 * the earlier one that nothing matches in their order between them. */
export function rows(left: Passage[], right: PassageVerdict[]): Row[] {
  const byOrdinal = new Map(left.map((passage) => [passage.ordinal, passage]));
  const matched = new Set(right.map((passage) => ordinalOf(passage)).filter((it) => it !== undefined));
  const found: Row[] = [];
  let next = 0;
  const catchUp = (until: number) => {
    for (; next < left.length && (left[next]?.ordinal ?? 0) < until; next += 1) {
      const passage = left[next];
      if (passage && !matched.has(passage.ordinal)) found.push({ left: passage });
    }
  };
  for (const passage of right) {
    const ordinal = ordinalOf(passage);
    if (ordinal !== undefined) catchUp(ordinal);
    found.push({ left: ordinal === undefined ? undefined : byOrdinal.get(ordinal), right: passage });
  }
  catchUp(Infinity);
  return found;
}

function ordinalOf(passage: PassageVerdict): number | undefined {
  return passage.match?.passage?.ordinal;
}

export function Summary({ verdict, beside }: { verdict: DocumentVerdict; beside: ComponentChildren }) {
  const differing = verdict.passages.flatMap((passage) => passage.match?.evidence?.conflicts ?? []).length;
  return (
    <div class="summary">
      <p class="says">
        <Badge verdict={verdict.verdict} /> {beside}
      </p>
      <dl class="figures">
        <Share name="Probability of being a copy or update" value={verdict.duplicateProbability} />
        <Share name="Words in common" value={verdict.duplicateShare} />
        <Share name="Told for the first time" value={verdict.novelty} />
        <div class="figure">
          <dt>Differing facts</dt>
          <dd>{differing}</dd>
        </div>
      </dl>
      {verdict.lexicalOnly && (
        <p class="hint">The model does not speak this language: the verdict rests on words and facts.</p>
      )}
    </div>
  );
}

export function Share({ name, value }: { name: string; value: number }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        {share(value)}
        <meter min={0} max={1} value={value} aria-hidden="true" />
      </dd>
    </div>
  );
}

export function SideBySide({
  left,
  right,
  leftHead,
  rightHead,
}: {
  left: Passage[];
  right: PassageVerdict[];
  leftHead: ComponentChildren;
  rightHead: ComponentChildren;
}) {
  return (
    <section class="sides" aria-label="Side by side">
      <div class="heads">
        <div>
          <span class="which">Earlier</span>
          {leftHead}
        </div>
        <div>
          <span class="which">Later</span>
          {rightHead}
        </div>
      </div>
      <p class="legend" aria-hidden="true">
        <mark>shared words</mark> <strong class="differs">differing facts</strong>
      </p>
      {rows(left, right).map((row, at) => (
        <Pair key={at} {...row} />
      ))}
    </section>
  );
}

function Pair({ left, right }: Row) {
  const evidence = right?.match?.evidence;
  const conflicts = evidence?.conflicts ?? [];
  const isFurniture = (right?.kind ?? left?.kind) === PassageKind.FURNITURE;
  return (
    <div class={`pair ${isFurniture ? "furniture" : ""}`}>
      <p class={left ? "left" : "left none"} data-side="Earlier">
        {left ? <Marked text={left.text} evidence={evidence} side="match" /> : <span>Not in the earlier one</span>}
      </p>
      <p class={right ? "right" : "right none"} data-side="Later">
        {right ? <Marked text={right.text} evidence={evidence} side="query" /> : <span>Left out</span>}
      </p>
      {(conflicts.length > 0 || (right && right.verdict !== Verdict.NEW && !isFurniture)) && (
        <div class="finding">
          {right && right.match && <Badge verdict={right.verdict} />}
          {conflicts.length > 0 && (
            <ul class="conflicts" aria-label="Differing facts">
              {conflicts.map((conflict, at) => (
                <li key={at}>
                  <span class="visually-hidden">earlier </span>
                  <s>{conflict.matchValue}</s> <span aria-hidden="true">→</span>
                  <span class="visually-hidden">, later </span> <b>{conflict.queryValue}</b>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}
