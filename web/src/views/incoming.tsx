import { ConnectError } from "@connectrpc/connect";
import { useEffect, useRef, useState } from "preact/hooks";
import { corpus, useAccess } from "../api";
import { Badge, DocumentLink, Empty, Failure, Heading, Origin, titleOf } from "../parts/common";
import { arrival, counted, dateOf } from "../format";
import { Verdict, type DocumentSummary } from "../gen/copydesk/v1/document_pb";
import { to, toDocument, toStory, type Place } from "../route";

const PAGE = 50;

/** How often the server is asked what came in, in milliseconds. */
const EVERY = 2_000;

/** Rows that are kept; what is older is a page away. */
const KEPT = 500;

interface Listed {
  documents: DocumentSummary[];
  next: string;
}

const nameOf = (document: DocumentSummary) => `${document.documentId} ${document.revision}`;

/** What was there with what came in since. Where that is more than a page, the gap is not
 * filled: the list begins anew. */
export function joined(former: Listed, page: Listed): { listed: Listed; fresh: number } {
  const known = new Set(former.documents.map(nameOf));
  const fresh = page.documents.filter((document) => !known.has(nameOf(document)));
  if (fresh.length === page.documents.length) return { listed: page, fresh: fresh.length };
  const again = new Set(page.documents.map((document) => document.documentId));
  const older = former.documents.filter((document) => !again.has(document.documentId));
  const oldest = page.documents.at(-1);
  const documents = [...page.documents, ...older.filter((document) => isOlder(document, oldest))];
  return { listed: { documents, next: former.next }, fresh: fresh.length };
}

function isOlder(document: DocumentSummary, than: DocumentSummary | undefined): boolean {
  const at = (one: DocumentSummary | undefined) => dateOf(one?.ingestedAt)?.getTime() ?? 0;
  return at(document) <= at(than);
}

export function Incoming({ place }: { place: Place }) {
  const source = place.query.get("source") ?? "";
  const [listed, setListed] = useState<Listed>();
  const [error, setError] = useState<ConnectError>();
  const [isLive, setLive] = useState(true);
  const [onlyNew, setOnlyNew] = useState(false);
  const [said, say] = useState("");
  const [turn, setTurn] = useState(0);
  const latest = useRef<Listed | undefined>(undefined);
  const { generation } = useAccess();

  useEffect(() => {
    const leaving = new AbortController();
    let timer = 0;
    const look = async () => {
      if (!document.hidden || latest.current === undefined) {
        try {
          const page = await list(source, "", leaving.signal);
          const former = latest.current;
          const { listed, fresh } = former ? joined(former, page) : { listed: page, fresh: 0 };
          latest.current = listed;
          setListed(listed);
          setError(undefined);
          if (fresh > 0) say(`${counted(fresh, "new document")}`);
        } catch (failure) {
          if (!leaving.signal.aborted) setError(ConnectError.from(failure));
        }
      }
      if (isLive && !leaving.signal.aborted) timer = window.setTimeout(look, EVERY);
    };
    void look();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [source, isLive, generation, turn]);

  const older = async () => {
    const former = latest.current;
    if (!former) return;
    try {
      const page = await list(source, former.next);
      latest.current = { documents: [...former.documents, ...page.documents], next: page.next };
      if (latest.current.documents.length > KEPT) setLive(false);
      setListed(latest.current);
    } catch (failure) {
      setError(ConnectError.from(failure));
    }
  };

  const shown = listed?.documents.filter((it) => !onlyNew || it.verdict === Verdict.NEW || it.verdict === Verdict.UPDATE);
  return (
    <>
      <div class="headline">
        <Heading title="Incoming">{source ? `Incoming from ${source}` : "Incoming"}</Heading>
        <div class="controls">
          {source && <a href={to([""])}>All outlets</a>}
          <label class="switch">
            <input
              type="checkbox"
              checked={onlyNew}
              onChange={(event) => setOnlyNew(event.currentTarget.checked)}
            />
            Without copies
          </label>
          <button type="button" class={isLive ? "live" : ""} aria-pressed={isLive} onClick={() => setLive(!isLive)}>
            <span class="pulse" aria-hidden="true" />
            {isLive ? "Live" : "Paused"}
          </button>
        </div>
      </div>
      <p class="visually-hidden" role="status">
        {said}
      </p>
      {error && <Failure error={error} again={() => setTurn(turn + 1)} />}
      {!listed && !error && <p class="loading" role="status">Loading what came in…</p>}
      {shown?.length === 0 && !error && (
        <Empty>
          <p>
            <strong>{source ? "Nothing from this outlet." : "Nothing has come in yet."}</strong>
          </p>
          <p>
            What is sent to this server appears here at once: <code>copydesk ingest articles/</code>
          </p>
        </Empty>
      )}
      {shown && shown.length > 0 && <Rows documents={shown} />}
      {listed?.next && (
        <p class="more">
          <button type="button" onClick={older}>
            Show older
          </button>
        </p>
      )}
    </>
  );
}

async function list(source: string, pageToken: string, signal?: AbortSignal): Promise<Listed> {
  const filter = source ? { sources: [source] } : undefined;
  const answer = await corpus.listDocuments({ filter, pageSize: PAGE, pageToken }, { signal });
  return { documents: answer.documents, next: answer.nextPageToken };
}

/** Headlines of documents that others are copies of, as far as they are known. */
function useOriginals(documents: DocumentSummary[]): Map<string, DocumentSummary> {
  const [known, setKnown] = useState(new Map<string, DocumentSummary>());
  const here = new Map(documents.map((document) => [document.documentId, document]));
  const wanted = documents
    .filter((document) => document.canonicalDocumentId !== document.documentId)
    .map((document) => document.canonicalDocumentId)
    .filter((id) => !here.has(id) && !known.has(id));
  const key = [...new Set(wanted)].slice(0, 1_000).join("\n");
  useEffect(() => {
    if (key === "") return;
    const leaving = new AbortController();
    corpus.batchGetDocuments({ documentIds: key.split("\n") }, { signal: leaving.signal }).then(
      (answer) => {
        setKnown((known) => new Map([...known, ...answer.documents.map((it) => [it.documentId, it] as const)]));
      },
      // The ids are shown in their place.
      () => undefined,
    );
    return () => leaving.abort();
  }, [key]);
  return new Map([...known, ...here]);
}

/** Steps through the rows: j and k, as in many readers of mail. */
function step(event: KeyboardEvent): void {
  const by = { j: 1, k: -1 }[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = event.currentTarget as HTMLElement;
  const links = [...rows.querySelectorAll<HTMLElement>("a.title")];
  const at = links.findIndex((link) => link.closest("li")?.contains(document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

export function Rows({ documents }: { documents: DocumentSummary[] }) {
  const originals = useOriginals(documents);
  return (
    <ol class="rows" onKeyDown={step}>
      {documents.map((document) => {
        const original = originals.get(document.canonicalDocumentId);
        const isOriginal = document.canonicalDocumentId === document.documentId;
        const came = dateOf(document.ingestedAt);
        return (
          <li key={document.documentId}>
            <div class="came">
              {came && <time dateTime={came.toISOString()}>{arrival(came)}</time>}
            </div>
            <div class="what">
              <a class="title" href={toDocument(document.documentId)}>
                {titleOf(document)}
              </a>
              <p class="about">
                <Origin document={document} linked />
                {!isOriginal && (
                  <span class="original">
                    of{" "}
                    {original ? <DocumentLink document={original} /> : document.canonicalDocumentId}
                    {" · "}
                    <a href={to(["compare", document.canonicalDocumentId, document.documentId])}>side by side</a>
                  </span>
                )}
                <a class="story" href={toStory(document.storyId)}>
                  Story
                </a>
              </p>
            </div>
            <Badge verdict={document.verdict} />
          </li>
        );
      })}
    </ol>
  );
}
