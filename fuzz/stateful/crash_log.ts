import {
  type ByteSource,
  type ByteStore,
  MemoryStore,
  roundDown,
  roundUp,
  SECTOR,
} from "../../src/bytes/mod.ts";
import { seededBytes } from "../../src/format/mod.ts";
import type { CaseFile } from "../engine/mod.ts";

/** What was done to a file. */
type Change =
  & { readonly file: string }
  & (
    | { readonly offset: number; readonly bytes: Uint8Array }
    | { readonly size: number }
    | { readonly flush: true }
  );

/** Files as a crash may leave them. */
export interface Crashed {
  /** Which of the changes since the last flush reached the disk, in words. */
  readonly says: string;
  readonly files: readonly CaseFile[];
}

/** Bounds of the states that are enumerated: prefixes of the changes, and other choices of them. */
export interface CrashBounds {
  readonly prefixesMax: number;
  readonly others: number;
  readonly seed: number;
  /** Bytes that are written at once or not at all; a sector by default. */
  readonly unit?: number;
}

/**
 * Records the changes of files between flushes, and enumerates what a crash may leave of them: those
 * before the last flush of a file are there, and any of the later ones may be. A write may be torn
 * between sectors.
 */
export class CrashLog {
  /** The files with all changes that are durable. */
  readonly #durable = new Map<string, MemoryStore>();
  #changes: Change[] = [];

  /** The store of a file, whose changes are recorded. */
  store({ name, source }: CaseFile): ByteStore {
    this.#durable.set(name, new MemoryStore(source));
    return new RecordedStore(source, (change) => this.#changes.push({ file: name, ...change }));
  }

  /** Number of changes of which some may be lost. */
  get pending(): number {
    return this.#changes.length;
  }

  /** Makes durable what was flushed; the rest may still be lost. */
  settle(): void {
    const left = new Set(this.#unflushed(this.#changes.length));
    for (const change of this.#changes.filter((it) => !left.has(it))) {
      this.#apply(this.#durable, change);
    }
    this.#changes = [...left];
  }

  /** What a crash may leave now. */
  *crashes({ prefixesMax, others, seed, unit = SECTOR }: CrashBounds): Generator<Crashed> {
    const all = this.#changes;
    const step = Math.max(1, Math.ceil(all.length / prefixesMax));
    for (let end = 0; end <= all.length; end += step) {
      yield this.#crashed(all.slice(0, end), `the first ${end} of ${all.length} changes`);
    }
    const draw = drawing(seed);
    for (let i = 0; i < others && all.length > 0; i++) {
      const end = 1 + draw(all.length);
      const loose = new Set(this.#unflushed(end));
      const kept = all.slice(0, end).filter((change) => !loose.has(change) || draw(2) === 0);
      const torn = draw(2) === 0 ? kept.findLast((change) => loose.has(change)) : undefined;
      const changes = kept.map((change) => change === torn ? tornAt(change, unit, draw) : change);
      const numbers = kept.map((change) => all.indexOf(change)).join(" ");
      const tear = torn === undefined ? "" : ", the last one torn";
      yield this.#crashed(changes, `the changes ${numbers} of ${all.length}${tear}`);
    }
  }

  /** The changes before `end` that no flush of their file follows before `end`. */
  #unflushed(end: number): Change[] {
    const left: Change[] = [];
    const flushed = new Set<string>();
    for (let i = end - 1; i >= 0; i--) {
      const change = this.#changes[i];
      if (change === undefined || flushed.has(change.file)) continue;
      if ("flush" in change) flushed.add(change.file);
      else left.unshift(change);
    }
    return left;
  }

  #crashed(changes: readonly Change[], says: string): Crashed {
    const stores = new Map(
      [...this.#durable].map(([name, store]) => [name, new MemoryStore(store)]),
    );
    for (const change of changes) this.#apply(stores, change);
    return { says, files: [...stores].map(([name, source]) => ({ name, source })) };
  }

  #apply(stores: ReadonlyMap<string, MemoryStore>, change: Change): void {
    const store = stores.get(change.file);
    if ("bytes" in change) store?.write(change.offset, change.bytes);
    else if ("size" in change) store?.resize(change.size);
  }
}

/** The first units of a write. */
function tornAt(change: Change, unit: number, draw: (count: number) => number): Change {
  if (!("bytes" in change)) return change;
  const ends: number[] = [];
  for (let end = unit - change.offset % unit; end < change.bytes.length; end += unit) {
    ends.push(end);
  }
  const end = ends[draw(Math.max(1, ends.length))];
  return end === undefined ? change : { ...change, bytes: change.bytes.subarray(0, end) };
}

/** Draws numbers below a count. */
function drawing(seed: number): (count: number) => number {
  const bytes = seededBytes(seed);
  return (count) => {
    const [a = 0, b = 0, c = 0] = bytes(4);
    return (a + 256 * b + 65536 * c) % count;
  };
}

type Noted =
  | { readonly offset: number; readonly bytes: Uint8Array }
  | { readonly size: number }
  | { readonly flush: true };

/** A store that tells what is done to it. */
class RecordedStore extends MemoryStore {
  readonly #note: (change: Noted) => void;

  constructor(base: ByteSource, note: (change: Noted) => void) {
    super(base);
    this.#note = note;
  }

  /** A disk writes whole sectors, with what else is in them. */
  override write(offset: number, bytes: Uint8Array): void {
    super.write(offset, bytes);
    const from = roundDown(offset, SECTOR);
    const to = Math.min(this.size, roundUp(offset + bytes.length, SECTOR));
    this.#note({ offset: from, bytes: this.read(from, to - from) });
  }

  override resize(size: number): void {
    this.#note({ size });
    super.resize(size);
  }

  override flush(): void {
    this.#note({ flush: true });
  }
}
