import { type ByteSource, storedSize } from "../bytes/mod.ts";
import { Scratch } from "./arrays.ts";

/**
 * Zeros are not a valid stream for either decoder. Both detect this after at most so many zeros.
 */
export const ZEROS_THAT_TELL = 512;

const input = new Scratch();

/**
 * The bytes of a compressed stream, valid until the next call, with zeros past the end of the file. There are only as many
 * zeros as a decoder needs to reject the stream.
 */
export function compressedInput(
  source: ByteSource,
  extent: { offset: number; length: number },
): Uint8Array {
  const { offset, length } = extent;
  const beyond = offset >= source.size;
  const bytes = input.take(beyond ? Math.min(length, ZEROS_THAT_TELL) : length);
  source.readInto(offset, bytes);
  return bytes;
}

/**
 * Bytes that judging an image may decompress: a fixed amount, and an amount for each byte of the
 * file.
 */
const DECOMPRESSED_MIN = 2 ** 26;
const DECOMPRESSED_RATIO = 512;

/**
 * The limit on bytes that judging an image decompresses. It is above what any real image needs, and
 * bounds the work for an image in which all entries point into the same few bytes at different
 * offsets.
 */
export function decompressionBudget(source: ByteSource): number {
  return DECOMPRESSED_MIN + DECOMPRESSED_RATIO * storedSize(source);
}
