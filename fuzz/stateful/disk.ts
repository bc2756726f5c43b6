import { type Pattern, patternBytes } from "../../src/format/mod.ts";
import type { ExpectedDisk, Range } from "../generate/mod.ts";

/** A part of a disk that one source has the bytes of. */
interface Segment extends Range {
  /** Absent for zeros. */
  readonly content?: Content;
  /** It may have any content. */
  readonly unknown?: true;
  /** It was made zeros, and not by a discard: that may leave what is below zeros of the tables. */
  readonly zeroed?: true;
}

/** Bytes by their position on the disk. */
interface Content {
  /** Outside of these, everything is zeros. */
  readonly ranges: readonly Range[];
  read(start: number, length: number): Uint8Array;
}

/**
 * What a guest should see of a disk that is written to. A disk never changes: each operation returns
 * another one, so that a snapshot is just a disk that is kept. Memory follows the number of operations.
 */
export class Disk {
  /** Length in bytes. */
  readonly size: number;
  readonly #segments: readonly Segment[];

  private constructor(size: number, segments: readonly Segment[]) {
    this.size = size;
    this.#segments = segments;
  }

  /** A disk with this content. */
  static of(content: ExpectedDisk): Disk {
    const { size, unknownFrom = size } = content;
    const disk = new Disk(size, size === 0 ? [] : [{ start: 0, end: size, content }]);
    return disk.forget({ start: unknownFrom, end: size });
  }

  /** The disk after a write; the pattern starts with the range. */
  write({ start, end }: Range, pattern: Pattern): Disk {
    const content: Content = {
      ranges: [{ start, end }],
      read: (from, length) => patternBytes(pattern, length, from - start),
    };
    return this.#with({ start, end, content });
  }

  /** The disk with zeros in a range. */
  zero({ start, end }: Range): Disk {
    return this.#with({ start, end, zeroed: true });
  }

  /** The disk with zeros in a range that was given up. */
  discard({ start, end }: Range): Disk {
    return this.#with({ start, end });
  }

  /** The disk with a range that may have any content. */
  forget({ start, end }: Range): Disk {
    return this.#with({ start, end, unknown: true });
  }

  /** The disk with another length. New bytes are zeros, and those up to `knownFrom` are not known. */
  resized(size: number, knownFrom: number = 0): Disk {
    if (size >= this.size) {
      const zeros = new Disk(size, this.#segments).discard({ start: this.size, end: size });
      return zeros.#with({ start: this.size, end: Math.min(size, knownFrom), unknown: true });
    }
    return new Disk(size, cut(this.#segments, { start: size, end: this.size }).before);
  }

  #with(segment: Segment): Disk {
    if (segment.start >= segment.end) return this;
    const { before, after } = cut(this.#segments, segment);
    return new Disk(this.size, [...before, segment, ...after]);
  }

  /** Outside of these, everything is zeros. */
  *ranges(): Generator<Range> {
    for (const { start, end, content } of this.#segments) {
      for (const range of content?.ranges ?? []) {
        const from = Math.max(start, range.start);
        const to = Math.min(end, range.end);
        if (from < to) yield { start: from, end: to };
      }
    }
  }

  /** The parts that were made zeros. */
  zeroed(): readonly Range[] {
    return this.#segments.filter(({ zeroed }) => zeroed);
  }

  /** The parts that may have any content. */
  unknown(): readonly Range[] {
    return this.#segments.filter(({ unknown }) => unknown);
  }

  /** Bytes of the disk; zeros past its end. */
  read(start: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    for (const segment of this.#segments) {
      const from = Math.max(start, segment.start);
      const to = Math.min(start + length, segment.end);
      if (from < to && segment.content !== undefined) {
        target.set(segment.content.read(from, to - from), from - start);
      }
    }
    return target;
  }
}

/** Makes bytes equal to others where a disk is not known. */
export function adopt(
  disk: Disk,
  { start, bytes, found }: { start: number; bytes: Uint8Array; found: Uint8Array },
): void {
  for (const range of disk.unknown()) {
    const from = Math.max(0, range.start - start);
    const to = Math.min(bytes.length, range.end - start);
    if (from < to) bytes.set(found.subarray(from, to), from);
  }
}

/** The segments before and after a range. */
function cut(
  segments: readonly Segment[],
  { start, end }: Range,
): { before: Segment[]; after: Segment[] } {
  const before = segments.filter((segment) => segment.start < start)
    .map((segment) => ({ ...segment, end: Math.min(segment.end, start) }));
  const after = segments.filter((segment) => segment.end > end)
    .map((segment) => ({ ...segment, start: Math.max(segment.start, end) }));
  return { before, after };
}
