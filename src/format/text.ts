/**
 * Text in an image as qemu-img shows it: cut at the first NUL and decoded as UTF-8. A stray byte and a
 * truncated, overlong or surrogate sequence each become one U+FFFD.
 *
 * QEMU util/unicode.c, mod_utf8_codepoint, whose replacement rule is not that of `TextDecoder`.
 */
export function imageText(stored: Uint8Array): string {
  const nul = stored.indexOf(0);
  const text = nul < 0 ? stored : stored.subarray(0, nul);
  let decoded = "";
  for (let at = 0; at < text.length;) {
    const [character, length] = characterAt(text, at);
    decoded += character;
    at += length;
  }
  return decoded;
}

const REPLACEMENT = "\ufffd";
/** Smallest code point that may be encoded in the given number of bytes. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000];

function characterAt(text: Uint8Array, at: number): [string, number] {
  const lead = text[at] as number;
  if (lead < 0x80) return [String.fromCharCode(lead), 1];
  const expected = sequenceLength(lead);
  if (expected === 0) return [REPLACEMENT, 1];
  let code = lead & (0x7f >> expected);
  for (let i = 1; i < expected; i++) {
    const next = text[at + i];
    if (next === undefined || (next & 0xc0) !== 0x80) return [REPLACEMENT, i];
    code = code * 64 + (next & 0x3f);
  }
  // QEMU treats the two bytes C0 80 as NUL, as Java does.
  if (expected === 2 && code === 0) return ["\0", 2];
  const valid = code >= (SMALLEST[expected] as number) && code <= 0x10ffff &&
    !(code >= 0xd800 && code <= 0xdfff) && !isNoncharacter(code);
  return [valid ? String.fromCodePoint(code) : REPLACEMENT, expected];
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0 || lead >= 0xfe) return 0;
  for (let length = 2; length <= 6; length++) {
    if ((lead & (0x80 >> length)) === 0) return length;
  }
  return 0;
}

function isNoncharacter(code: number): boolean {
  return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
}

const strict = new TextDecoder("utf-8", { fatal: true });
const DELETE = 0x7f;

/** UTF-8 without control characters; `undefined` for anything else. */
export function plainText(stored: Uint8Array): string | undefined {
  if (stored.some((byte) => byte < 0x20 || byte === DELETE)) return undefined;
  try {
    return strict.decode(stored);
  } catch {
    return undefined;
  }
}
