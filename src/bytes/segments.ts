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
    if (
      segment !== undefined && segment.offset <= offset &&
      offset + length <= segment.offset + segment.bytes.length && offset + length <= this.size
    ) {
      const from = offset - segment.offset;
      return segment.bytes.subarray(from, from + length);
    }
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.fill(0);
    const end = Math.min(offset + target.length, this.size);
    for (let i = this.#firstEndingAfter(offset); i < this.segments.length; i++) {
      const segment = this.segments[i];
      if (segment === undefined || segment.offset >= end) break;
      const from = Math.max(offset, segment.offset);
      const to = Math.min(end, segment.offset + segment.bytes.length);
      target.set(segment.bytes.subarray(from - segment.offset, to - segment.offset), from - offset);
    }
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.segments[middle];
      if (segment !== undefined && segment.offset + segment.bytes.length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
