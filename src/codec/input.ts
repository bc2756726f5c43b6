import { type ByteSource, storedSize } from "../bytes/mod.ts";

/** Zeros are no compressed stream of either sort: both decoders know after so many at the latest. */
const ZEROS_THAT_TELL = 512;

/**
 * The bytes of a compressed stream, zeros past the end of the file. Of a stream that is there as a
 * whole, no more zeros are made than it takes to refuse it.
 */
export function compressedInput(
  source: ByteSource,
  extent: { offset: number; length: number },
): Uint8Array {
  const { offset, length } = extent;
  const beyond = offset >= source.size;
  return source.read(offset, beyond ? Math.min(length, ZEROS_THAT_TELL) : length);
}

/** Bytes that judging an image may decompress, whatever its size, and for each byte of it. */
const DECOMPRESSED_MIN = 2 ** 26;
const DECOMPRESSED_RATIO = 512;

/**
 * Bytes that judging an image may decompress: more than any real one comes to, and a bound for one in
 * which every entry leads into the same few bytes at another offset.
 */
export function decompressionBudget(source: ByteSource): number {
  return DECOMPRESSED_MIN + DECOMPRESSED_RATIO * storedSize(source);
}
