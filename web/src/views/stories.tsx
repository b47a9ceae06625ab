import { ConnectError } from "@connectrpc/connect";
import { useState } from "preact/hooks";
import { story, useAnswer } from "../api";
import { counted, dateOf, days } from "../format";
import type { Story } from "../gen/copydesk/v1/story_pb";
import { Empty, Failure, Heading, Loaded } from "../parts/common";
import { amend, to, toStory, type Place } from "../route";

const PAGE = 50;
const SHOWN_SOURCES = 6;

/** What is covered, latest news first. */
export function Stories({ place }: { place: Place }) {
  const [least, setLeast] = useState(place.query.get("min") ?? "2");
  const [more, setMore] = useState<{ least: string; stories: Story[]; next: string }>();
  const [failure, setFailure] = useState<ConnectError>();
  const list = (pageToken: string, signal?: AbortSignal) =>
    story.listStories({ minDistinctDocuments: Number(least) || 0, pageSize: PAGE, pageToken }, { signal });
  const answer = useAnswer(least, (signal) => list("", signal));
  const choose = (value: string) => {
    amend(to(["stories"], { min: value }));
    setMore(undefined);
    setLeast(value);
  };
  return (
    <>
      <div class="headline">
        <Heading title="Stories">Stories</Heading>
        <div class="controls">
          <label>
            Covered at least{" "}
            <select value={least} onChange={(event) => choose(event.currentTarget.value)}>
              <option value="0">once</option>
              <option value="2">twice</option>
              <option value="3">3 times</option>
              <option value="5">5 times</option>
              <option value="10">10 times</option>
            </select>
          </label>
        </div>
      </div>
      <Loaded answer={answer} what="stories">
        {({ stories, nextPageToken }) => {
          const known = more?.least === least ? more : { stories: [], next: nextPageToken };
          const shown = [...stories, ...known.stories];
          const goOn = async () => {
            try {
              const page = await list(known.next);
              setMore({ least, stories: [...known.stories, ...page.stories], next: page.nextPageToken });
            } catch (error) {
              setFailure(ConnectError.from(error));
            }
          };
          if (shown.length === 0) {
            return (
              <Empty>
                <p>
                  <strong>No story has that much coverage yet.</strong>
                </p>
                <p>
                  <button type="button" onClick={() => choose("0")}>
                    Show all stories
                  </button>
                </p>
              </Empty>
            );
          }
          return (
            <>
              <ol class="stories">
                {shown.map((it) => (
                  <Card key={it.storyId} story={it} />
                ))}
              </ol>
              {failure && <Failure error={failure} />}
              {known.next && (
                <p class="more">
                  <button type="button" onClick={goOn}>
                    Show more
                  </button>
                </p>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Card({ story }: { story: Story }) {
  const first = dateOf(story.firstPublishedAt);
  const last = dateOf(story.lastPublishedAt);
  const copies = Number(story.documentCount - story.distinctDocumentCount);
  const rest = story.sources.length - SHOWN_SOURCES;
  const isOneDay = first && last && days(first) === days(last);
  return (
    <li>
      <h2>
        <a href={toStory(story.storyId)}>{story.title || story.storyId}</a>
      </h2>
      <p class="about">
        <span>
          {counted(story.distinctDocumentCount, "report")}
          {copies > 0 && `, ${counted(copies, "copy", "copies")}`}
        </span>
        {first && last && <span>{isOneDay ? days(first) : `${days(first)} to ${days(last)}`}</span>}
        {story.sources.length > 0 && (
          <span>
            {story.sources.slice(0, SHOWN_SOURCES).join(", ")}
            {rest > 0 && ` and ${rest} more`}
          </span>
        )}
      </p>
    </li>
  );
}
