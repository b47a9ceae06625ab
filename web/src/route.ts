import { useEffect, useState } from "preact/hooks";

/** A view and what it is about. All of it stands behind `#`, which browsers keep to
 * themselves: neither questions nor ids come into the logs of what is on the way. */
export interface Place {
  /** The name of the view and what follows it, e.g. ["document", "r1"]. */
  path: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { path: path.split("/").map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A link that leads to the same place for good. */
export function to(path: string[], query: Record<string, string> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const asked = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${asked && `?${asked}`}`;
}

export const toDocument = (id: string) => to(["document", id]);
export const toStory = (id: string) => to(["story", id]);

/** Where the page is. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => parse(location.hash));
  useEffect(() => {
    const moved = () => setPlace(parse(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return place;
}

export function go(link: string): void {
  location.hash = link;
}

/** Changes what is asked for without a further step in the history. */
export function amend(link: string): void {
  history.replaceState(null, "", link);
}
