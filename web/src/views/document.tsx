import { corpus, similarity, useAnswer } from "../api";
import { counted } from "../format";
import { PassageKind, type DocumentSummary, type Passage } from "../gen/copydesk/v1/document_pb";
import { Badge, Empty, Heading, Loaded, Origin, titleOf, VERDICTS, When } from "../parts/common";
import { Coverage, LIKELY, type Found } from "../parts/related";
import { SideBySide, Summary } from "../parts/sidebyside";
import { to, toDocument, toStory, type Place } from "../route";
import { compared } from "./compare";
import { Rows } from "./incoming";

const RELATED = 20;
const FAMILY = 50;

/** A stored document: its text, what it is a copy of, and what else was written about it. */
export function DocumentView({ place }: { place: Place }) {
  const [, id = ""] = place.path;
  const answer = useAnswer(id, (signal) => corpus.getDocument({ documentId: id }, { signal }));
  return (
    <Loaded answer={answer} what="the document" heading="Document">
      {({ document, passages }) =>
        document && (
          <article>
            <p class="kicker">
              <Badge verdict={document.verdict} /> <Origin document={document} />
            </p>
            <Heading title={titleOf(document)}>{titleOf(document)}</Heading>
            <Facts document={document} />
            {document.canonicalDocumentId !== document.documentId && <Original document={document} />}
            {document.canonicalDocumentId !== document.documentId && <h2>Its text</h2>}
            <Text passages={passages} />
            <Family document={document} />
            <RelatedTo document={document} />
          </article>
        )
      }
    </Loaded>
  );
}

function Facts({ document }: { document: DocumentSummary }) {
  const { url, labels, language, revision } = document;
  const isLink = /^https?:/i.test(url);
  return (
    <dl class="facts">
      <div>
        <dt>Story</dt>
        <dd>
          <a href={toStory(document.storyId)}>Who else has it</a>
        </dd>
      </div>
      <div>
        <dt>Came in</dt>
        <dd>
          <When at={document.ingestedAt} />
        </dd>
      </div>
      {url && (
        <div>
          <dt>Address</dt>
          <dd>
            {isLink ? (
              <a href={url} rel="noreferrer noopener" target="_blank">
                {url}
              </a>
            ) : (
              url
            )}
          </dd>
        </div>
      )}
      <div>
        <dt>Id</dt>
        <dd>
          <code>{document.documentId}</code>
          {revision > 1n && <span class="hint"> body {String(revision)}</span>}
        </dd>
      </div>
      {language !== "und" && (
        <div>
          <dt>Language</dt>
          <dd>{language}</dd>
        </div>
      )}
      {Object.entries(labels).map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The document beside the one that it is a copy or a later version of. */
function Original({ document }: { document: DocumentSummary }) {
  const { documentId: id, canonicalDocumentId: original } = document;
  const answer = useAnswer(`${original} ${id}`, (signal) => compared(original, id, signal));
  return (
    <section class="original">
      <h2>{VERDICTS[document.verdict].name} of an earlier document</h2>
      <Loaded answer={answer} what="both documents">
        {({ earlier, verdict }) => (
          <>
            <Summary
              verdict={verdict}
              beside={
                <>
                  of <a href={toDocument(original)}>{titleOf(earlier.document)}</a>
                </>
              }
            />
            <SideBySide
              left={earlier.passages}
              right={verdict.passages}
              leftHead={earlier.document && <Origin document={earlier.document} />}
              rightHead={<Origin document={document} />}
            />
          </>
        )}
      </Loaded>
    </section>
  );
}

export function Text({ passages }: { passages: Passage[] }) {
  const paragraphs = new Map<number, Passage[]>();
  for (const passage of passages) {
    const paragraph = paragraphs.get(passage.paragraph);
    if (paragraph) paragraph.push(passage);
    else paragraphs.set(passage.paragraph, [passage]);
  }
  return (
    <section class="text" aria-label="Text">
      {[...paragraphs].map(([at, parts]) => (
        <p key={at} class={parts.every((it) => it.kind === PassageKind.FURNITURE) ? "furniture" : undefined}>
          {parts.map((it) => it.text).join(" ")}
        </p>
      ))}
    </section>
  );
}

/** Its copies and later versions. */
export function useFamily(document: DocumentSummary) {
  const canonical = document.canonicalDocumentId;
  const answer = useAnswer(canonical, async (signal) => {
    const filter = { canonicalDocumentIds: [canonical] };
    const { documents } = await corpus.listDocuments({ filter, pageSize: FAMILY }, { signal });
    return documents.filter((it) => it.documentId !== document.documentId);
  });
  return answer;
}

function Family({ document }: { document: DocumentSummary }) {
  const others = useFamily(document).data ?? [];
  if (others.length === 0) return null;
  return (
    <section>
      <h2>{counted(others.length, "copy or version", "copies and versions")} besides</h2>
      <Rows documents={others} />
    </section>
  );
}

export function RelatedTo({ document }: { document: DocumentSummary }) {
  const answer = useAnswer(document.documentId, (signal) =>
    similarity.findRelatedDocuments(
      { query: { case: "documentId", value: document.documentId }, limit: RELATED },
      { signal },
    ),
  );
  return (
    <section>
      <h2>
        Related coverage <a class="aside" href={to(["map"], { id: document.documentId })}>on the map</a>
      </h2>
      <Loaded answer={answer} what="what is related">
        {({ documents }) => <RelatedCoverage found={documents.flatMap(foundOf)} />}
      </Loaded>
    </section>
  );
}

export function foundOf(one: {
  document?: DocumentSummary;
  score: number;
  evidence: { passage?: Passage }[];
  duplicateDocumentIds: string[];
}): Found[] {
  const { document, score, evidence, duplicateDocumentIds } = one;
  if (!document) return [];
  return [{ document, score, text: evidence[0]?.passage?.text, copies: duplicateDocumentIds.length }];
}

export function RelatedCoverage({ found }: { found: Found[] }) {
  const likely = found.filter((it) => it.score >= LIKELY);
  if (likely.length === 0) {
    return (
      <Empty>
        <p>Nobody else seems to have written about it.</p>
      </Empty>
    );
  }
  return <Coverage found={likely} />;
}

