import { type ByteSource, isZero, readUpTo } from "../../bytes/mod.ts";
import { EntryTable, type WorkBudget } from "../../format/mod.ts";
import { refcountAt } from "../check/refcounts.ts";
import { geometryOf } from "../geometry.ts";
import { entryBits, limits, refcountTableEntry } from "../structures.ts";
import type { TableBlocks } from "./table_blocks.ts";

/** A refcount table with the cluster size and the width of refcounts that fit it. */
export interface Reftable {
  readonly clusterBits: number;
  readonly refcountOrder: number;
  readonly offset: number;
  /** Length in clusters. */
  readonly clusters: number;
  /** Share of the header, the table and its blocks whose refcount is 1. */
  readonly agreement: number;
  /** Offsets of the refcount blocks. */
  readonly blocks: ReadonlySet<number>;
}

/** Tables that are looked at, blocks of each, and refcounts of each: a hostile file has any number. */
const TABLES_MAX = 64;
const BLOCKS_MAX = 2 ** 16;
const COUNTS_MAX = 256;
/** What an entry costs, in entries that are only read. */
const ENTRY_WORK = 64;
/** Work that a hint may take. */
const USUAL_WORK = 2 ** 20;
/** The width of refcounts that QEMU uses unless another is chosen. */
export const USUAL_ORDER = 4;

/**
 * The refcount tables of a file, those that agree best with their own refcounts first. A refcount table
 * is an array of aligned offsets of blocks, which count the header, the table and themselves once.
 */
export function findReftables(
  source: ByteSource,
  blocks: TableBlocks,
  work: WorkBudget,
): Reftable[] {
  const headed = (head: string): number[] =>
    blocks.reftables.filter((offset) => headOf(source, offset) === head);
  // Refcounts that were erased are the last resort.
  const offsets = [...headed("one"), ...headed("zero")];
  const found = offsets.slice(0, TABLES_MAX).flatMap((offset) => readings(source, offset, work));
  const usual = ({ refcountOrder }: Reftable): number => +(refcountOrder === USUAL_ORDER);
  return found.sort((a, b) =>
    b.agreement - a.agreement || usual(b) - usual(a) || b.blocks.size - a.blocks.size ||
    b.clusterBits - a.clusterBits
  );
}

/** What the first refcount block of a table starts with: the refcount of the header, which is 1. */
function headOf(source: ByteSource, offset: number): "one" | "zero" | "other" {
  const target = new EntryTable(source, offset, 1).value(0);
  const head = readUpTo(source, Number(target), COUNT_BYTES);
  if (ORDERS.some((order) => refcountAt(head, 0, 2 ** order) === 1)) return "one";
  return isZero(head) ? "zero" : "other";
}

/** Bytes of the widest refcount. */
const COUNT_BYTES = 2 ** limits.refcountOrder / 8;

const ORDERS = Array.from({ length: limits.refcountOrder + 1 }, (_, order) => order);

/** The table at an offset with every cluster size and width of refcounts that it allows. */
function readings(source: ByteSource, offset: number, work: WorkBudget): Reftable[] {
  const found: Reftable[] = [];
  for (let bits = limits.clusterBits.min; bits <= limits.clusterBits.max && work.left > 0; bits++) {
    const clusterSize = 2 ** bits;
    if (offset % clusterSize !== 0) break;
    const blocks = blocksOf(source, offset, clusterSize);
    if (blocks === undefined) continue;
    work.left -= ENTRY_WORK * blocks.offsets.size;
    const places = new Set(blocks.offsets.values());
    for (const refcountOrder of ORDERS) {
      const agreement = agreementOf(source, { offset, bits, refcountOrder, blocks });
      found.push({
        clusterBits: bits,
        refcountOrder,
        offset,
        clusters: blocks.clusters,
        agreement,
        blocks: places,
      });
    }
  }
  return found;
}

/** The blocks of a table by their number. */
interface Blocks {
  readonly offsets: ReadonlyMap<number, number>;
  readonly clusters: number;
}

/** The blocks of the table at an offset; nothing where its first cluster is not one. */
function blocksOf(source: ByteSource, offset: number, clusterSize: number): Blocks | undefined {
  const perCluster = clusterSize / refcountTableEntry.size;
  const most = Math.ceil(limits.refcountTable / clusterSize);
  const table = new EntryTable(source, offset, most * perCluster);
  const offsets = new Map<number, number>();
  const seen = new Set<number>();
  let clusters = 0;
  for (; clusters < most && offsets.size < BLOCKS_MAX; clusters++) {
    const end = (clusters + 1) * perCluster;
    const own: [number, number][] = [];
    let sound = true;
    for (let i = table.nextNonZero(clusters * perCluster, end); i < end && sound;) {
      const target = table.value(i);
      const at = Number(target & entryBits.refblockOffset.mask);
      sound = BigInt(at) === target && at % clusterSize === 0 && at < source.size &&
        at !== offset && !seen.has(at);
      seen.add(at);
      own.push([i, at]);
      i = table.nextNonZero(i + 1, end);
    }
    if (!sound || own.length === 0) break;
    for (const [index, at] of own) offsets.set(index, at);
  }
  return clusters === 0 || !offsets.has(0) ? undefined : { offsets, clusters };
}

function agreementOf(
  source: ByteSource,
  { offset, bits, refcountOrder, blocks }: {
    offset: number;
    bits: number;
    refcountOrder: number;
    blocks: Blocks;
  },
): number {
  const { clusterSize, refblockEntries, refcountBits } = geometryOf({
    clusterBits: bits,
    refcountOrder,
    extendedL2: false,
  });
  const isOne = (place: number): boolean => {
    const cluster = place / clusterSize;
    const block = blocks.offsets.get(Math.floor(cluster / refblockEntries));
    if (block === undefined) return false;
    const bit = (cluster % refblockEntries) * refcountBits;
    const stored = readUpTo(source, block + Math.floor(bit / 8), COUNT_BYTES);
    return refcountAt(stored, bit % 8 / refcountBits, refcountBits) === 1;
  };
  const own = Array.from({ length: blocks.clusters }, (_, i) => offset + i * clusterSize);
  const places = [0, ...own, ...blocks.offsets.values()].slice(0, COUNTS_MAX);
  return places.filter(isOne).length / places.length;
}

/** Where QEMU puts the refcount table of a new image: in the second cluster. */
export function usualReftable(source: ByteSource): Reftable | undefined {
  for (let bits = limits.clusterBits.min; bits <= limits.clusterBits.max; bits++) {
    const found = readings(source, 2 ** bits, { left: USUAL_WORK }).find((
      { clusterBits, agreement, offset },
    ) => clusterBits === bits && agreement === 1 && offset < source.size);
    if (found !== undefined) return found;
  }
  return undefined;
}
