import { create } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { useRef, useState } from "preact/hooks";
import { corpus, similarity, useAnswer } from "../api";
import { check, isAddress, isGiven } from "../address";
import { dateOf } from "../format";
import { DocumentSchema, Verdict, type Document, type DocumentSummary } from "../gen/copydesk/v1/document_pb";
import { VerdictView, type DocumentVerdict } from "../gen/copydesk/v1/verdict_pb";
import { DocumentLink, Empty, Failure, Heading, Loaded, Origin, titleOf } from "../parts/common";
import { SideBySide, Summary } from "../parts/sidebyside";
import { toDocument, toStory, type Place } from "../route";
import { compared } from "./compare";
import { foundOf, RelatedCoverage, RelatedTo, useFamily } from "./document";
import { Rows } from "./incoming";

const RELATED = 20;

/** Documents that one can choose from to compare with. */
const CHOICES = 8;

/** What a text is beside what is stored, without storing it. */
export function Check({ place }: { place: Place }) {
  const address = place.query.get("url") ?? "";
  const [text, setText] = useState(address);
  const [asked, setAsked] = useState<Asked | undefined>(address ? { address } : undefined);
  const [isOver, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);

  const submit = (event?: Event) => {
    event?.preventDefault();
    const given = text.trim();
    if (given === "") return;
    if (isAddress(given)) {
      check(given);
      // Where the page is there already, nothing else happens.
      if (given === address) setAsked({ address });
    } else {
      setAsked({ document: create(DocumentSchema, { body: { case: "text", value: given } }), name: "This text" });
    }
  };
  const read = async (given: File | undefined) => {
    if (!given) return;
    const isPage = /\.x?html?$/i.test(given.name) || /html/.test(given.type);
    const body = isPage
      ? ({ case: "html", value: new Uint8Array(await given.arrayBuffer()) } as const)
      : ({ case: "text", value: await given.text() } as const);
    if (body.case === "text") setText(body.value);
    setAsked({ document: create(DocumentSchema, { body }), name: given.name });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer?.files[0]);
  };

  return (
    <>
      <Heading title="Check">Have we had this one?</Heading>
      <form
        class={`paste ${isOver ? "over" : ""}`}
        onSubmit={submit}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <label for="text">A text, or the address of a page</label>
        <textarea
          id="text"
          rows={asked ? 5 : 12}
          value={text}
          placeholder="Paste an article or an address here, or drop a saved page (.html) or a text file."
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => (event.ctrlKey || event.metaKey) && event.key === "Enter" && submit()}
        />
        <div class="row">
          <button type="submit" class="primary" disabled={text.trim() === ""}>
            Check
          </button>
          <input
            ref={file}
            type="file"
            class="visually-hidden"
            tabIndex={-1}
            aria-label="A file"
            accept=".txt,.html,.htm,.xhtml,text/plain,text/html"
            onChange={(event) => void read(event.currentTarget.files?.[0])}
          />
          <button type="button" onClick={() => file.current?.click()}>
            Open a file
          </button>
          <span class="hint">
            Nothing is stored by checking.<span class="for-keys"> Ctrl + Enter checks as well.</span>
          </span>
        </div>
      </form>
      {asked && ("address" in asked ? <Stored address={asked.address} /> : <Checked {...asked} />)}
    </>
  );
}

type Asked = { address: string } | { document: Document; name: string };

/** Documents with an address, or what is there if none is stored. */
function Stored({ address }: { address: string }) {
  const answer = useAnswer(address, (signal) =>
    corpus.listDocuments({ filter: { urls: [address] }, pageSize: 10 }, { signal }),
  );
  return (
    <Loaded answer={answer} what="documents with this address">
      {({ documents }) =>
        documents.length === 0 ? (
          <Unstored address={address} />
        ) : (
          <>
            <section>
              <h2>Stored under this address</h2>
              <Rows documents={documents} />
            </section>
            {documents.slice(0, 1).map((document) => (
              <Family key={document.documentId} document={document} />
            ))}
          </>
        )
      }
    </Loaded>
  );
}

/** A page that is not stored. The server fetches it, where its operator lets it. */
function Unstored({ address }: { address: string }) {
  const [isWanted, want] = useState(false);
  const isAsked = isWanted || isGiven(address);
  const answer = useAnswer(isAsked ? address : undefined, (signal) => corpus.fetchPage({ url: address }, { signal }));
  if (!isAsked) {
    return (
      <Empty>
        <p>
          <strong>No stored document has this address.</strong>
        </p>
        <button type="button" class="primary" onClick={() => want(true)}>
          Fetch the page
        </button>
      </Empty>
    );
  }
  if (answer.error) return <Unfetched address={address} error={answer.error} again={answer.again} />;
  return (
    <Loaded answer={answer} what="the page">
      {({ document }) =>
        document && (
          <>
            {document.url !== address && <p class="hint">It leads to {document.url}.</p>}
            <Checked document={document} name={`The page at ${new URL(document.url).host}`} />
          </>
        )
      }
    </Loaded>
  );
}

/** Why there is no page, and what else one can do. */
function Unfetched({ address, error, again }: { address: string; error: ConnectError; again: () => void }) {
  const byHand = "Paste the article’s text, or save the page and drop it above.";
  if (error.code === Code.Unimplemented) {
    return (
      <Empty>
        <p>
          <strong>No stored document has this address, and this server fetches no pages.</strong>
        </p>
        <p>
          {byHand} On the command line, <code>copydesk ingest --dry-run {address}</code> fetches and judges it.
        </p>
      </Empty>
    );
  }
  const isOfPage = error.rawMessage.startsWith("url ");
  if (!isOfPage) return <Failure error={error} again={again} />;
  return (
    <div class="note failure" role="alert">
      <p>
        <strong>This address {error.rawMessage.slice("url ".length)}.</strong>
      </p>
      <p>{byHand}</p>
      <button type="button" onClick={again}>
        Try again
      </button>
    </div>
  );
}

/** A stored document beside its copies and versions, and what else was written about it. */
function Family({ document }: { document: DocumentSummary }) {
  const family = useFamily(document);
  const [chosen, choose] = useState<string>();
  return (
    <>
      <Loaded answer={family} what="its copies">
        {(others) => {
          const beside = others.find((it) => it.documentId === chosen) ?? others[0];
          if (!beside) return <p>Nothing else that is stored says the same.</p>;
          const [earlier, later] = isEarlier(beside, document) ? [beside, document] : [document, beside];
          return (
            <section>
              <h2>Side by side</h2>
              <Choice of={others} chosen={beside} choose={choose} />
              <Pair earlier={earlier} later={later} />
            </section>
          );
        }}
      </Loaded>
      <RelatedTo document={document} />
    </>
  );
}

/** The original of a family is its earliest document. */
function isEarlier(one: DocumentSummary, other: DocumentSummary): boolean {
  if (one.documentId === other.canonicalDocumentId) return true;
  if (other.documentId === one.canonicalDocumentId) return false;
  const at = (document: DocumentSummary) => dateOf(document.publishedAt)?.getTime() ?? 0;
  return at(one) < at(other);
}

function Pair({ earlier, later }: { earlier: DocumentSummary; later: DocumentSummary }) {
  const [left, right] = [earlier.documentId, later.documentId];
  const answer = useAnswer(`${left} ${right}`, (signal) => compared(left, right, signal));
  return (
    <Loaded answer={answer} what="both documents">
      {({ earlier: stored, verdict }) => (
        <>
          <Summary verdict={verdict} beside={<>as the later one stands beside the earlier one</>} />
          <SideBySide
            left={stored.passages}
            right={verdict.passages}
            leftHead={<Head document={earlier} />}
            rightHead={<Head document={later} />}
          />
        </>
      )}
    </Loaded>
  );
}

function Head({ document }: { document: DocumentSummary }) {
  return (
    <>
      <h3>
        <DocumentLink document={document} />
      </h3>
      <Origin document={document} />
    </>
  );
}

/** Which of several documents one looks at. */
function Choice({
  of,
  chosen,
  choose,
}: {
  of: DocumentSummary[];
  chosen: DocumentSummary | undefined;
  choose: (id: string) => void;
}) {
  if (of.length < 2) return null;
  return (
    <div class="choice" role="group" aria-label="Compare with">
      {of.slice(0, CHOICES).map((it) => (
        <button
          key={it.documentId}
          type="button"
          aria-pressed={it.documentId === chosen?.documentId}
          onClick={() => choose(it.documentId)}
        >
          {it.source && <b>{it.source} </b>}
          {titleOf(it)}
        </button>
      ))}
    </div>
  );
}

let checks = 0;
const numbers = new WeakMap<Document, number>();

/** Names a document, so that the same is not asked twice. */
function numberOf(document: Document): string {
  const known = numbers.get(document) ?? (checks += 1);
  numbers.set(document, known);
  return String(known);
}

function Checked({ document, name }: { document: Document; name: string }) {
  const key = numberOf(document);
  const verdict = useAnswer(key, async (signal) => {
    const answer = await corpus.ingestDocument(
      { document, validateOnly: true, view: VerdictView.EVIDENCE },
      { signal },
    );
    return answer.verdict;
  });
  const related = useAnswer(key, (signal) =>
    similarity.findRelatedDocuments({ query: { case: "document", value: document }, limit: RELATED }, { signal }),
  );
  return (
    <>
      <Loaded answer={verdict} what="the verdict">
        {(verdict) => verdict && <Judged document={document} verdict={verdict} name={name} />}
      </Loaded>
      {!verdict.error && (
        <section>
          <h2>Related coverage</h2>
          <Loaded answer={related} what="what is related">
            {({ documents }) => <RelatedCoverage found={documents.flatMap(foundOf)} />}
          </Loaded>
        </section>
      )}
    </>
  );
}

/** Stored documents that passages of the checked one match: those first with most of them. */
export function sources(verdict: DocumentVerdict): DocumentSummary[] {
  const counts = new Map<string, { document: DocumentSummary; passages: number }>();
  for (const { match, verdict: is } of verdict.passages) {
    if (!match?.document || is === Verdict.NEW) continue;
    const { document } = match;
    const known = counts.get(document.documentId) ?? { document, passages: 0 };
    counts.set(document.documentId, { document, passages: known.passages + 1 });
  }
  const first = (id: string) => (id === verdict.canonicalDocumentId ? 1 : 0);
  return [...counts.values()]
    .sort(
      (a, b) =>
        first(b.document.documentId) - first(a.document.documentId) || b.passages - a.passages,
    )
    .map((it) => it.document);
}

function Judged({ document, verdict, name }: { document: Document; verdict: DocumentVerdict; name: string }) {
  const found = sources(verdict);
  const [chosen, choose] = useState<string>();
  const beside = found.find((it) => it.documentId === chosen) ?? found[0];
  const isNew = verdict.verdict === Verdict.NEW;
  return (
    <section>
      <h2>{isNew ? "New" : "We have had this"}</h2>
      <Summary
        verdict={verdict}
        beside={
          isNew ? (
            <>{name} is not made redundant by anything stored.</>
          ) : (
            <>
              of{" "}
              {beside?.documentId === verdict.canonicalDocumentId ? (
                <DocumentLink document={beside} />
              ) : (
                <a href={toDocument(verdict.canonicalDocumentId)}>{verdict.canonicalDocumentId}</a>
              )}
            </>
          )
        }
      />
      {verdict.storyId && (
        <p>
          It belongs to <a href={toStory(verdict.storyId)}>a story that is covered already</a>.
        </p>
      )}
      <Choice of={found} chosen={beside} choose={choose} />
      {beside && <Beside stored={beside} document={document} name={name} />}
    </section>
  );
}

function Beside({ stored, document, name }: { stored: DocumentSummary; document: Document; name: string }) {
  const id = stored.documentId;
  const answer = useAnswer(`${numberOf(document)} ${id}`, async (signal) => {
    const [earlier, { verdict }] = await Promise.all([
      corpus.getDocument({ documentId: id }, { signal }),
      similarity.compareDocuments(
        {
          left: { case: "leftDocumentId", value: id },
          right: { case: "rightDocument", value: document },
          view: VerdictView.EVIDENCE,
        },
        { signal },
      ),
    ]);
    return { earlier, passages: verdict?.passages ?? [] };
  });
  if (answer.error) return <Failure error={answer.error} again={answer.again} />;
  return (
    <Loaded answer={answer} what="both texts">
      {({ earlier, passages }) => (
        <SideBySide
          left={earlier.passages}
          right={passages}
          leftHead={<Head document={stored} />}
          rightHead={<h3>{name}</h3>}
        />
      )}
    </Loaded>
  );
}
