import type { Findings, RuleId } from "../../rules/mod.ts";
import type { BitmapDirectory } from "../bitmaps.ts";
import type { StoredRefcounts } from "../check/refcounts.ts";
import type { Qcow2File } from "../decode.ts";
import { hex, must } from "../report.ts";
import type { Mapping } from "../runs.ts";
import type { SnapshotTable } from "../snapshots.ts";
import { EntryTable, masked } from "../table.ts";
import { entryBits, l1Entry, refcountTableEntry } from "../structures.ts";
import { ClusterRanges } from "./cluster_ranges.ts";

/** What the protection of metadata is judged with. */
export interface ProtectedImage {
  readonly file: Qcow2File;
  /** Of the active image. */
  readonly mapping: Mapping;
  readonly stored: StoredRefcounts;
  readonly snapshots: SnapshotTable;
  readonly bitmaps: BitmapDirectory | undefined;
}

/** What must not be written over, by the rule that says so. */
type Claim = { readonly rule: RuleId; readonly what: string; readonly ranges: ClusterRanges };

/** L1 entries of snapshots that are looked at beyond those that the file can hold: tables overlap. */
const ENTRY_BUDGET = 2 ** 20;

/**
 * The host clusters that QEMU protects from being written over (qcow2_check_metadata_overlap). A write
 * that would hit one fails, and the image is marked as corrupt.
 */
export class MetadataClaims {
  /** In the order in which QEMU looks; what it protects only with overlap-check=all comes last. */
  readonly #claims: readonly Claim[];
  readonly #clusterSize: number;
  /** Clusters around the one asked for last that nobody claims: data lies in long runs. */
  #free = { from: 0, to: 0 };

  constructor(image: ProtectedImage) {
    this.#clusterSize = image.mapping.geometry.clusterSize;
    this.#claims = claimsOf(image).filter(({ ranges }) => ranges.size > 0);
  }

  /**
   * What a write in place to `[offset, offset + length)` would hit first; aligned to clusters.
   *
   * @param own the rule that protects what is written itself
   */
  over(place: { offset: number; length?: number; own?: RuleId }): Claim | undefined {
    const from = Math.floor(place.offset / this.#clusterSize);
    const to = Math.ceil((place.offset + (place.length ?? 1)) / this.#clusterSize);
    if (from >= this.#free.from && to <= this.#free.to) return undefined;
    const free = { from: 0, to: Infinity };
    for (const claim of this.#claims) {
      const { before, after } = claim.ranges.around(from);
      if (after < to && claim.rule !== place.own) return claim;
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
  const ranges = (...all: readonly (readonly [bigint | number, number])[]): ClusterRanges =>
    ClusterRanges.ofRanges(all.map(([offset, length]) => [Number(offset), length]), clusterSize);
  const directory = bitmaps?.fields;
  const l2 = offsetsOf([l1]);
  return [
    { rule: "qcow2.write.overlap-header", what: "the header", ranges: ranges([0, clusterSize]) },
    {
      rule: "qcow2.write.overlap-l1",
      what: "the active L1 table",
      ranges: ranges([header.l1_table_offset, l1.length * l1Entry.size]),
    },
    {
      rule: "qcow2.write.overlap-reftable",
      what: "the refcount table",
      ranges: ranges([
        header.refcount_table_offset,
        image.stored.table.length * refcountTableEntry.size,
      ]),
    },
    {
      rule: "qcow2.write.overlap-snaptable",
      what: "the snapshot table",
      ranges: ranges([header.snapshots_offset, snapshots.length]),
    },
    {
      rule: "qcow2.write.overlap-inactive-l1",
      what: "the L1 table of a snapshot",
      ranges: ranges(
        ...snapshots.snapshots.map((one) =>
          [one.l1_table_offset, one.l1_size * l1Entry.size] as const
        ),
      ),
    },
    {
      rule: "qcow2.write.overlap-l2",
      what: "an active L2 table",
      ranges: ClusterRanges.ofClusters(l2, clusterSize),
    },
    {
      rule: "qcow2.write.overlap-refblock",
      what: "a refcount block",
      ranges: ClusterRanges.ofClusters(refblocksOf(image.stored), clusterSize),
    },
    {
      rule: "qcow2.write.overlap-bitmapdir",
      what: "the bitmap directory",
      ranges: directory === undefined ? ranges() : ranges([
        directory.bitmap_directory_offset,
        Number(directory.bitmap_directory_size),
      ]),
    },
    {
      rule: "qcow2.write.overlap-inactive-l2",
      what: "an L2 table of a snapshot",
      ranges: ClusterRanges.ofClusters(offsetsOf(snapshotTables(image)), clusterSize),
    },
  ];
}

/** Offsets of the L2 tables that L1 tables lead to. */
function offsetsOf(tables: readonly EntryTable[]): Float64Array {
  const offsets: number[] = [];
  for (const table of tables) {
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      const offset = masked(table.high(i), table.low(i), entryBits.l1Offset);
      if (offset !== 0) offsets.push(offset);
    }
  }
  return Float64Array.from(offsets);
}

/** The L1 tables of snapshots, each place once, and no more than it makes sense to look at. */
function snapshotTables({ file: { source }, snapshots }: ProtectedImage): EntryTable[] {
  const tables = new Map<number, EntryTable>();
  let budget = ENTRY_BUDGET + source.size / l1Entry.size;
  for (const { l1_table_offset, l1_size } of snapshots.snapshots) {
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
  return Float64Array.from(offsets);
}

/** Judges the tables that QEMU writes in place, and what the next allocation would take. */
export function judgeWritableTables(
  { file: { header }, mapping, stored }: ProtectedImage,
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
  must(stored.of(0) !== 0, findings, {
    rule: "qcow2.write.alloc-zero",
    place: { path: "/refblock[0]" },
    message: () => "The refcount of the header's cluster is 0: the next allocation would take it",
  });
}

/** The sentence for something written in place at `offset`. */
export function overlaps(offset: number, { what }: { what: string }): string {
  return `What is written in place at ${hex(offset)} overlaps ${what}`;
}
