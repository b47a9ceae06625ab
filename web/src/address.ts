import { go, to } from "./route";

/** Whether a text is nothing but an address. */
export function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text);
}

/** Addresses that somebody gave here. What only a link names is not fetched unasked: anybody can
 * write a link. */
const given = new Set<string>();

/** Leads to what is known of an address that somebody gave. */
export function check(address: string): void {
  given.add(address);
  go(to(["check"], { url: address }));
}

export function isGiven(address: string): boolean {
  return given.has(address);
}
