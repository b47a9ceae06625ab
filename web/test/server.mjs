// A real server over a temporary corpus, with the desk; and one of the web, with pages.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

export const repository = resolve(import.meta.dirname, "../..");
const program = resolve(repository, process.env.COPYDESK_PROGRAM ?? "target/debug/copydesk");
const run = promisify(execFile);

/** Starts a server, over an empty corpus if none is named; ends with `stop()`. */
export async function serve(options = [], corpus = undefined) {
  const folder = await mkdtemp(join(tmpdir(), "desk-"));
  const data = corpus ?? join(folder, "corpus");
  const listening = ["--listen", "127.0.0.1:0", "--web", "127.0.0.1:0"];
  const child = spawn(program, ["serve", "--json", "--data", data, ...listening, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const { stage, address } = JSON.parse(line);
    said[stage] = address;
    if (stage === "ready") break;
  }
  if (!said.ready) throw new Error("the server ended before it was ready");
  return {
    address: said.ready,
    web: `http://${said.desk}/`,
    folder,
    /** Runs a command of the program against this server. */
    run: async (...args) => run(program, args, { env: { ...process.env, COPYDESK_SERVER: `http://${said.ready}` } }),
    /** Takes articles in, in their order. */
    async ingest(articles) {
      const file = join(folder, "articles.jsonl");
      await writeFile(file, articles.map((article) => `${JSON.stringify(article)}\n`).join(""));
      await this.run("ingest", file);
    },
    async stop() {
      child.kill("SIGTERM");
      await new Promise((ended) => child.once("exit", ended));
      await rm(folder, { recursive: true });
    },
  };
}

/** Serves articles as pages, by their paths. */
export async function pages(articles) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const article = articles[request.url];
    if (!article) {
      response.writeHead(404).end();
      return;
    }
    const paragraphs = article.paragraphs.map((it) => `<p>${it}</p>`).join("");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>${article.title}</title><article><h1>${article.title}</h1>${paragraphs}</article>`);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    /** The paths that were asked for. */
    asked,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
