import { Code, type ConnectError } from "@connectrpc/connect";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Answer } from "../api";
import { dateOf, moment } from "../format";
import { Verdict, type DocumentSummary } from "../gen/copydesk/v1/document_pb";
import { to, toDocument } from "../route";

/** Names and classes of verdicts. */
export const VERDICTS: Record<Verdict, { name: string; kind: string; means: string }> = {
  [Verdict.UNSPECIFIED]: { name: "Not judged", kind: "none", means: "" },
  [Verdict.NEW]: { name: "New", kind: "new", means: "Nothing earlier makes it redundant." },
  [Verdict.EXACT_DUPLICATE]: {
    name: "Exact copy",
    kind: "exact",
    means: "The same text, letter for letter.",
  },
  [Verdict.NEAR_DUPLICATE]: {
    name: "Near copy",
    kind: "near",
    means: "The same text, lightly edited, cut or corrupted: the same facts.",
  },
  [Verdict.UPDATE]: {
    name: "Update",
    kind: "update",
    means: "A later version: most of the text is there, with facts added or changed.",
  },
};

export function Badge({ verdict }: { verdict: Verdict }) {
  const { name, kind, means } = VERDICTS[verdict];
  return (
    <span class={`badge ${kind}`} title={means}>
      {name}
    </span>
  );
}

export function titleOf(document: DocumentSummary | undefined): string {
  return document?.title || document?.documentId || "Untitled";
}

export function DocumentLink({ document }: { document: DocumentSummary }) {
  return <a href={toDocument(document.documentId)}>{titleOf(document)}</a>;
}

export function When({ at }: { at: Timestamp | undefined }) {
  const date = dateOf(at);
  return date ? <time dateTime={date.toISOString()}>{moment(date)}</time> : null;
}

/** Outlet and date. `linked`: the outlet leads to what came in from it. */
export function Origin({ document, linked = false }: { document: DocumentSummary; linked?: boolean }) {
  const { source, publishedAt } = document;
  return (
    <span class="origin">
      {linked && source ? (
        <a class="source" href={to([""], { source })} title={`What came in from ${source}`}>
          {source}
        </a>
      ) : (
        <span class="source">{source || "No outlet"}</span>
      )}{" "}
      <When at={publishedAt} />
    </span>
  );
}

/** The heading of a view. It gets the focus when the view opens, so that a screen reader says
 * where it is. */
export function Heading({ children, title }: { children: ComponentChildren; title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Copydesk`;
  }, [title]);
  useEffect(() => {
    // On the first view, the browser decides.
    if (moves > 0) heading.current?.focus({ preventScroll: true });
    moves += 1;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

let moves = 0;

const REMEDIES: Partial<Record<Code, string>> = {
  [Code.PermissionDenied]: "Leave at the top, and give a token with that right.",
  [Code.NotFound]: "It may have been deleted, or the link is of another corpus.",
  [Code.ResourceExhausted]: "The server is busy. Try again in a moment.",
  [Code.Unavailable]: "The server does not answer. Is it running?",
  [Code.DeadlineExceeded]: "That took too long. Try again, or ask for less.",
};

export function Failure({ error, again }: { error: ConnectError; again?: () => void }) {
  // The form for a token says it already.
  if (error.code === Code.Unauthenticated) return null;
  const isGone = error.code === Code.Unknown && /fetch|network/i.test(error.rawMessage);
  const said = isGone ? "The server cannot be reached." : error.rawMessage;
  return (
    <div class="note failure" role="alert">
      <p>
        <strong>{said}</strong>
      </p>
      <p>{isGone ? "Is it running?" : REMEDIES[error.code]}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What was asked, or where it is. `heading`: of a view that has none of its own without it. */
export function Loaded<T>({
  answer,
  children,
  what,
  heading,
}: {
  answer: Answer<T> & { again?: () => void };
  children: (data: T) => ComponentChildren;
  what: string;
  heading?: string;
}) {
  if (answer.data === undefined || answer.error) {
    return (
      <>
        {heading && <Heading title={heading}>{heading}</Heading>}
        {answer.error && <Failure error={answer.error} again={answer.again} />}
        {answer.isLoading && !answer.error && (
          <p class="loading" role="status">
            Loading {what}…
          </p>
        )}
      </>
    );
  }
  return <>{children(answer.data)}</>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="note empty">{children}</div>;
}

export function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
