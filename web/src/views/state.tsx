import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { admin, useAnswer } from "../api";
import { bytes, number, share } from "../format";
import type { GetServerInfoResponse } from "../gen/copydesk/v1/admin_pb";
import { Figure, Heading, Loaded, When } from "../parts/common";
import type { Place } from "../route";

/** How often it is looked at, in milliseconds. */
const EVERY = 5_000;

export function State(_: { place: Place }) {
  const answer = useAnswer("state", (signal) => admin.getServerInfo({}, { signal }));
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && answer.again(), EVERY);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <Heading title="State">State of the corpus</Heading>
      <Loaded answer={answer} what="the state">
        {(info) => <Info {...info} />}
      </Loaded>
    </>
  );
}

function Info({ version, model, nextModel, corpus, embedding, limits }: GetServerInfoResponse) {
  const texts = embedding ? embedding.embeddedTextCount + embedding.knownTextCount + embedding.recentTextCount : 0n;
  const spared = embedding && texts > 0n ? 1 - Number(embedding.embeddedTextCount) / Number(texts) : undefined;
  return (
    <div class="state">
      {corpus && (
        <section>
          <h2>Corpus</h2>
          <dl class="figures big">
            <Figure name="Documents">{number(corpus.documentCount)}</Figure>
            <Figure name="Stories">{number(corpus.storyCount)}</Figure>
            <Figure name="Passages">{number(corpus.passageCount)}</Figure>
            <Figure name="On disk">{bytes(corpus.diskBytes)}</Figure>
            <Figure name="Oldest">{corpus.oldestPublishedAt ? <When at={corpus.oldestPublishedAt} /> : "–"}</Figure>
          </dl>
        </section>
      )}
      {corpus && (
        <section>
          <h2>Index</h2>
          <dl class="figures big">
            <Figure name="Different texts">{number(corpus.distinctPassageCount)}</Figure>
            <Figure name="Segments">{number(corpus.indexSegmentCount)}</Figure>
            <Figure name="Found by a search for itself">
              {share(corpus.indexCoverage)}
              <meter min={0} max={1} low={0.95} optimum={1} value={corpus.indexCoverage} aria-hidden="true" />
            </Figure>
          </dl>
          <p class={corpus.backgroundWork.length > 0 ? "working" : "hint"}>
            {corpus.backgroundWork.length > 0
              ? `In the background: ${corpus.backgroundWork.join(", ")}`
              : "Nothing runs in the background."}
          </p>
        </section>
      )}
      {model && (
        <section>
          <h2>Model</h2>
          <dl class="facts">
            <Pair name="Name" value={<code>{model.modelId}</code>} />
            <Pair name="Components" value={number(model.dimension)} />
            <Pair name="Window" value={`${number(model.maxTokens)} tokens`} />
            <Pair name="Precision" value={model.precision} />
            <Pair name="Pooling" value={model.pooling} />
            <Pair name="Weights" value={<code title={model.weightsSha256}>{model.weightsSha256.slice(0, 12)}…</code>} />
          </dl>
          {nextModel && (
            <p class="working">
              Changing to <code>{nextModel.modelId}</code>: {share(nextModel.embeddedShare)}
            </p>
          )}
        </section>
      )}
      {embedding && (
        <section>
          <h2>Embedding</h2>
          <dl class="facts">
            <Pair name="Texts embedded" value={number(embedding.embeddedTextCount)} />
            {spared !== undefined && <Pair name="Did not have to be" value={share(spared)} />}
            <Pair name="Waiting" value={bytes(embedding.waitingBytes)} />
            <Pair name="Workers" value={number(embedding.workerCount)} />
          </dl>
        </section>
      )}
      {limits && (
        <section>
          <h2>Limits</h2>
          <dl class="facts">
            <Pair name="A document" value={bytes(limits.maxDocumentBytes)} />
            <Pair name="Its paragraphs" value={number(limits.maxParagraphsPerDocument)} />
            <Pair name="Answers" value={number(limits.maxLimit)} />
            <Pair name="Requests at once" value={number(limits.maxConcurrentRequests)} />
            <Pair name="Bytes at once" value={bytes(limits.maxConcurrentBytes)} />
            <Pair name="Pages fetched at once" value={number(limits.maxFetches)} />
          </dl>
        </section>
      )}
      <p class="hint">Copydesk {version}</p>
    </div>
  );
}

function Pair({ name, value }: { name: string; value: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
