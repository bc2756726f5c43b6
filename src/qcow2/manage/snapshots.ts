import { utf8 } from "../../bytes/mod.ts";
import { EditError, imageText, type SnapshotEditor } from "../../format/mod.ts";
import type { Snapshot } from "../snapshots.ts";
import { l1Entry, limits } from "../structures.ts";
import type { WritableImage } from "../write/image.ts";
import { storeTable } from "../write/tables.ts";
import { activeL1, l1Of, tablesOf } from "../write/walk.ts";
import type { Qcow2Bitmaps } from "./bitmaps.ts";
import { encodedSnapshots, encodeSnapshot, snapshotTable } from "./snapshot_table.ts";
import { Transition } from "./transition.ts";
import { clearFlags, countTree, replacedL1, retabled } from "./trees.ts";

const SECOND = 1_000_000_000n;

/** Changes the internal snapshots of an image. */
export class Qcow2Snapshots implements SnapshotEditor {
  readonly #image: WritableImage;
  readonly #bitmaps: Qcow2Bitmaps;

  /** @param bitmaps which follow the size of the disk */
  constructor(image: WritableImage, bitmaps: Qcow2Bitmaps) {
    this.#image = image;
    this.#bitmaps = bitmaps;
  }

  create(name: string): string {
    return this.#change((snapshots) => {
      if (snapshots.length >= limits.snapshots) {
        throw new EditError(`An image has at most ${limits.snapshots} snapshots`);
      }
      const id = nextId(snapshots);
      this.#create(snapshots, { id: utf8(id), name: nameBytes(name) });
      return id;
    });
  }

  /** Keeps the current tables for a snapshot, which shares all clusters with the active image. */
  #create(
    snapshots: readonly Snapshot[],
    { id, name }: { id: Uint8Array; name: Uint8Array },
  ): void {
    const image = this.#image;
    const transition = new Transition(image);
    const l1 = activeL1(image);
    const table = retabled(image, {
      transition,
      l1,
      entries: l1.length,
      isCopied: () => false,
    });
    const fields = replacedL1(image, transition, table);
    const kept = storeTable(image, table);
    countTree(image, l1Of(image, fields), { transition, delta: 1 });
    const now = image.options.now?.() ?? 0n;
    const entry = encodeSnapshot({
      id,
      name,
      l1_table_offset: BigInt(kept),
      l1_size: l1.length,
      date_sec: Number(now / SECOND),
      date_nsec: Number(now % SECOND),
      vm_clock_nsec: 0n,
      vmStateSize: 0n,
      diskSize: BigInt(image.virtualSize),
    });
    transition.commit({
      ...fields,
      ...snapshotTable(image, transition, [...encodedSnapshots(image, snapshots), entry]),
    });
  }

  apply(name: string): void {
    this.#change((snapshots) => {
      const snapshot = find(snapshots, name);
      const size = snapshot.diskSize ?? BigInt(this.#image.virtualSize);
      if (size !== BigInt(this.#image.virtualSize) && this.#image.version < 3) {
        throw new EditError("An image of version 2 with snapshots cannot have another size");
      }
      this.#bitmaps.resized(Number(size), () => this.#apply(snapshot, size));
    });
  }

  #apply(snapshot: Snapshot, size: bigint): void {
    const image = this.#image;
    const transition = new Transition(image);
    const active = activeL1(image);
    const kept = l1Of(image, snapshot);
    const seen = new Set(Array.from(tablesOf(active), ([, offset]) => offset));
    for (const [, offset] of tablesOf(kept)) if (!seen.has(offset)) clearFlags(image, offset);
    countTree(image, active, { transition, delta: -1 });
    countTree(image, kept, { transition, delta: 1 });
    const entries = Math.max(active.length, kept.length);
    const table = retabled(image, { transition, l1: kept, entries, isCopied: () => false });
    transition.commit({ ...replacedL1(image, transition, table), size });
  }

  delete(name: string): void {
    this.#change((snapshots) => {
      const gone = find(snapshots, name);
      const image = this.#image;
      const transition = new Transition(image);
      const kept = l1Of(image, gone);
      countTree(image, kept, { transition, delta: -1 });
      transition.release(kept.offset, kept.length * l1Entry.size);
      const active = activeL1(image);
      const table = retabled(image, {
        transition,
        l1: active,
        entries: active.length,
        isCopied: (cluster) => transition.countOf(cluster) === 1,
      });
      const fields = replacedL1(image, transition, table);
      const rest = snapshots.filter((snapshot) => snapshot !== gone);
      transition.commit({
        ...fields,
        ...snapshotTable(image, transition, encodedSnapshots(image, rest)),
      });
    });
  }

  #change<T>(body: (snapshots: readonly Snapshot[]) => T): T {
    const image = this.#image;
    return image.change(() => {
      if (image.context.dataFile) {
        throw new EditError("An image with an external data file cannot have snapshots");
      }
      return body([...image.opened.snapshots.snapshots]);
    });
  }
}

/** One more than the largest number that an id starts with. */
function nextId(snapshots: readonly Snapshot[]): string {
  const numbers = snapshots.map(({ id }) => BigInt(/^\d+/.exec(imageText(id))?.[0] ?? "0"));
  return String(numbers.reduce((a, b) => a > b ? a : b, 0n) + 1n);
}

function nameBytes(name: string): Uint8Array {
  const bytes = utf8(name);
  if (bytes.length > limits.listedName || bytes.includes(0)) {
    throw new EditError(`A name has at most ${limits.listedName} bytes, and none of them is NUL`);
  }
  return bytes;
}

/** @throws {EditError} if there is no such snapshot */
function find(snapshots: readonly Snapshot[], name: string): Snapshot {
  const found = snapshots.find(({ id }) => imageText(id) === name) ??
    snapshots.find((snapshot) => imageText(snapshot.name) === name);
  if (found === undefined) throw new EditError(`There is no snapshot '${name}'`);
  return found;
}
