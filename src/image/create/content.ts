import { type ByteSource, isZero } from "../../bytes/mod.ts";
import type { DiskContent } from "../../format/mod.ts";

const CHUNK = 2 ** 20;

/**
 * The bytes of a source as the content of a disk.
 *
 * @param size of the disk in bytes; what the source lacks of it is zeros
 */
export function contentOf(source: ByteSource, size: number): DiskContent {
  return function* (unit) {
    // The largest cluster is longer than a chunk.
    const length = Math.max(unit, CHUNK);
    for (let start = 0; start < size; start += length) {
      const chunk = new Uint8Array(Math.min(length, Math.ceil((size - start) / unit) * unit));
      const wanted = chunk.subarray(0, size - start);
      if (start < source.size) source.readInto(start, wanted);
      for (let at = 0; at < chunk.length; at += unit) {
        const bytes = chunk.subarray(at, at + unit);
        yield { offset: start + at, bytes: isZero(bytes) ? undefined : bytes };
      }
    }
  };
}
