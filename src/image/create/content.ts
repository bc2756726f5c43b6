import { type ByteSource, isZero } from "../../bytes/mod.ts";
import type { ContentBlock, DiskContent, Layer } from "../../format/mod.ts";
import { pieces } from "../content.ts";

const CHUNK = 2 ** 20;

/**
 * The bytes of a source as the content of a disk.
 *
 * @param size of the disk in bytes; what the source lacks of it is zeros
 */
export function contentOf(source: ByteSource, size: number): DiskContent {
  return function* (unit, most) {
    // The largest cluster is longer than a chunk.
    const length = Math.max(unit, CHUNK);
    for (let start = 0; start < size; start += length) {
      const chunk = new Uint8Array(Math.min(length, Math.ceil((size - start) / unit) * unit));
      const wanted = chunk.subarray(0, size - start);
      if (start < source.size) source.readInto(start, wanted);
      yield* blocksOf(chunk, start, { unit, most });
    }
  };
}

/** Whole units as blocks. */
function* blocksOf(
  bytes: Uint8Array,
  offset: number,
  { unit, most = unit }: { unit: number; most?: number | undefined },
): Generator<ContentBlock> {
  const unitAt = (at: number): Uint8Array => bytes.subarray(at, at + unit);
  for (let at = 0; at < bytes.length;) {
    const start = at;
    // An image can let far more of its disk be zeros in the file than there is memory.
    // A unit may be longer than the most that is handled together.
    const fits = (): boolean => at === start || at + unit - start <= most;
    while (at < bytes.length && fits() && !isZero(unitAt(at))) at += unit;
    if (at > start) yield { offset: offset + start, bytes: bytes.subarray(start, at) };
    else {
      yield { offset: offset + at, bytes: undefined };
      at += unit;
    }
  }
}

/**
 * The content of a chain as the content of another disk.
 *
 * @param layers from the top down; at least one
 */
export function contentOfLayers(layers: readonly Layer[]): DiskContent {
  return function* (unit, most) {
    const size = layers[0]?.virtualSize ?? 0;
    const joined = new Uint8Array(unit);
    let block: Uint8Array | undefined;
    for (const { start, length, bytes } of pieces(layers, { from: 0, to: size })) {
      const pieceEnd = start + length;
      for (let at = start; at < pieceEnd;) {
        const inBlock = at % unit;
        const whole = inBlock === 0 && bytes !== undefined ? (pieceEnd - at) / unit | 0 : 0;
        if (whole > 0 && bytes !== undefined) {
          const end = at + whole * unit;
          yield* blocksOf(bytes.subarray(at - start, end - start), at, { unit, most });
          at = end;
          continue;
        }
        const end = Math.min(pieceEnd, at - inBlock + unit);
        const part = bytes?.subarray(at - start, end - start);
        if (part !== undefined && !isZero(part)) {
          block ??= joined.fill(0);
          block.set(part, inBlock);
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
