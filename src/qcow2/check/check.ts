import { hex, roundUp, SECTOR, storedSize } from "../../bytes/mod.ts";
import { type CheckCounts, type EntryTable, requestable, type Watch } from "../../format/mod.ts";
import { addBroken, decode, judgeOf } from "../../layout/mod.ts";
import { type BitmapDirectory, bitmapTable } from "../bitmaps.ts";
import { extensionData, extensionOf, type Qcow2File } from "../decode.ts";
import type { EntryContext } from "../l2_entries.ts";
import { judgeTableEntry } from "../judge/bitmap_tables.ts";
import { TABLE_BYTES_MAX } from "../judge/snapshots.ts";
import { type Findings, type FoundRule, inHeader } from "../findings.ts";
import type { SnapshotTable } from "../snapshots.ts";
import {
  bitmapTableEntry,
  encryptionPointer,
  entryBits,
  extensionTypes,
  header as headerStruct,
  refcountTableEntry,
  snapshotHead,
} from "../structures.ts";
import { checkCopied } from "./copied.ts";
import { StoredRefcounts, UNREADABLE } from "./refcounts.ts";
import { CheckAborted, References } from "./references.ts";
import { TableWalk } from "./tables.ts";

/** What check works on. */
export interface CheckedImage {
  readonly file: Qcow2File;
  readonly context: EntryContext;
  /** Virtual size in bytes, rounded down to 512. */
  readonly size: number;
  readonly l1: EntryTable;
  readonly snapshots: SnapshotTable;
  readonly bitmaps: BitmapDirectory | undefined;
  readonly watch?: Watch | undefined;
}

const MAX_CLUSTERS = 2 ** 31 - 1;

/**
 * `qemu-img check` without repair: references are counted again and compared with the stored refcounts
 * (qcow2_check_refcounts).
 *
 * @returns the counts, or `undefined` where qemu-img's check ends without any
 */
export function checkImage(
  image: CheckedImage,
  findings: Findings,
  watch?: Watch,
): CheckCounts | undefined {
  const firstHalf = watch && ((done: number) => watch(done / 2));
  const secondHalf = watch && ((done: number) => watch((1 + done) / 2));
  const watched = { ...image, watch: firstHalf };
  return withReferences(watched, findings, ({ walk, references, stored }) => {
    const highest = compare(stored, references, image);
    const { file: { source }, context, l1 } = image;
    checkCopied({ source, context, l1, stored, references, watch: secondHalf });
    return counts(image, { references, walk, highest });
  });
}

/** The references to the clusters of an image, and its stored refcounts. */
export interface CountedImage {
  readonly walk: TableWalk;
  readonly references: References;
  readonly stored: StoredRefcounts;
}

/**
 * Counts the references in an image, and hands them on.
 *
 * @returns what `use` returns, or `undefined` where qemu-img's check ends without any counts
 */
export function withReferences<T>(
  image: CheckedImage,
  findings: Findings,
  use: (counted: CountedImage) => T,
): T | undefined {
  const { file, context } = image;
  const { source } = file;
  const length = { length: roundUp(source.size, SECTOR), stored: storedSize(source) };
  const references = new References(length, context.geometry, findings);
  const walk = new TableWalk(source, context, references);
  try {
    checkSnapshotTable(image, references);
    if (references.clusters > MAX_CLUSTERS) {
      const message = `The file has ${references.clusters} clusters, more than 2^31 - 1`;
      references.abort("qcow2.check.length", { path: "/" }, message);
    }
    countReferences(image, walk, references);
    const stored = new StoredRefcounts(file, context.geometry);
    countRefblocks(stored, references, image);
    return use({ walk, references, stored });
  } catch (error) {
    if (error instanceof CheckAborted) return undefined;
    throw error;
  }
}

function counts(
  image: CheckedImage,
  { references, walk, highest }: { references: References; walk: TableWalk; highest: number },
): CheckCounts {
  const { clusterSize } = image.context.geometry;
  const { allocated, fragmented, compressed } = walk.statistics;
  return {
    corruptions: references.corruptions,
    leaks: references.leaks,
    checkErrors: references.checkErrors,
    imageEndOffset: (highest + 1) * clusterSize,
    totalClusters: Math.ceil(image.size / clusterSize),
    allocatedClusters: allocated,
    fragmentedClusters: fragmented,
    compressedClusters: compressed,
  };
}

/** The snapshot table as check reads it: what a normal open refuses ends the check instead. */
function checkSnapshotTable(
  { file, context, snapshots }: CheckedImage,
  references: References,
): void {
  const { header } = file;
  const { clusterSize } = context.geometry;
  const size = header.nb_snapshots * snapshotHead.size;
  judgeOf(headerStruct, header, {
    context: { "cluster size": clusterSize, "snapshot table": size },
    place: (field) => at(inHeader(field)),
    findings: references.fatal,
  })("qcow2.check.snap-count", "qcow2.check.snap-offset");
  if (header.nb_snapshots > 0 && !requestable(header.snapshots_offset, size)) {
    const message = `The snapshot table at ${hex(header.snapshots_offset)} cannot be read`;
    references.abort("qcow2.check.snap-offset", at(inHeader("snapshots_offset")), message);
  }
  const inVersion3 = { "in version 3": header.version >= 3 };
  for (const [index, snapshot] of snapshots.snapshots.entries()) {
    judgeOf(snapshotHead, snapshot, {
      context: inVersion3,
      of: `snapshot ${index}`,
      place: (field) => ({ path: `/snapshot[${index}]/${field}`, offset: snapshot.offset }),
      findings: {
        add(rule: "qcow2.check.snap-extra" | "qcow2.check.snap-incomplete", place, message) {
          if (rule === "qcow2.check.snap-extra") references.abort(rule, place, message());
          references.corrupt(rule, place, message);
        },
      },
    })("qcow2.check.snap-extra", "qcow2.check.snap-incomplete");
  }
  if (snapshots.length > TABLE_BYTES_MAX) {
    const message = `The snapshot table is longer than QEMU's limit of ${TABLE_BYTES_MAX} bytes`;
    references.abort("qcow2.check.snap-size", { path: "/snapshots" }, message);
  }
}

function at(place: { path: string; offset?: number | bigint }): { path: string; offset: number } {
  return { path: place.path, offset: Number(place.offset ?? 0) };
}

/** References everything but the refcount blocks, in QEMU's order (calculate_refcounts). */
export function countReferences(
  image: CheckedImage,
  walk: TableWalk,
  references: References,
): void {
  const { file, context, snapshots, l1 } = image;
  const { header } = file;
  const { clusterSize, tableEntries } = context.geometry;
  references.add({ offset: 0, size: clusterSize, path: "/header" });
  const active = { offset: header.l1_table_offset, entries: l1.length, path: "/l1", active: true };
  walk.addL1(active);
  if (context.dataFile && header.nb_snapshots > 0) {
    const message = `${header.nb_snapshots} snapshots in an image with an external data file`;
    references.corrupt("qcow2.check.snap-datafile", at(inHeader("nb_snapshots")), message);
  }
  addSnapshots(image, walk, references);
  walk.walkL2(image.watch);
  const table = { offset: Number(header.snapshots_offset), size: snapshots.length };
  references.add({ ...table, path: "/snapshots" });
  references.add({
    offset: Number(header.refcount_table_offset),
    size: header.refcount_table_clusters * tableEntries * refcountTableEntry.size,
    path: "/reftable",
  });
  addEncryptionHeader(file, references);
  addBitmaps(image, references);
}

function addSnapshots(
  { snapshots, context }: CheckedImage,
  walk: TableWalk,
  references: References,
): void {
  const sizes = { "cluster size": context.geometry.clusterSize };
  for (const [index, snapshot] of snapshots.snapshots.take(snapshots.stored).entries()) {
    const { l1_table_offset: offset, l1_size: entries } = snapshot;
    const judge = judgeOf(snapshotHead, snapshot, {
      context: sizes,
      of: `snapshot ${index}`,
      place: () => ({ path: `/snapshot[${index}]`, offset: snapshot.offset }),
      findings: references.corrupted,
    });
    if (judge("qcow2.check.snap-l1-aligned") && judge("qcow2.check.snap-l1-size")) {
      if (entries === 0) continue;
      walk.addL1({ offset, entries, path: `/snapshot[${index}]/l1`, active: false });
    }
  }
}

function addEncryptionHeader(file: Qcow2File, references: References): void {
  const extension = extensionOf(file, extensionTypes.encryptionHeader);
  if (extension === undefined || extension.length !== encryptionPointer.size) return;
  const pointer = decode(encryptionPointer, extensionData(file, extension));
  const size = Number(BigInt.asIntN(64, pointer.length));
  references.add({ offset: Number(pointer.offset), size, path: "/encryption_header" });
}

function addBitmaps({ file, context, bitmaps }: CheckedImage, references: References): void {
  if (bitmaps === undefined) return;
  const { clusterSize } = context.geometry;
  const { bitmap_directory_offset, bitmap_directory_size } = bitmaps.fields;
  references.add({
    offset: Number(bitmap_directory_offset),
    size: Number(bitmap_directory_size),
    path: "/bitmaps",
  });
  for (const [index, bitmap] of bitmaps.bitmaps.entries()) {
    const path = `/bitmap[${index}]/table`;
    const size = bitmap.bitmap_table_size * bitmapTableEntry.size;
    const offset = Number(bitmap.bitmap_table_offset);
    references.add({ offset, size, path });
    if (!requestable(bitmap.bitmap_table_offset, BigInt(size))) {
      const message = `The table of bitmap ${index} cannot be read`;
      references.abort("qcow2.check.bitmap-table", { path, offset }, message);
    }
    const table = bitmapTable(file, bitmap);
    const used = [];
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      judgeTableEntry({ table, path, clusterSize }, i, {
        rules: ["qcow2.check.bitmap-table"],
        findings: references.fatal,
      });
      const data = table.value(i) & entryBits.bitmapOffset.mask;
      if (data !== 0n) used.push(data);
    }
    for (const data of used) {
      references.add({ offset: Number(data), size: clusterSize, path: `/bitmap[${index}]/data` });
    }
  }
}

/** References the refcount blocks (check_refblocks). */
export function countRefblocks(
  stored: StoredRefcounts,
  references: References,
  { context }: CheckedImage,
): void {
  const { clusterSize } = context.geometry;
  const { table } = stored;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const offset = stored.blockOffset(i);
    const place = { path: `/reftable/${i}/refcount_table_entry`, offset: table.offsetOf(i) };
    const cluster = Number(offset / BigInt(clusterSize));
    const entry = table.value(i);
    const broken = (rule: "qcow2.check.reftable-reserved" | "qcow2.check.refblock-aligned") =>
      addBroken(refcountTableEntry, { refcount_table_entry: entry }, {
        ...{ rule, place, context: { "cluster size": clusterSize } },
        findings: references.corrupted,
      });
    if ((entry & entryBits.refblockReserved.mask) !== 0n) broken("qcow2.check.reftable-reserved");
    else if (offset % BigInt(clusterSize) !== 0n) broken("qcow2.check.refblock-aligned");
    else if (cluster >= references.clusters) {
      const message = `The refcount block is at ${hex(offset)}, outside the file`;
      references.corrupt("qcow2.check.refblock-outside", place, message);
    } else if (offset !== 0n) {
      references.add({ offset: Number(offset), size: clusterSize, path: `/refblock[${i}]` });
      if (references.of(cluster) !== 1) {
        const message = `The refcount block has ${references.of(cluster)} references, not 1`;
        references.corrupt("qcow2.check.refblock-shared", place, message);
      }
    }
  }
}

/**
 * Compares the stored refcounts with the references (compare_refcounts).
 *
 * @returns the last cluster that is in use by either
 */
function compare(
  stored: StoredRefcounts,
  references: References,
  { context }: CheckedImage,
): number {
  let highest = 0;
  const { clusters } = references;
  for (let i = references.nextCounted(0, stored); i < clusters;) {
    const refcount = stored.of(i);
    const expected = references.of(i);
    // A damaged header can refer to millions of clusters: equal ones are compared together.
    const same = stored.same(i, clusters - i);
    const length = refcount === UNREADABLE ? same : references.same(i, same);
    if (refcount !== expected) {
      addWrong({ first: i, length, refcount, expected }, references, context.geometry);
    }
    if (refcount !== UNREADABLE && (refcount > 0 || expected > 0)) highest = i + length - 1;
    i = references.nextCounted(i + length, stored);
  }
  return highest;
}

/** Adjacent clusters with the same refcount, and the same number of references if it can be read. */
interface WrongCounts {
  readonly first: number;
  readonly length: number;
  readonly refcount: ReturnType<StoredRefcounts["of"]>;
  readonly expected: number;
}

/** Counts clusters whose refcount is wrong, and lists the first of them. */
function addWrong(
  { first, length, refcount, expected }: WrongCounts,
  references: References,
  { clusterSize }: EntryContext["geometry"],
): void {
  const add = (rule: FoundRule, says: string): void =>
    references.findings.addEach(rule, length, (at) => {
      const offset = (first + at) * clusterSize;
      const message = `The refcount of the cluster at ${hex(offset)} ${says}`;
      return { path: `/cluster[${first + at}]`, offset, message };
    });
  if (refcount === UNREADABLE) {
    references.checkErrors += length;
    return add("qcow2.check.refcount-read", "cannot be read");
  }
  const says = `is ${refcount}, and it has ${expected} references`;
  if (refcount < expected) {
    references.corruptions += length;
    add("qcow2.check.refcount-low", says);
  } else {
    references.leaks += length;
    add("qcow2.check.refcount-high", says);
  }
}
