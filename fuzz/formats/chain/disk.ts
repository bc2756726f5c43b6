import { type GuestContent, laidOver, type View } from "../../../src/format/mod.ts";
import { formatOf } from "../../../src/formats.ts";
import type { ExpectedDisk, Range } from "../../generate/disk.ts";
import type { ChainModel } from "./models.ts";

/** What a guest should see of a chain, or of a snapshot of its top image. */
export function expectedDisk(chain: ChainModel, view: View = "active"): ExpectedDisk {
  let below: ExpectedDisk = { size: 0, ranges: [], read: (_, length) => new Uint8Array(length) };
  for (let i = chain.length - 1; i >= 0; i--) {
    const image = chain[i] as ChainModel[number];
    const { writer } = formatOf(image.format);
    below = layered(writer.content(image, i === 0 ? view : "active"), below);
  }
  return below;
}

/** One layer over what lies below it. */
function layered(content: GuestContent, below: ExpectedDisk): ExpectedDisk {
  const { virtualSize: size, clusterSize, named } = content;
  const known = new Set(named);
  // Readers go from front to back: the cluster that was made last is asked for again.
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
    ranges: joined([...own, ...below.ranges], size),
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

/** Ranges in order, put together where they touch, and cut at the end of the disk. */
function joined(ranges: readonly Range[], size: number): Range[] {
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
