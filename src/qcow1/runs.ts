import type { Run } from "../format/mod.ts";
import { type Entry, kindOf, offsetOf } from "./entry.ts";
import { tableFault } from "./judge/entries.ts";
import type { Qcow1Image } from "./image.ts";

/** The guest bytes of `[from, to)`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** The guest bytes that one entry, or a range without entries, describes. */
interface Piece {
  readonly run: Run;
  /** Where `run.host` is set: the entry that it is, exactly. */
  readonly host?: Entry;
}

/**
 * The runs of guest bytes, as in QEMU's block status (qcow_co_block_status), with neighbours merged as
 * `map` does. The cost depends on the allocated clusters.
 */
export function* clusterRuns(image: Qcow1Image, range: Range): Generator<Run> {
  const to = Math.min(range.to, image.virtualSize);
  let last: Piece | undefined;
  for (const piece of pieces(image, { from: range.from, to })) {
    if (last !== undefined && follows(last, piece)) {
      last = { ...last, run: { ...last.run, length: last.run.length + piece.run.length } };
    } else {
      if (last !== undefined) yield last.run;
      last = piece;
    }
  }
  if (last !== undefined) yield last.run;
}

function* pieces(image: Qcow1Image, { from, to }: Range): Generator<Piece> {
  const { l2Coverage } = image.geometry;
  const l1End = Math.ceil(to / l2Coverage);
  for (let start = from; start < to;) {
    const index = Math.floor(start / l2Coverage);
    const used = image.l1.nextNonZero(index, l1End);
    const end = Math.min(to, Math.max(used, index + 1) * l2Coverage);
    if (used > index) {
      yield { run: { start, length: end - start, kind: "unallocated" } };
    } else {
      yield* tablePieces(image, { index, from: start, to: end });
    }
    start = end;
  }
}

/** The pieces of guest bytes that one L1 entry covers. */
function* tablePieces(image: Qcow1Image, range: Range & { index: number }): Generator<Piece> {
  const { index, from, to } = range;
  const { l2Coverage, clusterSize } = image.geometry;
  const entry = image.l1.entry(index);
  const broken = tableFault(image, entry, index);
  if (broken !== undefined) {
    yield { run: { start: from, length: to - from, kind: "data", broken } };
    return;
  }
  const table = image.l2(entry);
  const base = index * l2Coverage;
  const tableEnd = Math.ceil((to - base) / clusterSize);
  for (let start = from; start < to;) {
    const cluster = Math.floor((start - base) / clusterSize);
    const used = table.nextNonZero(cluster, tableEnd);
    const end = Math.min(to, base + Math.max(used, cluster + 1) * clusterSize);
    const run = { start, length: end - start };
    if (used > cluster) yield { run: { ...run, kind: "unallocated" } };
    else yield clusterPiece(image, table.entry(cluster), run);
    start = end;
  }
}

/**
 * The piece of a cluster. Its `host` is the bitwise OR of the entry and the offset in the cluster at
 * which the query starts. If the cluster is not aligned and the query starts inside it, this is not the
 * offset of the bytes, but it is what `map` prints.
 */
function clusterPiece(image: Qcow1Image, entry: Entry, run: Omit<Run, "kind">): Piece {
  if (kindOf(entry) === "compressed") return { run: { ...run, kind: "compressed" } };
  if (image.encrypted) return { run: { ...run, kind: "data" } };
  const inCluster = run.start % image.geometry.clusterSize;
  const host = { high: entry.high, low: (entry.low | inCluster) >>> 0 };
  return { run: { ...run, kind: "data", host: offsetOf(host) }, host };
}

function follows(last: Piece, next: Piece): boolean {
  if (last.run.kind !== next.run.kind) return false;
  if (last.run.broken !== undefined || next.run.broken !== undefined) return false;
  if (last.host === undefined || next.host === undefined) return last.host === next.host;
  return distance(last.host, next.host) === last.run.length;
}

/** Bytes from one offset to another: exact for those below 2^53. */
function distance(from: Entry, to: Entry): number {
  return (to.high - from.high) * 0x100000000 + (to.low - from.low);
}
