/** Whether a text is nothing but an address. */
export function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text);
}
