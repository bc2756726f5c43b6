import { type ByteSource, PatchedSource, roundUp, SECTOR, storedSize } from "../../bytes/mod.ts";
import { EntryTable, type KnownFacts, type WorkBudget } from "../../format/mod.ts";
import { Findings } from "../../rules/mod.ts";
import { type CheckedImage, countRefblocks, countReferences } from "../check/check.ts";
import { StoredRefcounts } from "../check/refcounts.ts";
import { CheckAborted, References } from "../check/references.ts";
import { TableWalk } from "../check/tables.ts";
import { decodeQcow2 } from "../decode.ts";
import { type DirectoryPlace, extensionsOf } from "../encode/extensions.ts";
import { encodeFirstCluster } from "../encode/first_cluster.ts";
import type { FoundRule } from "../findings.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import { readBitmaps } from "../judge/bitmaps.ts";
import { readSnapshotTable } from "../judge/snapshots.ts";
import { header as headerStruct, l1Entry, limits } from "../structures.ts";
import type { Reftable } from "./reftables.ts";

/** A table of whole clusters. */
export interface ClusterRange {
  readonly offset: number;
  /** Length in clusters. */
  readonly clusters: number;
}

/** Where the header of an image may have led to. */
export interface Candidate {
  readonly reftable: Reftable;
  readonly extendedL2: boolean;
  /** Guest clusters are in another file. */
  readonly dataFile: boolean;
  readonly l1: ClusterRange;
  readonly snapshots?: { readonly offset: number; readonly count: number };
  readonly directory?: DirectoryPlace;
  /** The encryption header. */
  readonly luks?: { readonly offset: number; readonly length: number };
}

/** What the header says beside places. */
export interface HeaderFacts extends KnownFacts {
  readonly size: bigint;
  readonly compression: "deflate" | "zstd";
}

/** How well a candidate explains a file. */
export interface Evaluation {
  readonly candidate: Candidate;
  readonly geometry: Geometry;
  /** Clusters whose refcount is not the number of references. */
  readonly mismatches: number;
  /** Entries that no image has. */
  readonly corruptions: number;
  /** Offsets of the first clusters in use that nothing refers to. */
  readonly unexplained: readonly number[];
  /** Bytes that something refers to. */
  readonly explained: number;
  /** The greater, the better. */
  readonly score: number;
  /** Guest clusters with a place: of two that explain as much, the one with more is better. */
  readonly allocated: number;
}

/** Clusters that nothing refers to and that are looked at. */
const UNEXPLAINED_MAX = 2 ** 14;

/** The geometry of a candidate. */
export function candidateGeometry({ reftable, extendedL2 }: Candidate): Geometry {
  return geometryOf({ ...reftable, extendedL2 });
}

/** The entries of a candidate's L1 table. */
export function l1Entries(candidate: Candidate): number {
  const { tableEntries } = candidateGeometry(candidate);
  return Math.min(candidate.l1.clusters * tableEntries, limits.l1Table / l1Entry.size);
}

/** The first cluster that a candidate needs, as far as it is used. */
export function firstCluster(candidate: Candidate, facts: HeaderFacts): Uint8Array {
  const { reftable, l1, snapshots, directory, luks } = candidate;
  const { size, compression, backing, dataFile = "", aes = false } = facts;
  const places = {
    l1: { offset: l1.offset, entries: l1Entries(candidate) },
    reftable,
    directory,
    luks,
    ...(snapshots === undefined ? {} : { snapshots }),
  };
  const kind = luks !== undefined ? "luks" as const : aes ? "aes" as const : undefined;
  const said = {
    size,
    compression,
    version: 3 as const,
    clusterBits: reftable.clusterBits,
    refcountOrder: reftable.refcountOrder,
    extendedL2: candidate.extendedL2,
    headerLength: headerStruct.size,
    lazyRefcounts: false,
    featureTable: false,
    ...(backing === undefined ? {} : { backing }),
    ...(candidate.dataFile ? { dataFile: { name: dataFile, raw: false } } : {}),
    ...(kind === undefined ? {} : { encryption: { kind } }),
  };
  return encodeFirstCluster(said, places, extensionsOf(said, places)).bytes;
}

const NO_FACTS: HeaderFacts = { size: 0n, compression: "deflate" };

/** The parts of an image that check works on. */
export function checkedImage(
  source: ByteSource,
  candidate: Candidate,
  facts: HeaderFacts = NO_FACTS,
): CheckedImage {
  const header = { offset: 0, bytes: firstCluster(candidate, facts) };
  const file = decodeQcow2(new PatchedSource(source, [header]));
  const geometry = candidateGeometry(candidate);
  const { l1, dataFile } = candidate;
  return {
    file,
    context: { geometry, version: 3, dataFile },
    size: 0,
    l1: new EntryTable(source, l1.offset, l1Entries(candidate)),
    snapshots: readSnapshotTable(file),
    bitmaps: readBitmaps(file),
  };
}

/** Counts the references of a candidate, and compares them with the stored refcounts. */
export function evaluate(
  source: ByteSource,
  candidate: Candidate,
  work: WorkBudget,
): Evaluation {
  const image = checkedImage(source, candidate);
  const { geometry } = image.context;
  const length = { length: roundUp(source.size, SECTOR), stored: storedSize(source) };
  const references = new References(length, geometry, new Findings<FoundRule>());
  const stored = new StoredRefcounts(image.file, geometry);
  let aborted = false;
  const walk = new TableWalk(image.file.source, image.context, references);
  walk.limit(work.left);
  const before = walk.left;
  try {
    countReferences(image, walk, references);
    countRefblocks(stored, references, image);
  } catch (error) {
    if (!(error instanceof CheckAborted)) throw error;
    aborted = true;
  }
  work.left -= before - walk.left;
  const { corruptions } = references;
  const counted = compare(stored, references, { size: source.size, work, ...geometry });
  const { mismatches, explained } = counted;
  const wrong = (2 * corruptions + mismatches) * geometry.clusterSize;
  const score = aborted ? -Infinity : (2 * explained - wrong) / source.size;
  const { allocated } = walk.statistics;
  return { candidate, geometry, corruptions, ...counted, score, allocated };
}

function compare(
  stored: StoredRefcounts,
  references: References,
  { clusterSize, size, work }: {
    readonly clusterSize: number;
    readonly size: number;
    readonly work: WorkBudget;
  },
): Pick<Evaluation, "mismatches" | "unexplained" | "explained"> {
  const unexplained: number[] = [];
  let mismatches = 0;
  let explained = 0;
  const next = (from: number): number => references.nextCounted(from, stored);
  for (let i = next(0); i < references.clusters && work.left > 0; i = next(i + 1)) {
    work.left--;
    const refcount = stored.of(i);
    const expected = references.of(i);
    if (expected > 0) explained += Math.min(clusterSize, Math.max(0, size - i * clusterSize));
    if (refcount === expected) continue;
    mismatches++;
    if (expected === 0 && unexplained.length < UNEXPLAINED_MAX) unexplained.push(i * clusterSize);
  }
  return { mismatches, unexplained, explained };
}

/** Whether a candidate explains every refcount and every entry. */
export function isExact({ mismatches, corruptions, score }: Evaluation): boolean {
  return mismatches === 0 && corruptions === 0 && score > -Infinity;
}

/** Orders candidates, the best first. */
export function byScore(a: Evaluation, b: Evaluation): number {
  return b.score - a.score || b.allocated - a.allocated;
}
