import { hex, storedSize } from "../../bytes/mod.ts";
import { decompressionBudget } from "../../codec/mod.ts";
import { type Watch, WordSet } from "../../format/mod.ts";
import { addBroken } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { type StoredRefcounts, UNREADABLE } from "../check/refcounts.ts";
import type { ContentReader } from "../content_reader.ts";
import { classOf, compressedRange, entryProblem, hostOffset } from "../l2_entries.ts";
import type { Qcow2File } from "../decode.ts";
import type { L2Table } from "../l2_tables.ts";
import { type Findings, type FoundRule, must } from "../findings.ts";
import { type Mapping, placeOfEntry, placeOfL1Entry } from "../runs.ts";
import { anyBit, masked, wordOf } from "../entry_bits.ts";
import { entryBits, l1Entry, l2Entry, refcountTableEntry } from "../structures.ts";
import { type MetadataClaims, overlaps } from "./overlap.ts";

/** Data for judging the tables of one view of an image. */
export interface TableJudgement {
  readonly file: Qcow2File;
  readonly mapping: Mapping;
  /** Decompresses the compressed clusters. If absent, they are not judged. */
  readonly reader: ContentReader | undefined;
  readonly stored: StoredRefcounts;
  /** Virtual size in bytes. The guest does not see entries past it. */
  readonly size: number;
  /**
   * The protected metadata. Present only for the active image, which is written to, and in which the
   * copied flags matter.
   */
  readonly claims: MetadataClaims | undefined;
  /** Length of the external data file in bytes, if there is one and it is open. */
  readonly dataSize?: number | undefined;
  readonly watch?: Watch | undefined;
}

/** Reports a table that goes on past the end of the file, where missing entries read as zeros. */
function mustBeStored(
  { source: { size } }: Qcow2File,
  { path, offset, length }: { path: string; offset: number; length: number },
  findings: Findings,
): void {
  must(offset + length <= size, findings, {
    rule: "blk.io.past-eof",
    place: { path, offset },
    message: () =>
      `The table at ${hex(offset)} has ${length} bytes, and the file ends at ${hex(size)}`,
  });
}

/** Table entries that are read in addition to the number that fits into the file. */
const ENTRY_BUDGET = 2 ** 24;
/** Judges the L1 and L2 entries that describe the guest's disk, and decodes its compressed clusters. */
export function judgeTables(image: TableJudgement, findings: Findings): void {
  const { mapping, size, file, claims } = image;
  const { l1, geometry } = mapping;
  const budget: Budget = {
    entries: ENTRY_BUDGET + storedSize(file.source),
    bytes: decompressionBudget(file.source),
    decoded: new WordSet(),
  };
  const seen = new Set<number>();
  const { header: { l1_table_offset: start, l1_size: entries } } = file;
  if (claims !== undefined && entries > 0) {
    const length = entries * 8;
    mustBeStored(file, { path: "/l1", offset: Number(start), length }, findings);
  }
  const visible = Math.min(l1.length, Math.ceil(size / geometry.l2Coverage));
  if (Math.ceil(size / geometry.l2Coverage) > l1.length) {
    const message = `Guest offsets past the ${l1.length} L1 entries are unallocated`;
    findings.add("qcow2.l1e.beyond-table", { path: `${mapping.path}l1` }, message);
  }
  for (let i = l1.nextNonZero(0); i < visible; i = l1.nextNonZero(i + 1)) {
    const offset = judgeL1Entry(image, i, findings);
    // Only with a data file do entries depend on guest offsets. Otherwise a table is judged once.
    if (offset === 0 || seen.has(offset) && !mapping.dataFile) continue;
    seen.add(offset);
    const table = mapping.l2.at(offset);
    mustBeStored(
      file,
      { path: `${mapping.path}l2[${i}]`, offset, length: geometry.clusterSize },
      findings,
    );
    budget.entries -= table.stored;
    if (budget.entries < 0) return overBudget(findings);
    judgeTable(image, { table, index: i, budget }, findings);
    image.watch?.((i + 1) / visible);
  }
}

interface Budget {
  entries: number;
  bytes: number;
  /** Decoded descriptors: a stream that many entries share is decoded once. */
  readonly decoded: WordSet;
}

function overBudget(findings: Findings): void {
  const message = "The image references its content so often that not all of it was judged";
  findings.add("diskproof.work.budget", { path: "/" }, message);
}

/** Judges an L1 entry. Returns the offset of a readable L2 table, or 0. */
function judgeL1Entry({ mapping }: TableJudgement, index: number, findings: Findings): number {
  const { l1, geometry: { clusterSize } } = mapping;
  const high = l1.high(index);
  const low = l1.low(index);
  const offset = masked(high, low, entryBits.l1Offset);
  const context = { "cluster size": clusterSize };
  const broken = (rule: FoundRule): void =>
    addBroken(l1Entry, { l1_entry: l1.value(index) }, {
      ...{ rule, place: placeOfL1Entry(mapping, index), context, findings },
    });
  if (anyBit(high, low, entryBits.l1Reserved)) broken("qcow2.l1e.reserved");
  if (offset % clusterSize === 0) return offset;
  broken("qcow2.l1e.aligned");
  return 0;
}

interface TableAt {
  readonly table: L2Table;
  readonly index: number;
  readonly budget: Budget;
}

function judgeTable(image: TableJudgement, at: TableAt, findings: Findings): void {
  const { geometry } = image.mapping;
  const { table } = at;
  const base = at.index * geometry.l2Coverage;
  const visible = Math.min(table.stored, Math.ceil((image.size - base) / geometry.clusterSize));
  for (let i = table.nextNonZero(0); i < visible; i = table.nextNonZero(i + 1)) {
    const sound = soundEntries(image, table, i);
    if (sound > 0) i += sound - 1;
    else judgeEntry(image, { ...at, entry: i, guest: base + i * geometry.clusterSize }, findings);
  }
}

/** The number of entries from `entry` on that are known to break no rule: most images have no others. */
function soundEntries(image: TableJudgement, table: L2Table, entry: number): number {
  const { mapping, file, stored, claims } = image;
  const { clusterSize, extendedL2 } = mapping.geometry;
  const high = table.high(entry);
  const low = table.low(entry);
  const host = hostOffset(high, low);
  if (
    mapping.dataFile || extendedL2 || host % clusterSize !== 0 ||
    anyBit(high, low, entryBits.l2Reserved) || classOf(high, low, mapping) !== "normal"
  ) return 0;
  const sequence = Math.min(
    table.sequence(entry),
    Math.ceil((file.source.size - host) / clusterSize),
  );
  if (claims === undefined || sequence <= 0) return Math.max(0, sequence);
  const cluster = host / clusterSize;
  const copied = (high & entryBits.copied.high) !== 0;
  if (copied !== (stored.of(cluster) === 1)) return 0;
  const length = stored.same(cluster, sequence);
  const isFree = !copied ||
    claims.over({ offset: host, length: length * clusterSize }) === undefined;
  return isFree ? length : 0;
}

type EntryAt = TableAt & { readonly entry: number; readonly guest: number };

function judgeEntry(image: TableJudgement, at: EntryAt, findings: Findings): void {
  const { mapping } = image;
  const { table, entry } = at;
  const place = placeOfEntry(mapping.path, at, at.guest);
  const problem = entryProblem(table.entry(entry), mapping, place);
  if (problem !== undefined) {
    findings.add(problem.rule, problem.place, () => problem.message);
    if (INVALID.has(problem.rule)) judgeNeighbour(image, at, findings);
  }
  const high = table.high(entry);
  const low = table.low(entry);
  const kind = classOf(high, low, mapping);
  if (kind === "compressed") {
    judgeCompressed(image, at, findings);
    return;
  }
  const { extendedL2 } = mapping.geometry;
  const zeroBit = extendedL2 && (low & entryBits.zero.low) !== 0;
  if (anyBit(high, low, entryBits.l2Reserved) || zeroBit) {
    addBroken(l2Entry, { l2_entry: wordOf(high, low) }, {
      rule: "qcow2.l2e.reserved",
      place,
      context: { "with extended L2 entries": extendedL2 },
      findings,
    });
  }
  if (kind === "normal" || kind === "zero-allocated") judgePlace(image, at, findings);
}

/** Rules about the subcluster bitmap. */
const INVALID: ReadonlySet<FoundRule> = new Set([
  "qcow2.l2e.subcluster-alloc-zero",
  "qcow2.l2e.subcluster-alloc-unalloc",
]);

/** A request that reaches an invalid entry from the one before it fails. */
function judgeNeighbour({ mapping }: TableJudgement, at: EntryAt, findings: Findings): void {
  if (at.entry === 0) return;
  const before = at.entry - 1;
  // Compressed clusters are read one by one.
  if (classOf(at.table.high(before), at.table.low(before), mapping) === "compressed") return;
  findings.add(
    "qcow2.l2e.subcluster-neighbour",
    placeOfEntry(mapping.path, at, at.guest),
    "A request for this cluster and the one before it fails as a whole",
  );
}

/** Properties that a reader ignores: the copied flag, and clusters past the end of the file. */
function judgePlace(image: TableJudgement, at: EntryAt, findings: Findings): void {
  const { mapping, file, stored, claims } = image;
  const place = placeOfEntry(mapping.path, at, at.guest);
  const high = at.table.high(at.entry);
  const host = hostOffset(high, at.table.low(at.entry));
  const copied = (high & entryBits.copied.high) !== 0;
  if (claims !== undefined && copied) judgeInPlace(image, { host, place, claims }, findings);
  if (mapping.dataFile) {
    if (host >= (image.dataSize ?? Infinity)) {
      const message = `The cluster at ${hex(host)} is past the end of the external data file`;
      findings.add("qcow2.l2e.beyond-datafile", place, message);
    }
    return;
  }
  if (host >= file.source.size) {
    const message = `The cluster at ${hex(host)} is past the end of the file`;
    findings.add("qcow2.l2e.beyond-eof", place, message);
  }
  if (claims === undefined) return;
  const refcount = stored.of(Math.floor(host / mapping.geometry.clusterSize));
  if (refcount === UNREADABLE || copied === (refcount === 1)) return;
  const flag = copied ? "set" : "clear";
  findings.add(
    "qcow2.l2e.copied",
    place,
    `The copied flag is ${flag}; the refcount is ${refcount}`,
  );
}

/** Judges a write in place to the cluster. */
function judgeInPlace(
  { mapping }: TableJudgement,
  { host, place, claims }: { host: number; place: Place; claims: MetadataClaims },
  findings: Findings,
): void {
  const { clusterSize } = mapping.geometry;
  if (host % clusterSize !== 0) {
    addBroken(l2Entry, { l2_entry: BigInt(host) }, {
      rule: "qcow2.write.inplace-aligned",
      place,
      context: { "cluster size": clusterSize },
      findings,
    });
    return;
  }
  if (mapping.dataFile) return;
  const claim = claims.over({ offset: host });
  if (claim !== undefined) findings.add(claim.rule, place, overlaps(host, claim));
}

function judgeCompressed(image: TableJudgement, at: EntryAt, findings: Findings): void {
  const { mapping } = image;
  const { table, entry, budget } = at;
  const place = placeOfEntry(mapping.path, at, at.guest);
  const high = table.high(entry);
  const range = compressedRange(high, table.low(entry), mapping.geometry);
  if (range.excess) {
    const message = `The offset ${hex(range.offset)} has bits set above bit 55`;
    findings.add("qcow2.comp.offset-bits", place, message);
  }
  if (table.allocated(entry) !== 0 || table.zero(entry) !== 0) {
    const message = "The subcluster bitmap of a compressed cluster is not zero";
    findings.add("qcow2.comp.bitmap-zero", place, message);
  }
  if ((high & entryBits.copied.high) !== 0) {
    findings.add("qcow2.comp.copied", place, "A compressed cluster has the copied flag");
  }
  if (mapping.dataFile || image.reader === undefined) return;
  const descriptor = (high & ~entryBits.copied.high) >>> 0;
  if (budget.bytes < 0 || !budget.decoded.add(descriptor, table.low(entry))) return;
  budget.bytes -= mapping.geometry.clusterSize;
  if (budget.bytes < 0) {
    if (findings.count("diskproof.work.budget") === 0) overBudget(findings);
    return;
  }
  const content = image.reader.decompressed(at);
  if (!(content instanceof Uint8Array)) {
    findings.add(content.rule, content.place, content.message);
  }
}

/** Judges the offsets of the refcount blocks, which are not checked on open. */
export function judgeRefcountTable(
  { stored, mapping }: Pick<TableJudgement, "stored" | "mapping">,
  findings: Findings,
): void {
  const { table } = stored;
  const { clusterSize } = mapping.geometry;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    if (stored.blockOffset(i) % BigInt(clusterSize) === 0n) continue;
    addBroken(refcountTableEntry, { refcount_table_entry: table.value(i) }, {
      rule: "qcow2.refblock.aligned",
      place: { path: `/reftable/${i}/refcount_table_entry`, offset: table.offsetOf(i) },
      context: { "cluster size": clusterSize },
      findings,
    });
  }
}
