import { corpus, similarity, useAnswer } from "../api";
import { DocumentLink, Heading, Loaded, Origin, titleOf } from "../parts/common";
import { SideBySide, Summary } from "../parts/sidebyside";
import { VerdictView } from "../gen/copydesk/v1/verdict_pb";
import { to, type Place } from "../route";

/** Two stored documents. */
export function Compare({ place }: { place: Place }) {
  const [, left = "", right = ""] = place.path;
  const answer = useAnswer(`${left} ${right}`, (signal) => compared(left, right, signal));
  return (
    <Loaded answer={answer} what="both documents" heading="Side by side">
      {({ earlier, later, verdict }) => (
        <>
          <div class="headline">
            <Heading title={`${titleOf(later.document)} beside ${titleOf(earlier.document)}`}>Side by side</Heading>
            <div class="controls">
              <a href={to(["compare", right, left])}>Exchange the sides</a>
            </div>
          </div>
          <Summary verdict={verdict} beside={<>as the later one stands beside the earlier one</>} />
          <SideBySide
            left={earlier.passages}
            right={verdict.passages}
            leftHead={earlier.document && <Head document={earlier.document} />}
            rightHead={later.document && <Head document={later.document} />}
          />
        </>
      )}
    </Loaded>
  );
}

function Head({ document }: { document: Parameters<typeof Origin>[0]["document"] }) {
  return (
    <>
      <h2>
        <DocumentLink document={document} />
      </h2>
      <Origin document={document} />
    </>
  );
}

export async function compared(left: string, right: string, signal: AbortSignal) {
  const [earlier, later, comparison] = await Promise.all([
    corpus.getDocument({ documentId: left }, { signal }),
    corpus.getDocument({ documentId: right }, { signal }),
    similarity.compareDocuments(
      {
        left: { case: "leftDocumentId", value: left },
        right: { case: "rightDocumentId", value: right },
        view: VerdictView.EVIDENCE,
      },
      { signal },
    ),
  ]);
  const { verdict } = comparison;
  if (!verdict) throw new Error("The server gave no verdict.");
  return { earlier, later, verdict };
}
