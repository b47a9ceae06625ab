// A headless Chromium from the registry of packages, and what every page is held to.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
import { repository } from "./server.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Pictures of all views, for people. */
export const pictures = join(repository, "target/desk");
await mkdir(pictures, { recursive: true });

// What loosens a browser is left out: the page is to be held to its policy. One process for all
// pages would end with the first of them.
const UNWANTED = /^--(disable-web-security|allow-running-insecure-content|disable-site-isolation-trials|single-process|no-zygote)$/;

export async function launch() {
  const args = chromium.args.filter((argument) => !UNWANTED.test(argument));
  return playwright.launch({ executablePath: await chromium.executablePath(), args });
}

/** A page that fails its test for whatever it complains about. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    bypassCSP: false,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.DESK_PATIENCE ?? 30_000));
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const elsewhere = [];
  page.on("request", (request) => {
    if (options.origin && !request.url().startsWith(options.origin)) elsewhere.push(request.url());
  });
  return {
    page,
    /** Nothing was complained about, nothing loaded from elsewhere. */
    async close() {
      await context.close();
      assert.deepEqual(complaints, [], "the browser complained");
      assert.deepEqual(elsewhere, [], "something was asked for elsewhere");
    },
  };
}

/** A picture, and the rules of accessibility (WCAG 2.2 AA) that a program can check. */
export async function look(page, name) {
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  // Evaluated by the debugger: the policy of the page does not let it be a script of its own.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(found, [], `${name} is not accessible`);
}
