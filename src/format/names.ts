/**
 * Names of files as an image stores them: bytes, which need not be UTF-8. As text, each byte that is not
 * part of UTF-8 is a surrogate on its own, U+DC00 and the byte, so that no byte is lost.
 */

const ESCAPE = 0xdc00;
const ESCAPED = /[\udc80-\udcff]/u;

/** A stored name as text, up to its first NUL byte. */
export function nameOf(stored: Uint8Array): string {
  const nul = stored.indexOf(0);
  const bytes = nul < 0 ? stored : stored.subarray(0, nul);
  let name = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    name += length === 0
      ? String.fromCharCode(ESCAPE + (bytes[at] as number))
      : decoder.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return name;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The bytes of a name. */
export function nameBytes(name: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of name) {
    if (ESCAPED.test(character)) bytes.push(character.charCodeAt(0) - ESCAPE);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Whether the bytes of a name are UTF-8. */
export function isUtf8Name(name: string): boolean {
  return !ESCAPED.test(name);
}

/** A name for a person: a byte that is not UTF-8 is written as `\xe4`. */
export function shownName(name: string): string {
  return name.replace(/[\udc80-\udcff]/gu, (unit) => {
    return `\\x${(unit.charCodeAt(0) - ESCAPE).toString(16)}`;
  });
}

/** A stored name in quotes, for a person. */
export function quotedName(stored: Uint8Array): string {
  return JSON.stringify(nameOf(stored)).replaceAll(/(?<!\\)\\udc([89a-f][0-9a-f])/g, "\\x$1");
}

/** The least and the greatest second byte after the lead bytes for which they are not 0x80 and 0xbf. */
const SECOND: ReadonlyMap<number, readonly [number, number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

/** Bytes of the UTF-8 sequence at a place; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const [least, greatest] = SECOND.get(lead) ?? [0x80, 0xbf];
  const second = bytes[at + 1] ?? 0;
  if (second < least || second > greatest) return 0;
  const rest = bytes.subarray(at + 2, at + length);
  return rest.length === length - 2 && rest.every((byte) => (byte & 0xc0) === 0x80) ? length : 0;
}
