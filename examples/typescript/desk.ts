// Feeds the seeds to a copydesk server in one stream, and asks what it makes of them.
//
//     node dist/desk.js --server 127.0.0.1:7151 [--token TOKEN] [--ca ca.pem]

import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { CorpusService, IngestDocumentsRequestSchema, IngestOutcome } from "./gen/copydesk/v1/corpus_pb.js";
import { PassageKind, Verdict } from "./gen/copydesk/v1/document_pb.js";
import { SimilarityService } from "./gen/copydesk/v1/similarity_pb.js";

const SEEDS = fileURLToPath(new URL("../../../seeds", import.meta.url));
const BAD = "nothing-but-white-space";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "127.0.0.1:7151" },
    token: { type: "string" },
    ca: { type: "string" },
  },
});

const withToken: Interceptor = (next) => (request) => {
  if (values.token !== undefined) request.header.set("authorization", `Bearer ${values.token}`);
  return next(request);
};
const transport = createGrpcTransport({
  baseUrl: `${values.ca === undefined ? "http" : "https"}://${values.server}`,
  interceptors: [withToken],
  nodeOptions: values.ca === undefined ? {} : { ca: await readFile(values.ca) },
});
const corpus = createClient(CorpusService, transport);
const similarity = createClient(SimilarityService, transport);

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`unexpected: ${what}`);
}

type Request = MessageInitShape<typeof IngestDocumentsRequestSchema>;

async function* requests(names: string[]): AsyncGenerator<Request> {
  for (const name of names) {
    const text = name === BAD ? " \n\t " : await readFile(join(SEEDS, `${name}.txt`), "utf8");
    const document = { documentId: name, body: { case: "text" as const, value: text } };
    yield create(IngestDocumentsRequestSchema, { requestId: name, ingest: { document } });
  }
}

// All seeds in one stream, with a bad document among them.
const names = (await readdir(SEEDS)).filter((name) => name.endsWith(".txt")).sort().map((name) => basename(name, ".txt"));
names.splice(1, 0, BAD);
const answered: string[] = [];
for await (const answer of corpus.ingestDocuments(requests(names), { timeoutMs: 300_000 })) {
  answered.push(answer.requestId);
  if (answer.requestId === BAD) {
    expect(answer.outcome.case === "error", `${BAD} was taken in`);
    const { code, violations } = answer.outcome.value;
    console.log(`${BAD}\n  refused: ${Code[code]}, ${violations[0]?.field} ${violations[0]?.description}`);
    expect(code === Code.InvalidArgument && violations[0]?.field === "document.text", `${BAD}: ${code}`);
  } else {
    expect(answer.outcome.case === "result", `${answer.requestId} was refused`);
    const { outcome, verdict } = answer.outcome.value;
    console.log(`${answer.requestId}\n  ${IngestOutcome[outcome]}, ${Verdict[verdict?.verdict ?? 0]}`);
    expect(outcome === IngestOutcome.CREATED, answer.requestId);
  }
}
expect(answered.join() === names.join(), "answers are not one for each request, in order");

// A stored paragraph, edited lightly: where does it stand already?
const { passages } = await corpus.getDocument({ documentId: names[0] });
const original = passages
  .filter((passage) => passage.kind === PassageKind.BODY)
  .reduce((longest, passage) => (passage.text.length > longest.text.length ? passage : longest));
const edited = original.text.replaceAll(" and ", " as well as ");
expect(edited !== original.text, "nothing to edit");
const { matches } = await similarity.findDuplicates({ query: { case: "text", value: edited }, limit: 3 });
console.log(`\nA copy of ${original.passageId}, edited:`);
for (const match of matches) {
  console.log(`  ${match.probability.toFixed(3)}  ${Verdict[match.verdict]}  ${match.passage?.passageId}`);
}
expect(matches[0]?.passage?.passageId === original.passageId, "the edited copy was not recognised");

// Who else covers it?
const related = await similarity.findRelatedDocuments({ query: { case: "documentId", value: answered[0] ?? "" } });
console.log(`\nRelated to ${answered[0]}:`);
for (const { document, score } of related.documents) console.log(`  ${score.toFixed(3)}  ${document?.title}`);
expect(related.documents.length > 0, "nothing is related");

// What is refused says why, to people and to programs.
try {
  await corpus.getDocument({ documentId: "unknown" });
  expect(false, "an unknown document was found");
} catch (error) {
  expect(error instanceof ConnectError && error.code === Code.NotFound, String(error));
  console.log(`\n${error.message}`);
}
