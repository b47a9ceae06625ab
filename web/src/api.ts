import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { useEffect, useReducer, useState } from "preact/hooks";
import { AdminService } from "./gen/copydesk/v1/admin_pb";
import { CorpusService } from "./gen/copydesk/v1/corpus_pb";
import { SimilarityService } from "./gen/copydesk/v1/similarity_pb";
import { StoryService } from "./gen/copydesk/v1/story_pb";

const TOKEN = "copydesk-token";

/** Milliseconds that a question may take. */
const PATIENCE = 60_000;

const listeners = new Set<() => void>();
let isAsked = false;
let generation = 0;

function changed(): void {
  for (const listener of listeners) listener();
}

/** Keeps a token for as long as the tab is open, and asks everything again. */
export function setToken(token: string): void {
  if (token === "") sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
  isAsked = false;
  generation += 1;
  changed();
}

/** Whether the server asks for a token, and a number that grows when there is another one. */
export function useAccess(): { isAsked: boolean; hasToken: boolean; generation: number } {
  const [, update] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const listener = () => update(undefined);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return { isAsked, hasToken: sessionStorage.getItem(TOKEN) !== null, generation };
}

const bearer: Interceptor = (next) => async (request) => {
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null) request.header.set("authorization", `Bearer ${token}`);
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unauthenticated && !isAsked) {
      isAsked = true;
      changed();
    }
    throw error;
  }
};

const transport = createGrpcWebTransport({
  baseUrl: new URL(".", location.href).href,
  interceptors: [bearer],
  defaultTimeoutMs: PATIENCE,
});

export const admin = createClient(AdminService, transport);
export const corpus = createClient(CorpusService, transport);
export const similarity = createClient(SimilarityService, transport);
export const story = createClient(StoryService, transport);

/** What was asked: not answered yet, answered, or refused. While it is asked again, the
 * former answer stays. */
export interface Answer<T> {
  data?: T;
  error?: ConnectError;
  isLoading: boolean;
}

/** Asks when `key` changes, and gives up what nobody waits for any more. */
export function useAnswer<T>(
  key: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Answer<T> & { again: () => void } {
  const { generation } = useAccess();
  const [turn, again] = useReducer((count: number) => count + 1, 0);
  const [answer, setAnswer] = useState<Answer<T> & { key?: string }>({ isLoading: key !== undefined });
  useEffect(() => {
    if (key === undefined) {
      setAnswer({ isLoading: false });
      return;
    }
    const leaving = new AbortController();
    setAnswer((former) => (former.key === key ? { ...former, isLoading: true } : { key, isLoading: true }));
    ask(leaving.signal).then(
      (data) => !leaving.signal.aborted && setAnswer({ key, data, isLoading: false }),
      (error) =>
        !leaving.signal.aborted &&
        setAnswer({ key, error: ConnectError.from(error), isLoading: false }),
    );
    return () => leaving.abort();
  }, [key, generation, turn]);
  const isOld = answer.key !== key && key !== undefined;
  return { ...(isOld ? { isLoading: true } : answer), again: () => again(undefined) };
}
