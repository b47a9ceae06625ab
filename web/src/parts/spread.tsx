import * as Plot from "@observablehq/plot";
import { useEffect, useRef } from "preact/hooks";
import { counted, dateOf, moment } from "../format";
import { Verdict, type DocumentSummary } from "../gen/copydesk/v1/document_pb";
import { go, toDocument } from "../route";
import { titleOf } from "./common";

/** Outlets that have a row of their own, those first that had it first. */
const OUTLETS = 30;

const KINDS = ["Own reporting", "Update", "Copy"] as const;
const COLORS = ["var(--own)", "var(--update)", "var(--copy)"];

interface Dot {
  id: string;
  title: string;
  at: Date;
  outlet: string;
  kind: (typeof KINDS)[number];
  original: Dot | undefined;
}

function kindOf(verdict: Verdict): Dot["kind"] {
  if (verdict === Verdict.UPDATE) return "Update";
  return verdict === Verdict.EXACT_DUPLICATE || verdict === Verdict.NEAR_DUPLICATE ? "Copy" : "Own reporting";
}

/** Documents of a story as dots: when, in which outlet, and what of. */
export function dots(documents: DocumentSummary[]): { dots: Dot[]; outlets: string[] } {
  const names = [...new Set(documents.map((it) => it.source || "No outlet"))];
  const own = new Set(names.slice(0, names.length > OUTLETS ? OUTLETS - 1 : OUTLETS));
  const others = `${names.length - own.size} others`;
  const known = new Map<string, Dot>();
  for (const document of documents) {
    const at = dateOf(document.publishedAt);
    if (!at) continue;
    const outlet = document.source || "No outlet";
    known.set(document.documentId, {
      id: document.documentId,
      title: titleOf(document),
      at,
      outlet: own.has(outlet) ? outlet : others,
      kind: kindOf(document.verdict),
      original: known.get(document.canonicalDocumentId),
    });
  }
  return { dots: [...known.values()], outlets: own.size < names.length ? [...own, others] : [...own] };
}

/** How a story spread over outlets and time. The list beneath tells the same in words. */
export function Spread({ documents }: { documents: DocumentSummary[] }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const { dots: data, outlets } = dots(documents);
    let width = 0;
    const draw = () => {
      const room = Math.floor(element.clientWidth);
      if (room === 0 || room === width) return;
      width = room;
      element.replaceChildren(plot(data, outlets, room));
    };
    draw();
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [documents]);
  return (
    <figure class="spread">
      <figcaption>
        How it spread{" "}
        <span class="legend" aria-hidden="true">
          <i class="own" /> own reporting <i class="update" /> update <i class="copy" /> copy
        </span>
      </figcaption>
      <div ref={frame} />
    </figure>
  );
}

function plot(data: Dot[], outlets: string[], width: number): Element {
  const isNarrow = width < 520;
  const longest = Math.max(...outlets.map((it) => it.length));
  const margin = isNarrow ? 12 : Math.min(220, 24 + longest * 7);
  const row = isNarrow ? 44 : 30;
  const copies = data.filter((it) => it.original);
  const drawn = Plot.plot({
    width,
    height: outlets.length * row + (isNarrow ? 84 : 72),
    marginBottom: 52,
    marginLeft: margin,
    marginRight: 16,
    marginTop: isNarrow ? 24 : 12,
    ariaLabel: "How the story spread",
    ariaDescription: `${counted(data.length, "document")} in ${counted(outlets.length, "outlet")} over time`,
    style: { fontSize: "13px", fontFamily: "inherit" },
    x: {
      type: "time",
      label: null,
      grid: true,
      ticks: Math.max(2, Math.floor(width / 130)),
      nice: true,
      tickFormat: ticks(),
    },
    y: { domain: outlets, label: null, tickSize: 0, axis: isNarrow ? null : "left", tickFormat: clipped },
    color: { domain: [...KINDS], range: COLORS },
    symbol: { domain: [...KINDS], range: ["circle", "diamond2", "square"] },
    marks: [
      Plot.ruleY(outlets, { stroke: "var(--line)" }),
      isNarrow
        ? Plot.text(outlets, { y: (it: string) => it, text: clipped, frameAnchor: "left", dy: -13, textAnchor: "start", fill: "var(--ink)" })
        : null,
      Plot.link(copies, {
        x1: (it: Dot) => it.original?.at,
        x2: "at",
        y1: (it: Dot) => it.original?.outlet,
        y2: "outlet",
        stroke: "var(--copy)",
        strokeOpacity: 0.5,
        curve: "bump-x",
      }),
      Plot.dot(data, {
        x: "at",
        y: "outlet",
        fill: "kind",
        symbol: "kind",
        r: 6,
        stroke: "var(--paper)",
        strokeWidth: 1.5,
        href: (it: Dot) => toDocument(it.id),
        ariaLabel: (it: Dot) => `${it.title}, ${it.outlet}, ${moment(it.at)}, ${it.kind}`,
      }),
      Plot.tip(
        data,
        Plot.pointer({
          x: "at",
          y: "outlet",
          title: (it: Dot) => `${it.title}\n${it.outlet} · ${moment(it.at)}\n${it.kind}`,
          fill: "var(--paper)",
          stroke: "var(--line)",
          lineWidth: isNarrow ? 20 : 32,
        }),
      ),
    ],
  });
  // Its rules are in the page's own style sheet: what is written into a page is not allowed.
  drawn.querySelectorAll("style").forEach((it) => it.remove());
  // A group without a role has no name.
  drawn.querySelectorAll("g[aria-label]").forEach((it) => it.removeAttribute("aria-label"));
  drawn.addEventListener("click", (event) => follow(event as MouseEvent));
  return drawn;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric" });

/** Times on the axis, from left to right: what one has in common with the one before is not said again. */
function ticks(): (at: Date, index: number) => string {
  let last: Date | undefined;
  return (at, index) => {
    const said = tick(at, index === 0 ? undefined : last);
    last = at;
    return said;
  };
}

function tick(at: Date, before: Date | undefined): string {
  const isNew = (format: Intl.DateTimeFormat) => !before || format.format(before) !== format.format(at);
  const parts = [
    at.getHours() + at.getMinutes() > 0 || (before && !isNew(DAY)) ? CLOCK.format(at) : "",
    isNew(DAY) ? DAY.format(at) : "",
    isNew(YEAR) ? YEAR.format(at) : "",
  ];
  return parts.filter((it) => it !== "").join("\n");
}

function clipped(name: string): string {
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}

/** Links of a plot are those of SVG, whose addresses are another attribute. */
function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  const address = link?.getAttribute("href") ?? link?.getAttributeNS("http://www.w3.org/1999/xlink", "href");
  if (!address || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  go(address);
}
