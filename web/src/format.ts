import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };
const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const day = new Intl.DateTimeFormat(undefined, DAY);
const dayAndTime = new Intl.DateTimeFormat(undefined, { ...DAY, ...TIME });
const time = new Intl.DateTimeFormat(undefined, { ...TIME, second: "2-digit" });
const count = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const size = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

export function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}

/** A date, with its time unless it is midnight: then only the day is known. */
export function moment(date: Date): string {
  return date.getTime() % 86_400_000 === 0 ? dayUtc.format(date) : dayAndTime.format(date);
}

const dayUtc = new Intl.DateTimeFormat(undefined, { ...DAY, timeZone: "UTC" });

/** The time if it is today, else the day as well. */
export function arrival(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? time.format(date) : dayAndTime.format(date);
}

export const days = (date: Date) => day.format(date);
export const number = (value: number | bigint) => count.format(value);
export const share = (value: number) => percent.format(value);

export function bytes(value: bigint | number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let rest = Number(value);
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${size.format(rest)} ${units[unit]}`;
}

/** "1 document", "2 documents". */
export function counted(value: number | bigint, one: string, many = `${one}s`): string {
  return `${number(value)} ${Number(value) === 1 ? one : many}`;
}

/** How long after something that something else was. */
export function later(first: Date, then: Date): string {
  const minutes = Math.round((then.getTime() - first.getTime()) / 60_000);
  if (minutes < 1) return "at the same time";
  if (minutes < 60) return `${counted(minutes, "minute")} later`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return `${counted(hours, "hour")} later`;
  return `${counted(Math.round(hours / 24), "day")} later`;
}
