// How fast the desk is over a large corpus:
//
//     cargo bench --bench desk -- DIR 100000
//     COPYDESK_PROGRAM=target/release/copydesk npm run measure -- DIR/desk-100000
//
// prints how long the map takes to be drawn and how large it is, how long each view takes to open
// in a headless Chromium (from a click to what it shows, with nothing cached), and how long frames
// of the map take while it is moved and zoomed. Each is done several times; the best counts, and
// the median stands beside it.
import { resolve } from "node:path";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

const TIMES = Number(process.env.DESK_TIMES ?? 5);
const PATIENCE = 60_000;

const [corpus] = process.argv.slice(2);
if (!corpus) {
  console.error("usage: npm run measure -- FOLDER");
  process.exit(2);
}

const server = await serve([], resolve(process.env.INIT_CWD ?? ".", corpus));
const browser = await launch();
try {
  for (const when of ["first", "again"]) await map(when);
  const id = await some();
  const views = {
    incoming: ["", ".rows > li"],
    document: [`document/${id.document}`, ".text"],
    story: [`story/${id.story}`, "figure.spread svg, .timeline li"],
    stories: ["stories", ".stories > li"],
    "stories of two": ["stories?min=2", ".stories > li"],
    related: ["related?q=interest%20rates%20in%20Europe", ".coverage li"],
    map: ["map", ".around li a"],
    state: ["state", ".state dl"],
  };
  for (const [name, [path, sign]] of Object.entries(views)) await opening(name, path, sign);
  await frames();
} finally {
  await browser.close();
  await server.stop();
}

/** Prints a row: the best of some times, and the median. */
function tell(name, times, more = "") {
  const sorted = [...times].sort((a, b) => a - b);
  const [best, median] = [sorted[0] ?? NaN, sorted[sorted.length >> 1] ?? NaN];
  console.log(`${name.padEnd(28)} ${best.toFixed(0).padStart(7)} ms  (median ${median.toFixed(0)})  ${more}`);
}

/** Asks for the map as the page does (gRPC-web, an empty message). */
async function map(when) {
  const begun = performance.now();
  const answer = await fetch(`${server.web}copydesk.v1.SimilarityService/MapDocuments`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" },
    body: new Uint8Array(5),
  });
  let bytes = 0;
  let first;
  for await (const chunk of answer.body) {
    first ??= performance.now() - begun;
    bytes += chunk.length;
  }
  const all = performance.now() - begun;
  tell(`MapDocuments, ${when} call`, [all], `first answer ${first?.toFixed(0)} ms, ${(bytes / 1e6).toFixed(2)} MB`);
}

/** A story of several documents, and the one of them that came last. */
async function some() {
  const lines = async (...asked) => {
    const { stdout } = await server.run(...asked, "--json");
    return stdout.trim().split("\n").map((line) => JSON.parse(line));
  };
  const [{ story_id: story }] = await lines("stories", "--min-documents", "3", "--limit", "1");
  const [{ documents }] = await lines("story", story);
  return { story, document: documents.at(-1).document_id };
}

async function opening(name, path, sign) {
  const times = [];
  for (let time = 0; time < TIMES; time += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    const page = await context.newPage();
    const begun = performance.now();
    await page.goto(`${server.web}#/${path}`);
    await page.locator(sign).first().waitFor({ timeout: PATIENCE });
    times.push(performance.now() - begun);
    await context.close();
  }
  tell(`opening: ${name}`, times);
}

async function frames() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  await page.goto(`${server.web}#/map`);
  await page.locator(".around li a").first().waitFor({ timeout: PATIENCE });
  const canvas = page.locator("canvas[role=application]");
  const box = await canvas.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const moves = {
    pan: async () => {
      await page.mouse.move(x, y);
      await page.mouse.down();
      for (let step = 0; step < 60; step += 1) await page.mouse.move(x + 3 * Math.sin(step / 5) * step, y + step);
      await page.mouse.up();
    },
    zoom: async () => {
      await page.mouse.move(x, y);
      for (let step = 0; step < 60; step += 1) await page.mouse.wheel(0, step < 30 ? -40 : 40);
    },
    hover: async () => {
      for (let step = 0; step < 60; step += 1) await page.mouse.move(x + 2 * step, y + step);
    },
  };
  for (const [name, move] of Object.entries(moves)) {
    await page.evaluate(() => {
      const seen = { times: [], goesOn: true };
      globalThis.seen = seen;
      let last = performance.now();
      const frame = (now) => {
        seen.times.push(now - last);
        last = now;
        if (seen.goesOn) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    await move();
    const times = await page.evaluate(() => {
      globalThis.seen.goesOn = false;
      return globalThis.seen.times.slice(1);
    });
    const sorted = times.sort((a, b) => a - b);
    const at = (share) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(1);
    console.log(`frames, ${name.padEnd(20)} ${at(0.5)} ms, of twenty the slowest ${at(0.95)} ms (${times.length} frames)`);
  }
  await context.close();
}
