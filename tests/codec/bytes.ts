/** The bytes that a string of hexadecimal digits stands for; white space is skipped. */
export function fromHex(digits: string): Uint8Array {
  const pairs = digits.replace(/\s+/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** Text over and over, cut to a length in bytes. */
export function repeated(text: string, length: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0);
}

/** The sentence of which the streams in the tests were made. */
export const SENTENCE = "The quick brown fox jumps over the lazy dog. ";
