import type { ByteSource } from "./source.ts";

/** A run of bytes at an offset. */
export interface Segment {
  /** Byte offset in the file. */
  readonly offset: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Runs of bytes with zeros between them, so that an image with large clusters or offsets uses only the
 * memory for its content. Segments must not overlap; their order does not matter.
 */
export class SegmentSource implements ByteSource {
  readonly size: number;
  readonly segments: readonly Segment[];

  constructor(segments: readonly Segment[], size: number) {
    this.segments = [...segments].sort((a, b) => a.offset - b.offset);
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    const segment = this.segments[this.#firstEndingAfter(offset)];
    if (segment !== undefined && length <= this.size - offset) {
      const from = offset - segment.offset;
      if (from >= 0 && from + length <= segment.bytes.length) {
        return segment.bytes.subarray(from, from + length);
      }
    }
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.fill(0);
    // Differences are exact where sums are not: a file may be longer than 2^53 bytes.
    const length = Math.min(target.length, this.size - offset);
    for (let i = this.#firstEndingAfter(offset); i < this.segments.length; i++) {
      const segment = this.segments[i];
      if (segment === undefined || segment.offset - offset >= length) break;
      const at = Math.max(0, segment.offset - offset);
      const from = Math.max(0, offset - segment.offset);
      target.set(segment.bytes.subarray(from, from + length - at), at);
    }
  }

  nextData(offset: number): number {
    const segment = this.segments[this.#firstEndingAfter(offset)];
    return Math.min(this.size, Math.max(offset, segment?.offset ?? this.size));
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.segments[middle];
      if (segment !== undefined && segment.bytes.length > offset - segment.offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
