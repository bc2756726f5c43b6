import { type ByteSource, isZero } from "../../bytes/mod.ts";
import type { DiskContent, Layer } from "../../format/mod.ts";
import { pieces } from "../content.ts";

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

/**
 * The content of a chain as the content of another disk.
 *
 * @param layers from the top down; at least one
 */
export function contentOfLayers(layers: readonly Layer[]): DiskContent {
  return function* (unit) {
    const size = layers[0]?.virtualSize ?? 0;
    const joined = new Uint8Array(unit);
    let block: Uint8Array | undefined;
    for (const { start, length, bytes } of pieces(layers, { from: 0, to: size })) {
      for (let at = start; at < start + length;) {
        const inBlock = at % unit;
        const end = Math.min(start + length, at - inBlock + unit);
        const part = bytes?.subarray(at - start, end - start);
        // An image can let far more of its disk be zeros in the file than there is memory.
        if (part !== undefined && !isZero(part)) {
          if (part.length === unit) block = part;
          else {
            block ??= joined.fill(0);
            block.set(part, inBlock);
          }
        }
        if (end % unit === 0 || end === size) {
          yield { offset: at - inBlock, bytes: block };
          block = undefined;
        }
        at = end;
      }
    }
  };
}
