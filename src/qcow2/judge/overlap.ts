import { EntryTable } from "../../format/mod.ts";
import { hex, storedSize } from "../../bytes/mod.ts";
import { type BitmapDirectory, bitmapFlags } from "../bitmaps.ts";
import type { StoredRefcounts } from "../check/refcounts.ts";
import type { Qcow2File } from "../decode.ts";
import { type Findings, type FoundRule, must } from "../findings.ts";
import type { Mapping } from "../runs.ts";
import type { SnapshotTable } from "../snapshots.ts";
import { masked } from "../entry_bits.ts";
import { entryBits, l1Entry, refcountTableEntry } from "../structures.ts";
import { ClusterRanges } from "./cluster_ranges.ts";

/** Data for judging the protection of metadata. */
export interface ProtectedImage {
  readonly file: Qcow2File;
  /** L1 table of the active image. */
  readonly mapping: Mapping;
  readonly stored: StoredRefcounts;
  readonly snapshots: SnapshotTable;
  readonly bitmaps: BitmapDirectory | undefined;
}

/** The last part of the slug of the rule that protects a kind of metadata. */
type Protected = FoundRule extends infer Id
  ? Id extends `qcow2.write.overlap-${infer Name}` ? Name : never
  : never;

/** Metadata that must not be overwritten, with its rule. */
type Claim = { readonly rule: FoundRule; readonly what: string; readonly ranges: ClusterRanges };

/** L1 entries of snapshots that are read beyond the number that fits into the file: tables may overlap. */
const ENTRY_BUDGET = 2 ** 20;

/**
 * The host clusters that QEMU protects from being overwritten (qcow2_check_metadata_overlap). A write
 * to one of them fails, and QEMU marks the image as corrupt.
 */
export class MetadataClaims {
  /** In QEMU's order. Those that it protects only with overlap-check=all are last. */
  readonly #claims: readonly Claim[];
  readonly #clusterSize: number;
  /** Unclaimed clusters around the last request, because writes are often adjacent. */
  #free: { from: number; to: number; own: FoundRule | undefined } = {
    from: 0,
    to: 0,
    own: undefined,
  };

  constructor(image: ProtectedImage) {
    this.#clusterSize = image.mapping.geometry.clusterSize;
    this.#claims = claimsOf(image).filter(({ ranges }) => ranges.size > 0);
  }

  /**
   * The first metadata that a write in place to `[offset, offset + length)`, aligned to clusters, overlaps.
   *
   * @param own the rule that protects the written structure itself
   */
  over(place: { offset: number; length?: number; own?: FoundRule }): Claim | undefined {
    const { offset, length = 1, own } = place;
    const from = Math.floor(offset / this.#clusterSize);
    const to = Math.ceil((offset + length) / this.#clusterSize);
    const known = this.#free;
    if (own === known.own && from >= known.from && to <= known.to) return undefined;
    const free = { from: 0, to: Infinity, own };
    for (const claim of this.#claims) {
      if (claim.rule === own) continue;
      const { before, after } = claim.ranges.around(from);
      if (after < to) return claim;
      free.from = Math.max(free.from, before);
      free.to = Math.min(free.to, after);
    }
    this.#free = free;
    return undefined;
  }
}

function claimsOf(image: ProtectedImage): Claim[] {
  const { file: { header }, mapping, snapshots, bitmaps } = image;
  const { geometry, l1 } = mapping;
  const { clusterSize } = geometry;
  const ranges = (all: readonly (readonly [bigint | number, number])[]): ClusterRanges =>
    ClusterRanges.ofRanges(all.map(([offset, length]) => [Number(offset), length]), clusterSize);
  const directory = bitmaps?.fields;
  const claim = (name: Protected, what: string, claimed: ClusterRanges): Claim => ({
    rule: `qcow2.write.overlap-${name}`,
    what,
    ranges: claimed,
  });
  const l1Tables = Array.from(
    snapshots.snapshots.take(snapshots.stored),
    (one) => [one.l1_table_offset, one.l1_size * l1Entry.size] as const,
  );
  const reftableSize = image.stored.table.length * refcountTableEntry.size;
  return [
    claim("header", "the header", ranges([[0, clusterSize]])),
    claim(
      "l1",
      "the active L1 table",
      ranges([[header.l1_table_offset, l1.length * l1Entry.size]]),
    ),
    claim(
      "reftable",
      "the refcount table",
      ranges([[header.refcount_table_offset, reftableSize]]),
    ),
    claim(
      "snaptable",
      "the snapshot table",
      ranges([[header.snapshots_offset, snapshots.length]]),
    ),
    claim("inactive-l1", "the L1 table of a snapshot", ranges(l1Tables)),
    claim("l2", "an active L2 table", ClusterRanges.ofClusters(offsetsOf([l1]), clusterSize)),
    claim(
      "refblock",
      "a refcount block",
      ClusterRanges.ofClusters(refblocksOf(image.stored), clusterSize),
    ),
    claim(
      "bitmapdir",
      "the bitmap directory",
      ranges(
        directory === undefined
          ? []
          : [[directory.bitmap_directory_offset, Number(directory.bitmap_directory_size)]],
      ),
    ),
    claim(
      "inactive-l2",
      "an L2 table of a snapshot",
      ClusterRanges.ofClusters(offsetsOf(snapshotTables(image)), clusterSize),
    ),
  ];
}

/** Offsets of the L2 tables that L1 tables point to. */
function offsetsOf(tables: readonly EntryTable[]): Float64Array {
  const offsets: number[] = [];
  for (const table of tables) {
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      const offset = masked(table.high(i), table.low(i), entryBits.l1Offset);
      if (offset !== 0) offsets.push(offset);
    }
  }
  return new Float64Array(offsets);
}

/** The L1 tables of snapshots, each offset once, up to the budget. */
function snapshotTables({ file: { source }, snapshots }: ProtectedImage): EntryTable[] {
  const tables = new Map<number, EntryTable>();
  let budget = ENTRY_BUDGET + storedSize(source) / l1Entry.size;
  for (const { l1_table_offset, l1_size } of snapshots.snapshots.take(snapshots.stored)) {
    const offset = Number(l1_table_offset);
    const known = tables.get(offset);
    if (offset >= source.size || known !== undefined && known.length >= l1_size) continue;
    const table = new EntryTable(source, offset, l1_size);
    budget -= table.stored;
    if (budget < 0) break;
    tables.set(offset, table);
  }
  return [...tables.values()];
}

function refblocksOf({ table }: StoredRefcounts): Float64Array {
  const offsets: number[] = [];
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const offset = masked(table.high(i), table.low(i), entryBits.refblockOffset);
    if (offset !== 0) offsets.push(offset);
  }
  return new Float64Array(offsets);
}

/** Judges the tables that QEMU writes in place, and the next allocation. */
export function judgeWritableTables(
  { file: { header }, mapping, stored, bitmaps }: ProtectedImage,
  claims: MetadataClaims,
  findings: Findings,
): void {
  const { l1, geometry } = mapping;
  const hit = (claim: Claim | undefined, at: { path: string; offset: number }): void => {
    if (claim !== undefined) findings.add(claim.rule, at, overlaps(at.offset, claim));
  };
  if (l1.length > 0) {
    const offset = Number(header.l1_table_offset);
    const length = l1.length * l1Entry.size;
    hit(claims.over({ offset, length, own: "qcow2.write.overlap-l1" }), { path: "/l1", offset });
  }
  for (let i = l1.nextNonZero(0); i < l1.length; i = l1.nextNonZero(i + 1)) {
    const offset = masked(l1.high(i), l1.low(i), entryBits.l1Offset);
    const copied = (l1.high(i) & entryBits.copied.high) !== 0;
    if (!copied || offset === 0 || offset % geometry.clusterSize !== 0) continue;
    const own = "qcow2.write.overlap-l2";
    hit(claims.over({ offset, own }), { path: `/l1/${i}/l1_entry`, offset });
  }
  const { table } = stored;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const offset = Number(stored.blockOffset(i));
    if (offset === 0 || offset % geometry.clusterSize !== 0) continue;
    const own = "qcow2.write.overlap-refblock";
    hit(claims.over({ offset, own }), { path: `/reftable/${i}/refcount_table_entry`, offset });
  }
  // An open for writing marks the bitmaps that it loads as in use.
  const used = bitmaps?.bitmaps.findIndex(({ flags }) => (flags & bitmapFlags.inUse) === 0);
  const loaded = used !== undefined && used >= 0;
  if (bitmaps !== undefined && loaded) {
    const { bitmap_directory_offset, bitmap_directory_size } = bitmaps.fields;
    const place = { offset: Number(bitmap_directory_offset), path: "/bitmap_directory" };
    const length = Number(bitmap_directory_size);
    hit(claims.over({ ...place, length, own: "qcow2.write.overlap-bitmapdir" }), place);
  }
  must(stored.of(0) !== 0, findings, {
    rule: "qcow2.write.alloc-zero",
    place: { path: "/refblock[0]" },
    message: () => "The refcount of the header's cluster is 0, so the next allocation would use it",
  });
}

/** The message for a write in place at `offset`. */
export function overlaps(offset: number, { what }: { what: string }): string {
  return `A write in place at ${hex(offset)} overlaps ${what}`;
}
