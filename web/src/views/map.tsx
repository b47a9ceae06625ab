import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomBehavior } from "d3-zoom";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { corpus as documents, similarity, story as stories, useAnswer } from "../api";
import { counted, number } from "../format";
import type { DocumentSummary } from "../gen/copydesk/v1/document_pb";
import { around, Gathering, inView, toScreen, unit, WHOLE, type Corpus, type Eye, type Frame } from "../map/corpus";
import { colorAt, draw, lookOf, type Look } from "../map/draw";
import { DocumentLink, Empty, Failure, Heading, Loaded, Origin, titleOf } from "../parts/common";
import { amend, go, to, toDocument, toStory, type Place } from "../route";

/** Stories that are named. */
const NAMED = 12;

/** Documents that a search marks, and probability from which on it does. */
const MARKED = 200;
const MARKS = 0.3;

/** Pixels of a map below which it is narrow: fewer and shorter names have room there. */
const NARROW = 520;

/** How near one can go, and how near a document is looked at. */
const NEAREST = 400;
const NEAR = 12;

/** Pixels between the pointer and what it points at. */
const TOUCH = 14;

export default function MapView({ place }: { place: Place }) {
  const [progress, setProgress] = useState("");
  const answer = useAnswer("map", async (signal) => {
    const gathering = new Gathering();
    for await (const page of similarity.mapDocuments({}, { signal, timeoutMs: 0 })) {
      gathering.add(page);
      setProgress(`${number(gathering.ids.length)} of ${number(page.documentCount)}`);
    }
    return gathering.finish();
  });
  return (
    <>
      <Heading title="Map">Map of the corpus</Heading>
      {answer.isLoading && !answer.data && (
        <p class="loading" role="status">
          {progress ? `Placing documents: ${progress}` : "Drawing the map…"}
        </p>
      )}
      {answer.error && <Failure error={answer.error} again={answer.again} />}
      {answer.data &&
        (answer.data.ids.length === 0 ? (
          <Empty>
            <p>
              <strong>There is nothing to draw yet.</strong>
            </p>
            <p>Documents stand near to those that mean much the same, as soon as there are some.</p>
          </Empty>
        ) : (
          <Chart corpus={answer.data} place={place} />
        ))}
    </>
  );
}

function eyeOf(query: URLSearchParams, corpus: Corpus): Eye {
  const at = corpus.at.get(query.get("id") ?? "");
  const given = (name: string) => Number(query.get(name) ?? NaN);
  const eye = { x: given("x"), y: given("y"), k: given("k") };
  if (Object.values(eye).every(Number.isFinite)) return { ...eye, k: Math.max(1, Math.min(NEAREST, eye.k)) };
  const near = Math.min(NEAR, Math.max(1, Math.sqrt(corpus.ids.length / 20)));
  return at === undefined ? WHOLE : { x: corpus.x[at] ?? 0, y: corpus.y[at] ?? 0, k: near };
}

/** What is looked for, if anything: by a question or by a document's id. */
function useMarked(corpus: Corpus, question: string, id: string) {
  const answer = useAnswer(question || undefined, (signal) =>
    similarity.findRelatedPassages(
      { query: { case: "text", value: question }, limit: MARKED, maxPerDocument: 1, minScore: MARKS },
      { signal },
    ),
  );
  const found = useMemo(
    () => answer.data?.passages.flatMap(({ document }) => (document ? [document] : [])),
    [answer.data],
  );
  const marked = useMemo(() => {
    const ids = question ? found?.map((it) => it.documentId) : id ? [id] : undefined;
    return ids && new Set(ids.flatMap((it) => corpus.at.get(it) ?? []));
  }, [corpus, found, id, question]);
  return { answer, found, marked };
}

/** Titles of stories, asked for once. */
function useTitles(wanted: string[]): Map<string, string> {
  const [titles, setTitles] = useState(new Map<string, string>());
  const missing = wanted.filter((story) => !titles.has(story)).join(" ");
  useEffect(() => {
    if (missing === "") return;
    const leaving = new AbortController();
    const asked = missing.split(" ").map(async (storyId) => {
      const answer = await stories.getStory({ storyId, pageSize: 1 }, { signal: leaving.signal });
      return [storyId, answer.story?.title || storyId] as const;
    });
    void Promise.allSettled(asked).then((settled) => {
      const known = settled.flatMap((it) => (it.status === "fulfilled" ? [it.value] : []));
      if (!leaving.signal.aborted && known.length > 0) setTitles((titles) => new Map([...titles, ...known]));
    });
    return () => leaving.abort();
  }, [missing]);
  return titles;
}

function Chart({ corpus, place }: { corpus: Corpus; place: Place }) {
  const question = place.query.get("q") ?? "";
  const id = place.query.get("id") ?? "";
  const canvas = useRef<HTMLCanvasElement>(null);
  const behavior = useRef<ZoomBehavior<HTMLCanvasElement, unknown> | undefined>(undefined);
  const [frame, setFrame] = useState<Frame>({ width: 0, height: 0 });
  const [eye, setEye] = useState<Eye>(() => eyeOf(place.query, corpus));
  const [hovered, setHovered] = useState<number>();
  const [look, setLook] = useState<Look>();
  const { answer, found, marked } = useMarked(corpus, question, id);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const measure = () => setFrame({ width: element.clientWidth, height: element.clientHeight });
    const recolor = () => setLook(lookOf(element));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    dark.addEventListener("change", recolor);
    measure();
    recolor();
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", recolor);
    };
  }, []);

  const current = useRef(eye);
  current.current = eye;
  useEffect(() => {
    const element = canvas.current;
    if (!element || frame.width === 0) return;
    const { width, height } = frame;
    const moving = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([0.8, NEAREST])
      .extent([
        [0, 0],
        [width, height],
      ])
      .on("zoom", ({ transform }) => {
        const scale = unit(frame) * transform.k;
        setEye({ x: (width / 2 - transform.x) / scale, y: (transform.y - height / 2) / scale, k: transform.k });
      });
    behavior.current = moving;
    const selection = select(element).call(moving).on("dblclick.zoom", null);
    selection.call(moving.transform, asTransform(frame, current.current));
    return () => void select(element).on(".zoom", null);
  }, [frame]);

  const lookAt = (eye: Eye) => {
    const element = canvas.current;
    if (element && behavior.current) select(element).call(behavior.current.transform, asTransform(frame, eye));
  };
  // Who asks sees what answers, unless a link says where to look.
  useEffect(() => {
    if (question && marked && marked.size > 0 && frame.width > 0 && !place.query.has("k")) {
      lookAt(around(corpus, frame, [...marked]));
    }
  }, [marked, place, frame]);

  const seen = useSettled(eye, 150);
  const near = useMemo(
    () => (frame.width > 0 ? inView(corpus, frame, seen, NAMED) : []),
    [corpus, frame, seen],
  );
  const titles = useTitles(near.map((it) => it.story));

  // Where one looks becomes the link, once one has stopped moving.
  useEffect(() => {
    const isWhole = seen.k === 1 && seen.x === 0 && seen.y === 0;
    const where: Record<string, string> = isWhole ? {} : { x: rounded(seen.x, 1e4), y: rounded(seen.y, 1e4), k: rounded(seen.k, 1e2) };
    amend(to(["map"], { q: question, id, ...where }));
  }, [seen, question, id]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !look || frame.width === 0) return;
    const request = requestAnimationFrame(() => {
      const density = devicePixelRatio;
      const { canvas } = context;
      const [width, height] = [Math.round(frame.width * density), Math.round(frame.height * density)];
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.setTransform(density, 0, 0, density, 0, 0);
      const [most, longest] = frame.width < NARROW ? [4, 22] : [8, 34];
      const labels = near.slice(0, most).flatMap(({ story, seen }) => {
        const title = titles.get(story);
        return title ? [{ text: shortened(title, longest), members: seen }] : [];
      });
      draw(context, frame, look, { corpus, eye, marked, hovered, labels: marked ? [] : labels });
    });
    return () => cancelAnimationFrame(request);
  }, [corpus, frame, look, eye, marked, hovered, near, titles]);

  const nearest = (event: MouseEvent): number | undefined => {
    const scale = unit(frame) * eye.k;
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return undefined;
    const x = (event.clientX - box.left - frame.width / 2) / scale + eye.x;
    const y = (frame.height / 2 - (event.clientY - box.top)) / scale + eye.y;
    return corpus.tree.find(x, y, TOUCH / scale);
  };
  const move = (by: Partial<Record<"x" | "y" | "k", number>>) => {
    const element = canvas.current;
    const moving = behavior.current;
    if (!element || !moving) return;
    const selection = select(element);
    if (by.k) selection.call(moving.scaleBy, by.k);
    else selection.call(moving.translateBy, (by.x ?? 0) / eye.k, (by.y ?? 0) / eye.k);
  };
  const whole = () => lookAt(WHOLE);
  const pressed = (event: KeyboardEvent) => {
    const step = 80;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => move({ x: step }),
      ArrowRight: () => move({ x: -step }),
      ArrowUp: () => move({ y: step }),
      ArrowDown: () => move({ y: -step }),
      "+": () => move({ k: 1.5 }),
      "=": () => move({ k: 1.5 }),
      "-": () => move({ k: 1 / 1.5 }),
      "0": whole,
    };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  const search = (event: Event) => {
    event.preventDefault();
    const asked = new FormData(event.currentTarget as HTMLFormElement).get("q");
    go(to(["map"], { q: String(asked ?? "").trim() }));
  };

  return (
    <>
      <div class="headline">
        <p class="lead">
          {counted(corpus.ids.length, "document")}, near to each other what means much the same. Colours are stories.
        </p>
        <form class="controls" role="search" aria-label="The map" onSubmit={search}>
          <input
            key={question}
            type="search"
            name="q"
            defaultValue={question}
            aria-label="Search on the map"
            placeholder="Search on the map"
          />
          <button type="submit">Search</button>
          {(question || id) && <a href={to(["map"])}>Show all</a>}
        </form>
      </div>
      <div class="map">
        <div class="canvas">
          <canvas
            ref={canvas}
            tabIndex={0}
            role="application"
            aria-roledescription="map"
            aria-label={`Map of ${counted(corpus.ids.length, "document")}. Arrow keys move it, plus and minus zoom, 0 shows all. The list beside it names the stories that are seen.`}
            onKeyDown={pressed}
            onPointerMove={(event) => setHovered(nearest(event))}
            onPointerLeave={() => setHovered(undefined)}
            onClick={(event) => {
              const at = nearest(event);
              const hit = at === undefined ? undefined : corpus.ids[at];
              if (hit !== undefined) go(toDocument(hit));
            }}
          />
          {hovered !== undefined && <Hover corpus={corpus} at={hovered} frame={frame} eye={eye} />}
          <div class="buttons">
            <button type="button" aria-label="Nearer" onClick={() => move({ k: 1.6 })}>
              +
            </button>
            <button type="button" aria-label="Farther" onClick={() => move({ k: 1 / 1.6 })}>
              −
            </button>
            <button type="button" aria-label="The whole map" title="The whole map" onClick={whole}>
              ⤢
            </button>
          </div>
        </div>
        <aside class="around">
          {question ? (
            <Loaded answer={answer} what="what answers">
              {() => <Hits found={found ?? []} />}
            </Loaded>
          ) : (
            <>
              <h2>Stories in view</h2>
              {near.length === 0 && <p class="hint">None with several documents.</p>}
              <ul>
                {near.map(({ story, seen }) => (
                  <li key={story}>
                    {look && <Swatch color={colorAt(look, corpus.color[seen[0] ?? 0] ?? 0)} />}
                    <a href={toStory(story)}>{titles.get(story) ?? story}</a>{" "}
                    <span class="hint">{number(seen.length)}</span>
                  </li>
                ))}
              </ul>
            </>
          )}
        </aside>
      </div>
    </>
  );
}

/** A value once it has stood still for so many milliseconds. */
function useSettled<T>(value: T, wait: number): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), wait);
    return () => clearTimeout(timer);
  }, [value, wait]);
  return settled;
}

/** To so many parts of one, and without a sign before 0. */
function rounded(value: number, parts: number): string {
  return String(Math.round(value * parts) / parts || 0);
}

function shortened(title: string, longest: number): string {
  return title.length > longest ? `${title.slice(0, longest - 1)}…` : title;
}

/** What the library makes of an eye: it counts in pixels of its own frame. */
function asTransform(frame: Frame, { x, y, k }: Eye) {
  const scale = unit(frame) * k;
  return zoomIdentity.translate(frame.width / 2 - x * scale, frame.height / 2 + y * scale).scale(k);
}

function Swatch({ color }: { color: string }) {
  const circle = <circle cx="5" cy="5" r="5" fill={color} />;
  return (
    <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
      {circle}
    </svg>
  );
}

function Hits({ found }: { found: DocumentSummary[] }) {
  const LISTED = 25;
  if (found.length === 0) return <p class="hint">Nothing answers to it.</p>;
  return (
    <>
      <h2>{counted(found.length, "document")} marked</h2>
      <ul>
        {found.slice(0, LISTED).map((document) => (
          <li key={document.documentId}>
            <DocumentLink document={document} />
            <br />
            <Origin document={document} />
          </li>
        ))}
      </ul>
    </>
  );
}

const known = new Map<string, DocumentSummary>();

/** What stands under the pointer. */
function Hover({ corpus, at, frame, eye }: { corpus: Corpus; at: number; frame: Frame; eye: Eye }) {
  const id = corpus.ids[at] ?? "";
  const [document, setDocument] = useState(known.get(id));
  useEffect(() => {
    setDocument(known.get(id));
    if (known.has(id)) return;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      documents.batchGetDocuments({ documentIds: [id] }, { signal: leaving.signal }).then(
        (answer) => {
          const [found] = answer.documents;
          if (!found) return;
          known.set(id, found);
          setDocument(found);
        },
        // It has no name then, but a place.
        () => undefined,
      );
    }, 60);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [id]);
  const [x, y] = toScreen(frame, eye)(corpus.x[at] ?? 0, corpus.y[at] ?? 0);
  const isRight = x > frame.width / 2;
  const side = isRight ? { right: `${frame.width - x + 12}px` } : { left: `${x + 12}px` };
  return (
    <div class="hover" style={{ ...side, top: `${Math.min(y + 10, frame.height - 70)}px` }}>
      <strong>{document ? titleOf(document) : id}</strong>
      {document && (
        <>
          <br />
          <Origin document={document} />
        </>
      )}
    </div>
  );
}
