import { type ByteSource, roundUp, SECTOR } from "../../bytes/mod.ts";
import {
  AccessError,
  DISK_HEAD_BYTES,
  type DiskEnd,
  diskEnd,
  type KnownFacts,
  REQUEST_END_MAX,
} from "../../format/mod.ts";
import { Qcow2Layer } from "../layer.ts";
import { checkedImage, type Evaluation, l1Entries } from "./candidate.ts";
import { entriesAt } from "./other_tables.ts";
import { limits } from "../structures.ts";
import type { Survey } from "./survey.ts";

/** The virtual size that is proposed, in bytes. */
export interface VirtualSize {
  readonly value: number;
  /** What it is based on. */
  readonly note: string;
  /** What was found, as a sentence. */
  readonly sign?: string;
  /** The range that the tables allow; both ends are equal where the size is known. */
  readonly from: number;
  readonly to: number;
}

/** The virtual size of a candidate: the tables only bound it, and snapshots and the guest's disk tell. */
export function sizeOf(
  source: ByteSource,
  evaluation: Evaluation,
  { survey, known }: { survey: Survey; known: KnownFacts },
): VirtualSize {
  const { candidate, geometry } = evaluation;
  const to = Math.min(l1Entries(candidate) * geometry.l2Coverage, Number(REQUEST_END_MAX));
  const before = (candidate.l1.clusters - 1) * geometry.tableEntries * geometry.l2Coverage;
  // Entries at even places may be extended ones, each of which takes two.
  const share = isDoubtful(evaluation, survey) ? 2 : 1;
  const lastCluster = Math.max(0, survey.end / share - geometry.clusterSize);
  const from = survey.entries === 0 && before <= 0 ? 0 : Math.max(lastCluster, before, 0) + SECTOR;
  const exact = (value: number, note: string, sign?: string): VirtualSize => ({
    ...{ value, note, from: value, to: value },
    ...(sign === undefined ? {} : { sign }),
  });
  if (known.virtualSize !== undefined) return exact(known.virtualSize, "as given");
  const end = guestEnd(source, evaluation, survey);
  if (end?.exact && end.size >= from && end.size <= to) {
    return exact(end.size, "by the GPT of the guest", end.sign);
  }
  const { snapshots } = candidate;
  const last = snapshots === undefined
    ? undefined
    : entriesAt(source, snapshots, geometry.clusterSize).at(-1);
  const taken = Number(last?.diskSize ?? 0);
  if (taken >= from && taken <= to) {
    return { value: taken, note: "as of the last snapshot", from, to };
  }
  const least = Math.max(survey.end, from, end !== undefined && end.size <= to ? end.size : 0);
  const value = roundUp(Math.min(least, Math.max(to, from)), SECTOR);
  const sign = end === undefined ? {} : { sign: end.sign };
  return { value, note: `the least; at most ${to}`, from, to: Math.max(to, from), ...sign };
}

/** Whether the tables leave it open that L2 entries are extended. */
export function isDoubtful(
  { candidate: { extendedL2, reftable } }: Evaluation,
  { entries, odd }: Survey,
): boolean {
  return !extendedL2 && entries > 0 && odd === 0 &&
    reftable.clusterBits >= limits.extendedClusterBits;
}

/** The end of the guest's disk by its partition table. */
function guestEnd(
  source: ByteSource,
  { candidate, geometry }: Evaluation,
  { compression = "deflate" }: Survey,
): DiskEnd | undefined {
  if (candidate.dataFile || candidate.luks !== undefined) return undefined;
  const facts = { size: BigInt(geometry.l2Coverage), compression };
  const { file, snapshots, bitmaps } = checkedImage(source, candidate, facts);
  const layer = new Qcow2Layer({ file, geometry, snapshots, bitmaps, encryption: undefined });
  const head = new Uint8Array(DISK_HEAD_BYTES);
  for (const run of layer.runs(0, Math.min(layer.virtualSize, head.length))) {
    if (run.broken !== undefined) return undefined;
    if (run.kind !== "data" && run.kind !== "compressed") continue;
    try {
      layer.readRun(run, 0, head.subarray(run.start, run.start + run.length));
    } catch (error) {
      if (error instanceof AccessError) return undefined;
      throw error;
    }
  }
  return diskEnd(head);
}
