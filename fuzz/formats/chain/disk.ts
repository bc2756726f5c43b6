import { patternBytes, type RawModel } from "../../../src/format/mod.ts";
import { contentOf, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import { guestContent, laidOver, type View } from "../../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../../src/qcow2/mod.ts";
import type { ExpectedDisk, Range } from "../../generate/disk.ts";
import type { ChainModel } from "./models.ts";

const SECTOR = 512;

/** What a guest should see of a chain, or of a snapshot of its top image. */
export function expectedDisk(chain: ChainModel, view: View = "active"): ExpectedDisk {
  let below: ExpectedDisk = { size: 0, ranges: [], read: (_, length) => new Uint8Array(length) };
  for (let i = chain.length - 1; i >= 0; i--) {
    const image = chain[i] as ChainModel[number];
    if (image.format === "raw") below = rawDisk(image);
    else if (image.format === "qcow") below = qcowDisk(image, below);
    else below = qcow2Disk(image, i === 0 ? view : "active", below);
  }
  return below;
}

function rawDisk({ size, pattern }: RawModel): ExpectedDisk {
  const bytes = patternBytes(pattern, size);
  return {
    size: Math.ceil(size / SECTOR) * SECTOR,
    ranges: size === 0 ? [] : [{ start: 0, end: Math.ceil(size / SECTOR) * SECTOR }],
    read(start, length) {
      const target = new Uint8Array(length);
      if (start < size) target.set(bytes.subarray(start, start + length));
      return target;
    },
  };
}

/** A cluster of one layer: its bytes with what lies below showing through, or `undefined`. */
type ClusterReader = (index: number, below: () => Uint8Array) => Uint8Array | undefined;

function qcowDisk(model: Qcow1Model, below: ExpectedDisk): ExpectedDisk {
  const named = model.clusters.map((cluster) => cluster.index);
  const size = Number(model.size / BigInt(SECTOR)) * SECTOR;
  const clusterSize = 2 ** model.clusterBits;
  return layered({ size, clusterSize, named }, below, (index) => contentOf(model, index));
}

function qcow2Disk(model: Qcow2Model, view: View, below: ExpectedDisk): ExpectedDisk {
  const content = guestContent(model, view);
  const { clusterSize, virtualSize: size, named } = content;
  const known = new Set(named);
  return layered({ size, clusterSize, named }, below, (index, lower) => {
    return known.has(index) ? laidOver(content.at(index), lower(), clusterSize) : undefined;
  });
}

function layered(
  layer: { size: number; clusterSize: number; named: readonly number[] },
  below: ExpectedDisk,
  cluster: ClusterReader,
): ExpectedDisk {
  const { size, clusterSize } = layer;
  // Readers go from front to back: the cluster that was made last is asked for again.
  let last: { index: number; bytes: Uint8Array } | undefined;
  const clusterAt = (index: number, from: number, to: number): Uint8Array => {
    if (last?.index !== index) {
      const lower = (): Uint8Array => below.read(from, to - from);
      last = { index, bytes: cluster(index, lower) ?? lower() };
    }
    return last.bytes;
  };
  const own = layer.named.map((index) => ({
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
