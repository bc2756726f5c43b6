import { AlikeParts } from "../../format/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { Placement } from "../model.ts";
import { refcountTableEntry } from "../structures.ts";
import { type Extent, tableExtent } from "./extent.ts";
import { HostAllocator } from "./allocator.ts";
import { randomFrom, shuffle } from "./random.ts";
import { countReferences, type ReferenceCounts } from "./refcounts.ts";

/** A refcount block, and its index in the refcount table. */
export interface RefblockPlan {
  readonly block: number;
  readonly extent: Extent;
}

/** The offsets of all parts, and how often each cluster is referenced. */
export interface Layout {
  /** All parts, including the refcount structures. */
  readonly extents: readonly Extent[];
  readonly reftable: Extent;
  /** By their index in the refcount table. */
  readonly refblocks: readonly RefblockPlan[];
  /** References by host cluster. */
  readonly counts: ReferenceCounts;
  /** Length of the file in bytes. */
  readonly size: number;
}

/**
 * Places extents and the refcount structures, which also count themselves: refcount blocks are
 * added until they cover the whole file.
 *
 * @param extents in QEMU's order; their offsets are set
 */
export function placeExtents(
  extents: readonly Extent[],
  placement: Placement,
  geometry: Geometry,
): Layout {
  const { clusterSize, tableEntries, refblockEntries } = geometry;
  const stored = extents.reduce((sum, extent) => sum + clustersOf(extent, clusterSize), 1);
  let blocks = Math.ceil(stored / refblockEntries);
  let tableClusters = 1;
  for (;;) {
    const reftable = tableExtent("/reftable", refcountTableEntry, tableClusters * tableEntries);
    const refblocks = Array.from({ length: blocks }, (_, i) => refblockExtent(i, clusterSize));
    const order = orderOf(extents, { reftable, refblocks, placement, geometry });
    const clusters = allocate(order, placement, geometry);
    const counts = countReferences(order, geometry);
    const numbers = padded([...counts.keys()], blocks);
    const tableNeeded = Math.ceil(((numbers.at(-1) as number) + 1) / tableEntries) +
      placement.spareReftable;
    if (numbers.length <= blocks && tableNeeded <= tableClusters) {
      return {
        extents: order,
        reftable,
        refblocks: refblocks.map((extent, i) => ({ block: numbers[i] as number, extent })),
        counts,
        size: placement.cutTail ? lastByte(order) : clusters * clusterSize,
      };
    }
    blocks = Math.max(blocks, numbers.length);
    tableClusters = Math.max(tableClusters, tableNeeded);
  }
}

function refblockExtent(i: number, clusterSize: number): Extent {
  return { path: `/refblock[${i}]`, length: clusterSize, role: "table", refs: 1, offset: 0 };
}

/** Block numbers, with the lowest unused ones added until there are `count`; ascending. */
function padded(numbers: readonly number[], count: number): number[] {
  if (numbers.length >= count) return [...numbers];
  const all = new Set(numbers);
  for (let number = 0; all.size < count; number++) all.add(number);
  return [...all].sort((a, b) => a - b);
}

function clustersOf({ length }: Extent, clusterSize: number): number {
  return Math.ceil(length / clusterSize);
}

function lastByte(extents: readonly Extent[]): number {
  return extents.reduce((end, { offset, length }) => Math.max(end, offset + length), 0);
}

/** The order in which the parts are placed. */
function orderOf(
  extents: readonly Extent[],
  { reftable, refblocks, placement, geometry }: {
    reftable: Extent;
    refblocks: readonly Extent[];
    placement: Placement;
    geometry: Geometry;
  },
): Extent[] {
  if (placement.seed !== 0) {
    return shuffle([reftable, ...refblocks, ...extents], randomFrom(placement.seed));
  }
  const { clusterSize, refblockEntries } = geometry;
  const order = [reftable];
  let cluster = 1 + clustersOf(reftable, clusterSize);
  let counted = 0;
  // QEMU allocates a refcount block when it first needs one.
  for (const extent of extents) {
    const length = clustersOf(extent, clusterSize);
    while (counted < refblocks.length && cluster + length > counted * refblockEntries) {
      order.push(refblocks[counted++] as Extent);
      cluster++;
    }
    order.push(extent);
    cluster += length;
  }
  return [...order, ...refblocks.slice(counted)];
}

/** Places extents in their order, and returns how many clusters the file then has. */
function allocate(
  order: readonly Extent[],
  { holes, far }: Placement,
  { clusterSize, refcountMax }: Geometry,
): number {
  const allocator = new HostAllocator(clusterSize, Number(refcountMax));
  const kinds = order.map(kindOf);
  const alike = new AlikeParts(far, kinds, ["compressed", "l2"]);
  order.forEach((extent, i) => {
    allocator.skip(holes[i] ?? 0);
    if (far !== undefined && i === alike.from) allocator.skipTo(far.offset);
    const isBehind = i >= alike.from;
    const offset = isBehind ? alike.next(kinds[i], allocator.clusters * clusterSize) : undefined;
    extent.offset = allocator.place(extent, offset);
    if (!isBehind) alike.add(kinds[i], extent.offset);
  });
  return allocator.clusters;
}

/** The kind of a part that readers keep in memory; `undefined` for others. */
function kindOf({ path, gap }: Extent): "compressed" | "l2" | "refblock" | undefined {
  if (gap !== undefined) return "compressed";
  return path.startsWith("/l2[") ? "l2" : path.startsWith("/refblock[") ? "refblock" : undefined;
}
