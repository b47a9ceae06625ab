import type { ComponentChildren } from "preact";
import { story as stories, useAnswer } from "../api";
import { counted, share } from "../format";
import type { DocumentSummary } from "../gen/copydesk/v1/document_pb";
import type { Story } from "../gen/copydesk/v1/story_pb";
import { toStory } from "../route";
import { DocumentLink, Origin } from "./common";

/** Probability from which on something is shown as related. */
export const LIKELY = 0.1;

export interface Found {
  document: DocumentSummary;
  score: number;
  text?: ComponentChildren;
  copies: number;
}

/** What was found by story, the best story first. */
export function grouped<T extends Found>(found: T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const one of found) {
    const group = groups.get(one.document.storyId);
    if (group) group.push(one);
    else groups.set(one.document.storyId, [one]);
  }
  return [...groups];
}

/** Stories by id, those that are there. */
export async function storiesOf(ids: string[], signal: AbortSignal): Promise<Map<string, Story>> {
  const asked = ids.map(async (storyId) => {
    const answer = await stories.getStory({ storyId, pageSize: 1 }, { signal });
    return answer.story && ([storyId, answer.story] as const);
  });
  const settled = await Promise.allSettled(asked);
  return new Map(settled.flatMap((it) => (it.status === "fulfilled" && it.value ? [it.value] : [])));
}

export function Coverage({ found }: { found: Found[] }) {
  const groups = grouped(found);
  const ids = groups.map(([id]) => id).filter((id) => id !== "");
  const { data } = useAnswer(ids.join(" "), (signal) => storiesOf(ids, signal));
  return (
    <ol class="coverage">
      {groups.map(([id, members]) => (
        <li key={id}>
          <Group id={id} story={data?.get(id)} members={members} />
        </li>
      ))}
    </ol>
  );
}

function Group({ id, story, members }: { id: string; story: Story | undefined; members: Found[] }) {
  const isAlone = story !== undefined && story.documentCount <= 1n;
  return (
    <section>
      {!isAlone && (
        <h3>
          <a href={toStory(id)}>{story?.title || members[0]?.document.title || id}</a>
          {story && (
            <span class="hint">
              {counted(story.documentCount, "document")} from {counted(story.sources.length, "outlet")}
            </span>
          )}
        </h3>
      )}
      <ul>
        {members.map(({ document, score, text, copies }, at) => (
          <li key={`${document.documentId} ${at}`} class="found">
            <span class="score" title="Probability that an editor would call it related">
              {share(score)}
            </span>
            <div>
              <p class="title">
                <DocumentLink document={document} />
              </p>
              <p class="about">
                <Origin document={document} />
                {copies > 0 && <span class="original">and {counted(copies, "copy", "copies")} of it</span>}
              </p>
              {text && <p class="excerpt">{text}</p>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
