// What comes in during the tests: one story that spreads, the seeds, and, where they are there,
// reports of the Reuters newswire.
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { repository } from "./server.mjs";

const LEAD =
  "Dock workers in the northern harbour of Eastport walked out on Monday over a new shift system, " +
  "halting the unloading of 14 container ships and leaving 2,300 trucks waiting at the gates.";
const TALKS =
  "Talks between the dockers' union and the harbour company broke down shortly after midnight, union " +
  "leader Maria Lindqvist told reporters, because the company would not put its offer of a 3.5 percent " +
  "rise into writing.";
const COMPANY =
  "The harbour company said the new shifts were needed to keep the cranes running around the clock, as " +
  "its competitors on the southern coast had done since last year.";
const TRADE =
  "Importers warned that fresh fruit worth some 40 million would spoil within days, and two supermarket " +
  "chains said that they were looking for other ways to bring in bananas and citrus.";
const MINISTER =
  "Transport minister Paul Okafor offered to mediate and invited both sides to his office on Wednesday.";

const at = (day, hour, minute = 0) => new Date(Date.UTC(2024, 4, day, hour, minute)).toISOString();

/** A wire's report, its copies, a later version of it, and what others found out themselves. */
export const strike = [
  {
    id: "wire-strike",
    title: "Dock strike halts Eastport harbour",
    source: "Northern Wire",
    date: at(6, 6, 10),
    url: "https://wire.example/eastport-strike",
    paragraphs: [LEAD, TALKS, COMPANY, TRADE, MINISTER],
    labels: { desk: "economy" },
  },
  {
    id: "courier-strike",
    title: "Dock strike halts Eastport harbour",
    source: "Eastport Courier",
    date: at(6, 7, 30),
    paragraphs: [LEAD, TALKS, COMPANY, TRADE, MINISTER],
  },
  {
    id: "gazette-strike",
    title: "Eastport: dockers walk out",
    source: "The Gazette",
    date: at(6, 9, 5),
    paragraphs: [LEAD.replace("walked out on Monday", "downed tools on Monday"), TALKS, TRADE],
  },
  {
    id: "tribune-strike",
    title: "Bananas wait at the quay as Eastport dockers refuse night shifts",
    source: "Coast Tribune",
    date: at(6, 12, 45),
    paragraphs: [
      "No crane moved in Eastport's northern harbour on Monday: the dockers are on strike against night shifts " +
        "that would split their families' weekends, several of them told the Tribune at the gates.",
      "A driver with a load of citrus said that he had been waiting in his truck since four in the morning and " +
        "that nobody from the harbour company had come out to speak to the queue.",
      "Union leader Maria Lindqvist called the shift plan an insult and said that the strike could last for weeks.",
    ],
  },
  {
    id: "wire-strike-2",
    title: "Dock strike halts Eastport harbour, minister mediates",
    source: "Northern Wire",
    date: at(7, 8, 20),
    paragraphs: [
      LEAD.replace("14 container ships", "19 container ships"),
      TALKS,
      COMPANY,
      TRADE,
      MINISTER,
      "Okafor met both sides separately on Tuesday and said that he saw room for an agreement.",
      "The union said that it would ask its members on Thursday whether to go on.",
    ],
  },
  {
    id: "daily-strike",
    title: "Dock strike halts Eastport harbour, minister mediates",
    source: "Daily Ledger",
    date: at(7, 10),
    paragraphs: [
      LEAD.replace("14 container ships", "19 container ships"),
      TALKS,
      COMPANY,
      TRADE,
      MINISTER,
      "Okafor met both sides separately on Tuesday and said that he saw room for an agreement.",
    ],
  },
];

/** What is pasted: the first report with another figure, and a character of two code units before
 * words that are shared. */
export const pasted = [LEAD.replace("2,300 trucks", "2,900 trucks"), TALKS, `\u{1f3d7} ${COMPANY}`].join("\n");

/** One that comes in while somebody looks. */
export const late = {
  id: "late",
  title: "Glassmakers of Ostrava reopen their oldest furnace",
  source: "Craft Weekly",
  date: at(8, 9),
  paragraphs: ["The oldest furnace of the glassworks in Ostrava was lit again on Wednesday after three years of repairs."],
};

const stream = join(repository, "../shared/data/reuters21578/docs.jsonl.gz");

/** The first reports of the Reuters newswire, if they are there. */
export async function reuters(count) {
  if (!existsSync(stream)) {
    console.log(`# ${stream} is not there: without reports of the newswire`);
    return [];
  }
  const found = [];
  for await (const line of createInterface({ input: createReadStream(stream).pipe(createGunzip()) })) {
    if (found.length === count) break;
    const { id, title, date, paragraphs } = JSON.parse(line);
    const published = new Date(`${date.trim().replace(/\..*/, "")} UTC`);
    const dated = Number.isNaN(published.getTime()) ? {} : { date: published.toISOString() };
    found.push({ id, title, paragraphs, source: "Reuters", ...dated });
  }
  return found;
}
