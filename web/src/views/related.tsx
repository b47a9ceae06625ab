import { corpus, similarity, useAnswer } from "../api";
import { counted } from "../format";
import { Empty, Heading, Loaded } from "../parts/common";
import { Coverage, grouped, LIKELY, type Found } from "../parts/related";
import { to, type Place } from "../route";

const LIMIT = 40;

/** Passages of one document, at most. */
const EACH = 2;

/** What answers to a question, by story. */
export function Related({ place }: { place: Place }) {
  const question = place.query.get("q") ?? "";
  const answer = useAnswer(question || undefined, async (signal) => {
    const query = { case: "text", value: question } as const;
    const [answer, named] = await Promise.all([
      similarity.findRelatedPassages(
        { query, limit: LIMIT, maxPerDocument: EACH, minScore: LIKELY },
        { signal },
      ),
      // Who knows an id may type it.
      /^[!-~]{1,256}$/.test(question)
        ? corpus.batchGetDocuments({ documentIds: [question] }, { signal })
        : undefined,
    ]);
    const found = answer.passages.flatMap(({ document, passage, score, duplicatePassageIds }): Found[] =>
      document && passage ? [{ document, score, text: passage.text, copies: duplicatePassageIds.length }] : [],
    );
    const exact = (named?.documents ?? []).map((document): Found => ({ document, score: 1, copies: 0 }));
    return [...exact, ...found];
  });
  return (
    <>
      <Heading title={question || "Search"}>{question ? `“${question}”` : "Search"}</Heading>
      {question === "" && (
        <Empty>
          <p>Ask in words of your own: what is found is near in meaning or in words.</p>
        </Empty>
      )}
      <Loaded answer={answer} what="what was written about it">
        {(found) =>
          found.length === 0 ? (
            <Empty>
              <p>
                <strong>Nothing is stored yet that answers to it.</strong>
              </p>
              <p>
                <a href={to([""])}>See what comes in.</a>
              </p>
            </Empty>
          ) : (
            <>
              <p class="lead" role="status">
                {counted(found.length, "passage")} in {counted(grouped(found).length, "story", "stories")}, most related
                first. <a href={to(["map"], { q: question })}>On the map</a>
              </p>
              <h2 class="visually-hidden">By story</h2>
              <Coverage found={found} />
            </>
          )
        }
      </Loaded>
    </>
  );
}
