import { type GuestContent, laidOver } from "../../src/format/mod.ts";

/** A stretch of a guest's disk, in bytes. */
export interface Range {
  /** First byte. */
  readonly start: number;
  /** The byte after the last one. */
  readonly end: number;
}

/** The content that a guest should see. It follows from the model, not from the built image. */
export interface ExpectedDisk {
  /** Bytes that the guest sees. */
  readonly size: number;
  /** Outside of these, which are ordered and do not touch, everything is zeros. */
  readonly ranges: readonly Range[];
  /** From here on the disk may hold anything; absent where all of it is known. */
  readonly unknownFrom?: number;
  /** `length` bytes from `start` on, both multiples of 512; zeros past the end. */
  read(start: number, length: number): Uint8Array;
}

/** A disk of no bytes: what is below the last image of a chain. */
export const NO_DISK: ExpectedDisk = flatDisk(new Uint8Array(0));

/** A disk that is all of these bytes, and may be longer. */
export function flatDisk(bytes: Uint8Array, size: number = bytes.length): ExpectedDisk {
  const end = bytes.length;
  return {
    size,
    ranges: end === 0 ? [] : [{ start: 0, end }],
    unknownFrom: end,
    read(start, length) {
      const target = new Uint8Array(length);
      if (start < end) target.set(bytes.subarray(start, start + length));
      return target;
    },
  };
}

/** The content of an image on top of the layers below it. */
export function guestDisk(content: GuestContent, below: ExpectedDisk = NO_DISK): ExpectedDisk {
  const { clusterSize, virtualSize: size, named } = content;
  const known = new Set(named);
  // Readers go from front to back: the cluster that was made last is read again.
  let last: { index: number; bytes: Uint8Array } | undefined;
  const clusterAt = (index: number, from: number, to: number): Uint8Array => {
    if (last?.index !== index) {
      const lower = below.read(from, to - from);
      const bytes = known.has(index) ? laidOver(content.at(index), lower, clusterSize) : lower;
      last = { index, bytes };
    }
    return last.bytes;
  };
  const own = named.map((index) => ({
    start: index * clusterSize,
    end: (index + 1) * clusterSize,
  }));
  return {
    size,
    ranges: merged([...own, ...below.ranges], size),
    read(start, length) {
      const target = new Uint8Array(length);
      const end = Math.min(start + length, size);
      for (let at = start; at < end;) {
        const index = Math.floor(at / clusterSize);
        const from = index * clusterSize;
        const to = Math.min(from + clusterSize, size);
        const bytes = clusterAt(index, from, to);
        target.set(bytes.subarray(at - from, Math.min(to, end) - from), at - start);
        at = to;
      }
      return target;
    },
  };
}

/** Ranges in order, merged where they overlap or touch, and cut at `size`. */
export function merged(ranges: Iterable<Range>, size: number): Range[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const cut = Math.min(end, size);
    if (start >= cut) continue;
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, cut);
    else result.push({ start, end: cut });
  }
  return result;
}
