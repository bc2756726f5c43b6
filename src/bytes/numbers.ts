/** Bytes of a sector: the unit of disks, and of most encryption. */
export const SECTOR = 512;

/** `value` rounded down to a multiple of `unit`; exact for any offset in a number. */
export function roundDown(value: number, unit: number): number {
  return value - value % unit;
}

/** `value` rounded up to a multiple of `unit`; exact for any offset in a number. */
export function roundUp(value: number, unit: number): number {
  const over = value % unit;
  return over === 0 ? value : value - over + unit;
}

/** A number in hexadecimal (`0x200`) with a minimum number of digits. */
export function hex(value: number | bigint, digits = 0): string {
  return `0x${hexDigits(value).padStart(digits, "0")}`;
}

const LOW = 2 ** 24;

/** V8 writes small integers much faster than others. */
function hexDigits(value: number | bigint): string {
  if (typeof value === "bigint" || value < 2 ** 31) return value.toString(16);
  return Math.floor(value / LOW).toString(16) + (value % LOW).toString(16).padStart(6, "0");
}

/** All bytes in lower-case hexadecimal. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes in lower-case hexadecimal, with an optional separator. */
export function hexOf(bytes: Uint8Array, separator = ""): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    if (at > 0) text += separator;
    text += HEX[bytes[at] as number];
  }
  return text;
}

const encoder = new TextEncoder();

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Concatenates bytes. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    joined.set(part, at);
    return at + part.length;
  }, 0);
  return joined;
}

/** Whether bytes start with others. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  // A function for each byte would take ten times as long.
  for (let at = 0; at < prefix.length; at++) if (prefix[at] !== bytes[at]) return false;
  return true;
}

/** The integer nearest to `value` in a range; the smallest one for NaN. */
export function clamp(value: number, min: number, max: number): number {
  return value >= max ? max : value > min ? Math.trunc(value) : min;
}

/** The text before the first separator, and the text after it if there is one. */
export function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
