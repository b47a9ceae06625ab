import { story as stories, useAnswer } from "../api";
import { counted, dateOf, days, later, moment } from "../format";
import { Verdict, type DocumentSummary } from "../gen/copydesk/v1/document_pb";
import type { Story } from "../gen/copydesk/v1/story_pb";
import { Badge, DocumentLink, Figure, Heading, Loaded, Origin } from "../parts/common";
import { Spread } from "../parts/spread";
import { to, type Place } from "../route";

/** Documents in an answer, and of a story that are looked at. */
const PAGE = 500;
const MOST = 2_000;

export default function StoryView({ place }: { place: Place }) {
  const [, id = ""] = place.path;
  const answer = useAnswer(id, (signal) => whole(id, signal));
  return (
    <Loaded answer={answer} what="the story" heading="Story">
      {({ story, documents }) => (
        <>
          <p class="kicker">Story</p>
          <Heading title={story.title}>{story.title || story.storyId}</Heading>
          <Overview story={story} documents={documents} />
          <First documents={documents} />
          {documents.length > 1 && <Spread documents={documents} />}
          <Coverage documents={documents} />
          {documents.length < Number(story.documentCount) && (
            <p class="hint">
              The first {documents.length} of {counted(story.documentCount, "document")} are shown.
            </p>
          )}
        </>
      )}
    </Loaded>
  );
}

async function whole(storyId: string, signal: AbortSignal) {
  const documents: DocumentSummary[] = [];
  let pageToken = "";
  for (;;) {
    const page = await stories.getStory({ storyId, pageSize: PAGE, pageToken }, { signal });
    documents.push(...page.documents);
    pageToken = page.nextPageToken;
    if (!page.story) throw new Error("The server gave no story.");
    if (pageToken === "" || documents.length >= MOST) return { story: page.story, documents };
  }
}

function Overview({ story, documents }: { story: Story; documents: DocumentSummary[] }) {
  const first = dateOf(story.firstPublishedAt);
  const last = dateOf(story.lastPublishedAt);
  const copies = documents.filter(isCopy).length;
  return (
    <dl class="figures">
      <Figure name="Own reporting">{Number(story.distinctDocumentCount)}</Figure>
      <Figure name="Copies">{copies}</Figure>
      <Figure name="Outlets">{story.sources.length}</Figure>
      {first && <Figure name="First">{days(first)}</Figure>}
      {last && <Figure name="Latest">{days(last)}</Figure>}
    </dl>
  );
}

export function isCopy(document: DocumentSummary): boolean {
  return document.verdict === Verdict.EXACT_DUPLICATE || document.verdict === Verdict.NEAR_DUPLICATE;
}

/** Who had it first, and who was next. */
function First({ documents }: { documents: DocumentSummary[] }) {
  const [first, ...others] = documents;
  const at = dateOf(first?.publishedAt);
  if (!first || !at) return null;
  const next = others.find((it) => it.source !== first.source && !isCopy(it));
  const nextAt = dateOf(next?.publishedAt);
  return (
    <p class="first">
      <strong>{first.source || "An outlet without a name"}</strong> had it first, on {moment(at)}:{" "}
      <DocumentLink document={first} />.
      {next && nextAt && (
        <>
          {" "}
          <strong>{next.source || "Another one"}</strong> followed with reporting of its own, {later(at, nextAt)}.
        </>
      )}
    </p>
  );
}

/** All of it in the order of publication, copies beneath what they copy. */
function Coverage({ documents }: { documents: DocumentSummary[] }) {
  const here = new Set(documents.map((it) => it.documentId));
  const isUnder = (it: DocumentSummary) =>
    it.canonicalDocumentId !== it.documentId && here.has(it.canonicalDocumentId);
  const under = new Map<string, DocumentSummary[]>();
  for (const it of documents.filter(isUnder)) {
    under.set(it.canonicalDocumentId, [...(under.get(it.canonicalDocumentId) ?? []), it]);
  }
  return (
    <section>
      <h2>Coverage, earliest first</h2>
      <ol class="timeline">
        {documents
          .filter((it) => !isUnder(it))
          .map((it) => (
            <li key={it.documentId}>
              <Entry document={it} />
              {under.has(it.documentId) && (
                <ol>
                  {under.get(it.documentId)?.map((copy) => (
                    <li key={copy.documentId}>
                      <Entry document={copy} />
                    </li>
                  ))}
                </ol>
              )}
            </li>
          ))}
      </ol>
    </section>
  );
}

function Entry({ document }: { document: DocumentSummary }) {
  const { documentId, canonicalDocumentId, verdict } = document;
  return (
    <>
      <p class="title">
        <DocumentLink document={document} />
      </p>
      <p class="about">
        <Origin document={document} />
        {verdict !== Verdict.NEW && <Badge verdict={verdict} />}
        {canonicalDocumentId !== documentId && (
          <a href={to(["compare", canonicalDocumentId, documentId])}>side by side</a>
        )}
      </p>
    </>
  );
}
