import { lazy, Suspense } from "preact/compat";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { check, isAddress } from "./address";
import { setToken, useAccess } from "./api";
import { go, to, usePlace, type Place } from "./route";
import { Compare } from "./views/compare";
import { Check } from "./views/check";
import { DocumentView } from "./views/document";
import { Incoming } from "./views/incoming";
import { Related } from "./views/related";
import { State } from "./views/state";
import { Stories } from "./views/stories";
import { Empty, Heading } from "./parts/common";

// What draws is loaded when there is something to draw.
const Story = lazy(() => import("./views/story"));
const MapView = lazy(() => import("./views/map"));

const VIEWS: Record<string, ComponentType<{ place: Place }>> = {
  "": Incoming,
  check: Check,
  compare: Compare,
  document: DocumentView,
  map: MapView,
  related: Related,
  state: State,
  stories: Stories,
  story: Story,
};

const TABS = [
  ["", "Incoming"],
  ["check", "Check"],
  ["stories", "Stories"],
  ["map", "Map"],
  ["state", "State"],
] as const;

/** Views that stand under a tab of another name. */
const UNDER: Record<string, string> = { story: "stories", compare: "check" };

export function Desk() {
  const place = usePlace();
  const { isAsked } = useAccess();
  const name = place.path[0] ?? "";
  const View = VIEWS[name] ?? Nowhere;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Top name={name} subject={subject(place)} question={name === "related" ? (place.query.get("q") ?? "") : ""} />
      <main id="main" tabIndex={-1}>
        {isAsked && <TokenForm />}
        <Suspense fallback={<p class="loading">Loading…</p>}>
          <View key={subject(place)} place={place} />
        </Suspense>
      </main>
    </>
  );
}

/** What a view is about: with another subject, it begins anew. */
function subject({ path, query }: Place): string {
  return [...path, query.get("source"), query.get("url")].join("/");
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Top({ name, subject, question }: { name: string; subject: string; question: string }) {
  const { hasToken } = useAccess();
  const current = UNDER[name] ?? name;
  return (
    <header class="top">
      <a class="brand" href={to([""])} aria-label="Copydesk, incoming">
        <img src="icon.svg" alt="" width="26" height="26" />
        <span>Copydesk</span>
      </a>
      <nav aria-label="Views">
        {TABS.map(([tab, label]) => (
          <a key={tab} href={to([tab])} aria-current={tab === current ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <Ask key={`${subject} ${question}`} question={question} />
      {hasToken && (
        <button type="button" class="quiet" onClick={() => setToken("")} title="Forget the token">
          Leave
        </button>
      )}
    </header>
  );
}

/** One field for whatever one looks for: an address leads to its document. */
function Ask({ question }: { question: string }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyping = target.closest("input, textarea, select, [contenteditable]") !== null;
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const ask = (event: Event) => {
    event.preventDefault();
    const asked = field.current?.value.trim() ?? "";
    if (isAddress(asked)) check(asked);
    else if (asked !== "") go(to(["related"], { q: asked }));
  };
  return (
    <form class="ask" role="search" aria-label="The corpus" onSubmit={ask}>
      <input
        ref={field}
        type="search"
        name="q"
        defaultValue={question}
        aria-label="Search by meaning and words, or give an address"
        aria-keyshortcuts="/"
        placeholder="What have we run on…?"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function TokenForm() {
  const [token, setValue] = useState("");
  const { hasToken } = useAccess();
  const enter = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== "") setToken(token.trim());
  };
  return (
    <form class="note token" onSubmit={enter}>
      <label for="token">
        {hasToken ? "The server does not know this token. Give another one" : "This server asks for a token"}
      </label>
      <div class="row">
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="copydesk_…"
          value={token}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Go on
        </button>
      </div>
      <p class="hint">It stays in this tab and is forgotten with it.</p>
    </form>
  );
}

function Nowhere() {
  return (
    <>
      <Heading title="Nothing here">Nothing here</Heading>
      <Empty>
        <p>
          There is no such view. <a href={to([""])}>See what comes in.</a>
        </p>
      </Empty>
    </>
  );
}
