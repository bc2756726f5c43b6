import type { EntryTable, Run, RunKind } from "../format/mod.ts";
import { firstBroken } from "../layout/mod.ts";
import {
  classOf,
  type EntryContext,
  type EntryPlace,
  entryProblem,
  hostOffset,
} from "./l2_entries.ts";
import { SUBCLUSTERS } from "./geometry.ts";
import type { L2Cache, L2Table } from "./l2_tables.ts";
import { masked } from "./entry_bits.ts";
import { entryBits, l1Entry } from "./structures.ts";
import { type Broken } from "./findings.ts";

/** The data that the runs of an image are computed from. */
export interface Mapping extends EntryContext {
  readonly l1: EntryTable;
  readonly l2: L2Cache;
  /** `/` for the active image, `/snapshot[n]/` for a snapshot. */
  readonly path: string;
}

/** Merges adjacent runs that continue each other. */
class Joiner {
  #start = 0;
  #length = 0;
  #kind: RunKind = "unallocated";
  #host: number | undefined;

  /** Adds a run. Returns the previous run if the new one does not continue it. */
  push(start: number, length: number, kind: RunKind, host: number | undefined): Run | undefined {
    const continues = this.#length > 0 && kind === this.#kind && kind !== "compressed" &&
      host === (this.#host === undefined ? undefined : this.#host + this.#length);
    if (continues) {
      this.#length += length;
      return undefined;
    }
    const done = this.flush();
    this.#start = start;
    this.#length = length;
    this.#kind = kind;
    this.#host = host;
    return done;
  }

  flush(): Run | undefined {
    if (this.#length === 0) return undefined;
    const run = { start: this.#start, length: this.#length, kind: this.#kind };
    const host = this.#host;
    this.#length = 0;
    return host === undefined ? run : { ...run, host };
  }
}

/** Maximum number of tables that are read before a run is returned. */
const TABLES_PER_RUN = 64;

/**
 * The runs of `[from, to)`, in order and without gaps. A run that spans many tables is returned in
 * pieces, so that the caller can stop early.
 */
export function* mappedRuns(mapping: Mapping, from: number, to: number): Generator<Run> {
  const joiner = new Joiner();
  let given = mapping.l2.tablesRead;
  for (const part of parts(mapping, from, to)) {
    if (mapping.l2.tablesRead >= given + TABLES_PER_RUN) {
      given = mapping.l2.tablesRead;
      const piece = joiner.flush();
      if (piece !== undefined) yield piece;
    }
    const done = part.broken === undefined
      ? joiner.push(part.start, part.length, part.kind, part.host)
      : joiner.flush();
    if (done !== undefined) yield done;
    if (part.broken !== undefined) yield part;
  }
  const last = joiner.flush();
  if (last !== undefined) yield last;
}

/** Runs before merging, cut to `[from, to)`. */
function* parts(mapping: Mapping, from: number, to: number): Generator<Run> {
  const { l1 } = mapping;
  const { l2Coverage } = mapping.geometry;
  let position = from;
  while (position < to) {
    const index = Math.floor(position / l2Coverage);
    const end = Math.min(to, (index + 1) * l2Coverage);
    const offset = index < l1.length
      ? masked(l1.high(index), l1.low(index), entryBits.l1Offset)
      : 0;
    if (offset === 0) {
      const next = Math.min(to, l1.nextNonZero(index + 1) * l2Coverage);
      const until = index + 1 < l1.length ? next : to;
      yield { start: position, length: until - position, kind: "unallocated" };
      position = until;
      continue;
    }
    const broken = tableProblem(mapping, index, offset);
    if (broken !== undefined) {
      yield { start: position, length: end - position, kind: "unallocated", broken };
    } else {
      yield* tableParts(mapping, { table: mapping.l2.at(offset), index }, [position, end]);
    }
    position = end;
  }
}

/** An entry of the L1 table as a place. */
export function placeOfL1Entry(
  { l1, path }: Mapping,
  index: number,
): { path: string; offset: number } {
  return { path: `${path}l1/${index}/l1_entry`, offset: l1.offsetOf(index) };
}

function tableProblem(mapping: Mapping, index: number, offset: number): Broken | undefined {
  if (offset % mapping.geometry.clusterSize === 0) return undefined;
  return firstBroken(l1Entry, { l1_entry: mapping.l1.value(index) }, {
    context: { "cluster size": mapping.geometry.clusterSize },
    place: () => placeOfL1Entry(mapping, index),
    rules: ["qcow2.l1e.aligned"],
  });
}

/** The part of a guest's disk that one L2 table describes. */
function* tableParts(
  mapping: Mapping,
  place: { table: L2Table; index: number },
  [from, to]: [number, number],
): Generator<Run> {
  const { clusterSize, l2Coverage, extendedL2 } = mapping.geometry;
  const { table } = place;
  const base = place.index * l2Coverage;
  let position = from;
  while (position < to) {
    const entry = Math.floor((position - base) / clusterSize);
    const guest = base + entry * clusterSize;
    if (table.high(entry) === 0 && table.low(entry) === 0 && !hasBitmap(table, entry)) {
      const next = table.nextNonZero(entry);
      const until = next < table.stored ? Math.min(to, base + next * clusterSize) : to;
      yield { start: position, length: until - position, kind: "unallocated" };
      position = until;
      continue;
    }
    const cut: Cut = { guest, from: position, to: Math.min(to, guest + clusterSize) };
    if (extendedL2) {
      yield* subclusterParts(mapping, { ...place, entry }, cut);
      position = cut.to;
      continue;
    }
    const part = plainPart(mapping, { ...place, entry }, cut);
    const isAlone = part.host === undefined || part.broken !== undefined;
    const until = isAlone ? cut.to : Math.min(to, guest + table.sequence(entry) * clusterSize);
    yield { ...part, length: until - position };
    position = until;
  }
}

function hasBitmap(table: L2Table, entry: number): boolean {
  return table.allocated(entry) !== 0 || table.zero(entry) !== 0;
}

/** The requested bytes of one guest cluster. */
interface Cut {
  /** Guest offset of the cluster. */
  readonly guest: number;
  readonly from: number;
  readonly to: number;
}

interface EntryAt {
  readonly table: L2Table;
  /** L1 index of the table. */
  readonly index: number;
  readonly entry: number;
}

/** Position of an entry, for findings. */
export function placeOfEntry(path: string, at: EntryAt, guest: number): EntryPlace {
  return {
    guest,
    path: `${path}l2[${at.index}]/${at.entry}/l2_entry`,
    offset: at.table.offsetOf(at.entry),
  };
}

function problemAt(mapping: Mapping, at: EntryAt, guest: number): Broken | undefined {
  const entry = at.table.entry(at.entry);
  // Most entries are valid, and their paths would be made for nothing.
  if (entryProblem(entry, mapping, { guest, path: "", offset: 0 }) === undefined) return undefined;
  return entryProblem(entry, mapping, placeOfEntry(mapping.path, at, guest));
}

function plainPart(mapping: Mapping, at: EntryAt, cut: Cut): Run {
  const high = at.table.high(at.entry);
  const low = at.table.low(at.entry);
  const start = cut.from;
  const length = cut.to - cut.from;
  const broken = problemAt(mapping, at, cut.guest);
  const kind = classOf(high, low, mapping);
  if (broken !== undefined) {
    // The offset does not change what a zero cluster reads as, nor one without allocated subclusters.
    const isZero = kind === "zero-allocated" && broken.rule !== "qcow2.l2e.zero-v2" ||
      mapping.geometry.extendedL2 && kind === "normal" && at.table.allocated(at.entry) === 0;
    return { start, length, kind: isZero ? "zero" : "unallocated", broken };
  }
  if (kind === "unallocated") return { start, length, kind };
  if (kind === "compressed") return { start, length, kind };
  if (kind === "zero-plain") return { start, length, kind: "zero" };
  const runKind = kind === "normal" ? "data" : "zero";
  return { start, length, kind: runKind, host: hostOffset(high, low) + cut.from - cut.guest };
}

/** A cluster with subclusters: one run for each sequence of equal subclusters. */
function* subclusterParts(mapping: Mapping, at: EntryAt, cut: Cut): Generator<Run> {
  const whole = plainPart(mapping, at, cut);
  if (whole.broken !== undefined || whole.kind === "compressed") {
    yield whole;
    return;
  }
  const { subclusterSize } = mapping.geometry;
  const allocated = at.table.allocated(at.entry);
  const zero = at.table.zero(at.entry);
  let position = cut.from;
  while (position < cut.to) {
    const first = Math.floor((position - cut.guest) / subclusterSize);
    const kind = subclusterKind(allocated, zero, first);
    let next = first + 1;
    while (next < SUBCLUSTERS && subclusterKind(allocated, zero, next) === kind) next++;
    const until = Math.min(cut.to, cut.guest + next * subclusterSize);
    const run = { start: position, length: until - position, kind };
    yield whole.host === undefined ? run : { ...run, host: whole.host + position - cut.from };
    position = until;
  }
}

function subclusterKind(allocated: number, zero: number, index: number): RunKind {
  if ((zero >>> index & 1) === 1) return "zero";
  return (allocated >>> index & 1) === 1 ? "data" : "unallocated";
}
