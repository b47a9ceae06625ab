// Every view in a real browser against the real program: opened, used, photographed
// (target/desk), and checked for accessibility.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { late, pasted, reuters, strike } from "./articles.mjs";
import { launch, look, open } from "./browser.mjs";
import { pages, repository, serve } from "./server.mjs";

const NEWSWIRE = Number(process.env.DESK_REUTERS ?? 300);
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

let server;
let elsewhere;
let browser;

before(async () => {
  server = await serve(["--fetch", "--fetch-network", "127.0.0.1", "--fetch-delay", "0s"]);
  elsewhere = await pages({ "/strike": strike[2], "/furnace": late });
  browser = await launch();
  await server.ingest(await reuters(NEWSWIRE));
  await server.run("ingest", join(repository, "seeds"));
  await server.ingest(strike);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  elsewhere?.stop();
});

/** A page of this server. */
const view = (options) => open(browser, { origin: server.web, ...options });

const heading = (page, name) => page.getByRole("heading", { level: 1, name });

test("what comes in appears by itself, with its verdict", async () => {
  const { page, close } = await view();
  await page.goto(server.web);
  await page.getByRole("link", { name: strike[0].title, exact: true }).first().waitFor();
  const rows = page.locator(".rows > li");
  assert.match(await rows.filter({ hasText: "The Gazette" }).textContent(), /Near copy/);
  assert.match(await rows.filter({ hasText: "Coast Tribune" }).textContent(), /New/);
  await look(page, "incoming");
  await server.ingest([late]);
  await page.getByRole("link", { name: late.title }).waitFor();
  assert.match(await page.getByRole("status").textContent(), /1 new document/);
  await page.getByLabel("Without copies").check();
  assert.equal(await rows.filter({ hasText: "Eastport Courier" }).count(), 0);
  await rows.getByRole("link", { name: "Coast Tribune" }).click();
  await heading(page, "Incoming from Coast Tribune").waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".rows > li").length === 1);
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByRole("button", { name: "Paused" }).waitFor();
  await close();
});

test("rows are walked through and opened by the keyboard", async () => {
  const { page, close } = await view();
  await page.goto(server.web);
  const first = page.locator(".rows a.title").first();
  await first.focus();
  const title = await page.locator(".rows a.title").nth(1).textContent();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await heading(page, title).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("type")), "search");
  await close();
});

test("a pasted text is shown beside what it copies, with the facts that differ", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/check`);
  await heading(page, "Have we had this one?").waitFor();
  await look(page, "check-empty");
  await page.getByLabel(/A text, or the address/).fill(pasted);
  await page.keyboard.press("Control+Enter");
  const sides = page.getByRole("region", { name: "Side by side" });
  await sides.waitFor();
  const shared = (side) => sides.locator(`.pair > .${side}`, { hasText: "cranes" }).locator("mark").allTextContents();
  assert.match((await shared("right")).join(" "), /keep the cranes running/);
  assert.deepEqual(await shared("right"), await shared("left"));
  const conflicts = await sides.getByRole("list", { name: "Differing facts" }).first().textContent();
  assert.match(conflicts, /2,?300.*2,?900/);
  await page.getByRole("heading", { name: "Related coverage" }).waitFor();
  await look(page, "check");
  await close();
});

test("an address leads to what is stored under it, or says that nothing is", async () => {
  const { page, close } = await view();
  await page.goto(server.web);
  await page.getByRole("searchbox").fill(strike[0].url);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Stored under this address" }).waitFor();
  await page.getByRole("group", { name: "Compare with" }).getByRole("button", { name: /Daily Ledger/ }).click();
  await page.getByRole("region", { name: "Side by side" }).locator(".conflicts", { hasText: "19" }).first().waitFor();
  await look(page, "check-address");
  // The field at the top is empty again, ready for the next question.
  assert.equal(await page.getByRole("searchbox").inputValue(), "");
  await page.locator(".rows a.title").first().click();
  await heading(page, strike[0].title).waitFor();
  await page.goto(`${server.web}#/check?url=https%3A%2F%2Fnowhere.example%2F`);
  await page.getByText("No stored document has this address.").waitFor();
  await look(page, "check-address-unknown");
  await close();
});

test("a page that is not stored is fetched, and shown beside what it copies", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/check`);
  const field = page.getByLabel(/A text, or the address/);
  await field.fill(`${elsewhere.address}/strike`);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("heading", { name: "We have had this" }).waitFor();
  const sides = page.getByRole("region", { name: "Side by side" });
  await sides.getByRole("heading", { name: /^The page at 127\.0\.0\.1/ }).waitFor();
  assert.match((await sides.locator(".pair mark").allTextContents()).join(" "), /harbour/);
  await page.getByRole("link", { name: strike[3].title }).first().waitFor();
  await look(page, "check-fetched");
  await field.fill(`${elsewhere.address}/nothing`);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").filter({ hasText: "its host answered 404" }).waitFor();
  await look(page, "check-not-fetched");
  // A link may be anybody's: what it names is fetched when somebody says so.
  await page.goto("about:blank");
  await page.goto(`${server.web}#/check?url=${encodeURIComponent(`${elsewhere.address}/furnace`)}`);
  const wanted = page.getByRole("button", { name: "Fetch the page" });
  await wanted.waitFor();
  assert.deepEqual(elsewhere.asked.filter((path) => path === "/furnace"), []);
  await wanted.click();
  await page.getByRole("heading", { name: /^(New|We have had this)$/ }).waitFor();
  await close();
});

test("a saved page is read by the server", async () => {
  const file = join(server.folder, "page.html");
  const paragraphs = strike[0].paragraphs.map((it) => `<p>${it}</p>`).join("");
  await writeFile(file, `<html><head><title>Strike</title></head><body><article>${paragraphs}</article></body></html>`);
  const { page, close } = await view();
  await page.goto(`${server.web}#/check`);
  await page.locator("input[type=file]").setInputFiles(file);
  await page.getByRole("heading", { name: "We have had this" }).waitFor();
  await close();
});

test("a document shows its text, its copies and related coverage", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/document/wire-strike`);
  await heading(page, strike[0].title).waitFor();
  await page.getByRole("heading", { name: /copies and versions/ }).waitFor();
  await page.getByRole("link", { name: strike[3].title }).first().waitFor();
  await look(page, "document");
  await close();
});

test("an update is shown beside what it updates", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/compare/wire-strike/wire-strike-2`);
  await heading(page, "Side by side").waitFor();
  const conflicts = await page.locator(".conflicts").allTextContents();
  assert.match(conflicts.join(" "), /14.*19/);
  await look(page, "compare");
  await close();
});

test("a question is answered by stories", async () => {
  const { page, close } = await view();
  await page.goto(server.web);
  await page.getByRole("searchbox").fill("ammunition from North Korea for Russia");
  await page.keyboard.press("Enter");
  await page.getByText(/passages? in/).waitFor();
  assert.match(page.url(), /#\/related\?q=ammunition/);
  await look(page, "related");
  await close();
});

test("stories are listed, and one tells who had it first and how it spread", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/stories`);
  await heading(page, "Stories").waitFor();
  await page.locator(".stories > li").first().waitFor();
  await look(page, "stories");
  await page.locator(".stories a").filter({ hasText: /Eastport/ }).first().click();
  await page.getByText("had it first").waitFor();
  assert.match(await page.locator(".first").textContent(), /^Northern Wire had it first/);
  const plot = page.locator("figure.spread svg").first();
  assert.ok((await plot.locator("a").count()) >= 4, "a link for each document");
  await look(page, "story");
  await close();
});

test("the map is zoomed, searched, and its place is a link", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/map`);
  const map = page.getByRole("application");
  await map.waitFor();
  await page.locator(".around li a").first().waitFor();
  await look(page, "map");
  await map.focus();
  for (const key of ["+", "+", "ArrowRight"]) await page.keyboard.press(key);
  await page.waitForURL(/k=2\.25/);
  const place = page.url();
  await look(page, "map-near");
  await page.goto("about:blank");
  await page.goto(place);
  await page.locator(".around h2").waitFor();
  await page.waitForTimeout(500);
  assert.equal(page.url(), place);
  await page.getByLabel("Search on the map").fill("dock workers on strike");
  await page.keyboard.press("Enter");
  await page.getByText(/documents? marked/).waitFor();
  await look(page, "map-search");
  await close();
});

test("the state of the corpus is told", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/state`);
  await page.getByText("all-MiniLM").waitFor();
  await look(page, "state");
  await close();
});

test("what is not there is said, with a way on", async () => {
  const { page, close } = await view();
  await page.goto(`${server.web}#/nonsense`);
  await heading(page, "Nothing here").waitFor();
  await page.goto(`${server.web}#/document/missing`);
  await page.getByRole("alert").waitFor();
  await look(page, "document-unknown");
  await close();
});

const EVERY = {
  incoming: ["", ".rows > li"],
  check: ["check", "textarea"],
  document: ["document/gazette-strike", ".sides"],
  compare: ["compare/wire-strike/wire-strike-2", ".sides"],
  related: ["related?q=port%20strike", ".coverage li"],
  stories: ["stories", ".stories > li"],
  map: ["map", ".around li a"],
  state: ["state", "dl"],
};

for (const [name, options] of [
  ["dark", { colorScheme: "dark" }],
  ["phone", PHONE],
]) {
  test(`every view stands in ${name}`, async () => {
    const { page, close } = await view(options);
    for (const [view, [path, sign]] of Object.entries(EVERY)) {
      await page.goto(`${server.web}#/${path}`);
      await page.locator(sign).first().waitFor();
      const [room, taken] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
      assert.ok(taken <= room, `${view} is ${taken} wide where there is room for ${room}`);
      await look(page, `${view}-${name}`);
    }
    await page.goto(`${server.web}#/stories`);
    await page.locator(".stories a").filter({ hasText: /Eastport/ }).first().click();
    await page.locator("figure.spread svg").first().waitFor();
    await look(page, `story-${name}`);
    await close();
  });
}

test("an empty corpus says so in every view, and tokens are asked for", async () => {
  const tokens = join(server.folder, "tokens.txt");
  const { stdout } = await server.run("token", "new", "--right", "read", "--json");
  const { token, line } = JSON.parse(stdout);
  await writeFile(tokens, `${line}\n`);
  const empty = await serve(["--tokens", tokens]);
  const { page, close } = await open(browser, { origin: empty.web });
  await page.goto(empty.web);
  await page.getByLabel("This server asks for a token").waitFor();
  await look(page, "token");
  await page.getByLabel("This server asks for a token").fill("nonsense");
  await page.keyboard.press("Enter");
  await page.getByLabel(/does not know this token/).fill(token);
  await page.keyboard.press("Enter");
  await page.getByText("Nothing has come in yet.").waitFor();
  await look(page, "incoming-empty");
  for (const [path, words] of [
    ["stories", "No story has that much coverage yet."],
    ["map", "There is nothing to draw yet."],
    ["related?q=anything", "Nothing is stored yet that answers to it."],
  ]) {
    await page.goto(`${empty.web}#/${path}`);
    await page.getByText(words).waitFor();
  }
  await page.goto(`${empty.web}#/check?url=https%3A%2F%2Fnowhere.example%2F`);
  await page.getByRole("button", { name: "Fetch the page" }).click();
  await page.getByText("this server fetches no pages").waitFor();
  await look(page, "check-fetches-nothing");
  await close();
  await empty.stop();
});
