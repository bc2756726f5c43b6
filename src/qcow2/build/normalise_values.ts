import { utf8 } from "../../bytes/mod.ts";
import { extensionTypes } from "../structures.ts";

/** The remainder of an index by `count`, which is above 0: a valid index is unchanged. */
export function wrap(index: number, count: number): number {
  return Number.isFinite(index) ? Math.trunc(Math.abs(index)) % count : 0;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// deno-lint-ignore no-control-regex
const PLAIN = /^[\x01-\x7f]*$/;

/** The text without NULs and lone surrogates, cut to at most `max` bytes of UTF-8. */
export function cleanText(text: string, max: number): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  const clean = text.replaceAll("\0", "").toWellFormed();
  const bytes = utf8(clean);
  if (bytes.length <= max) return clean;
  let end = Math.max(0, max);
  while (end > 0 && continues(bytes[end])) end--;
  return decoder.decode(bytes.subarray(0, end));
}

/** Whether a byte of UTF-8 continues a character. */
function continues(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte < 0xc0;
}

/**
 * The name, or the name with the first number appended that makes it distinct from all names so
 * far.
 */
export function uniqueName(name: string, used: Set<string>, max: number): string {
  let unique = name;
  for (let i = 1; unique === "" || used.has(unique); i++) {
    unique = cleanText(name, max - `${i}`.length) + i;
  }
  used.add(unique);
  return unique;
}

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(extensionTypes));

/** The first type from `type` on that has no meaning and is not in use. */
export function unknownType(type: number, used: Set<number>): number {
  let unknown = type >>> 0;
  while (KNOWN_TYPES.has(unknown) || used.has(unknown)) unknown = (unknown + 1) >>> 0;
  used.add(unknown);
  return unknown;
}
