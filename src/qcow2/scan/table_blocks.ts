import { type ByteSource, isZero, SECTOR } from "../../bytes/mod.ts";
import { entryBits, l1Entry } from "../structures.ts";

/** A range of blocks, each of which may be a part of a table; in bytes. */
export interface TableRun {
  readonly start: number;
  readonly end: number;
}

/** The places of a file that look like tables of offsets. */
export interface TableBlocks {
  readonly runs: readonly TableRun[];
  /** Offsets of blocks that may start a refcount table. */
  readonly reftables: readonly number[];
  /** There are more of them than are remembered. */
  readonly more: boolean;
}

/** Bytes per read. */
const CHUNK = 2 ** 20;
/** The smallest cluster: each table starts at a multiple of it. */
const BLOCK = SECTOR;
/** Places that are remembered: a hostile file has nothing but tables. */
const RUNS_MAX = 2 ** 17;
const REFTABLES_MAX = 2 ** 16;

/** The cluster size that QEMU uses unless another is chosen. */
const USUAL_CLUSTER = 2 ** 16;

const HALF = l1Entry.size / 2;
const RESERVED = entryBits.l1Reserved;
const COPIED = entryBits.copied.high;

/** What a block may be. */
type Kind = "other" | "table" | "reftable";

/** Reads a file once, and finds the blocks that consist of offsets into it. */
export function findTables(source: ByteSource): TableBlocks {
  const runs: TableRun[] = [];
  const reftables: number[] = [];
  const buffer = new Uint8Array(CHUNK);
  const view = new DataView(buffer.buffer);
  const words = new Uint32Array(buffer.buffer);
  let more = false;
  let continued = -1;
  let run: { start: number; end: number } | undefined;
  for (let at = 0; at < source.size; at += CHUNK) {
    source.readInto(at, buffer);
    const length = Math.min(CHUNK, source.size - at);
    if (isZero(buffer)) continue;
    for (let block = 0; block < length; block += BLOCK) {
      const used = firstUsed(words, block);
      if (used === block + BLOCK) continue;
      const kind = kindOf(view, { from: block, used }, source.size);
      if (kind === "other") continue;
      const offset = at + block;
      if (kind === "reftable") {
        // The blocks of a table follow each other; what was before it may look like it.
        const starts = continued !== offset || offset % USUAL_CLUSTER === 0;
        if (starts && reftables.length < REFTABLES_MAX) reftables.push(offset);
        continued = offset + BLOCK;
      }
      if (run?.end === offset) {
        run.end += BLOCK;
        continue;
      }
      run = { start: offset, end: offset + BLOCK };
      if (runs.length < RUNS_MAX) runs.push(run);
      else more = true;
    }
  }
  return { runs, reftables, more: more || reftables.length === REFTABLES_MAX };
}

/** The first entry of a block that is not 0; the end of the block if there is none. */
function firstUsed(words: Uint32Array, from: number): number {
  let at = from / HALF;
  const end = at + BLOCK / HALF;
  while (at < end && words[at] === 0) at++;
  return at * HALF - at * HALF % l1Entry.size;
}

/** Whether a block consists of offsets into the file; those before `used` are 0. */
function kindOf(
  view: DataView,
  { from, used }: { from: number; used: number },
  size: number,
): Kind {
  let copied = false;
  for (let at = used; at < from + BLOCK; at += l1Entry.size) {
    const high = view.getUint32(at);
    const low = view.getUint32(at + HALF);
    if ((high | low) === 0) continue;
    if ((high & RESERVED.high) !== 0 || (low & RESERVED.low) !== 0) return "other";
    const offset = (high & entryBits.l1Offset.high) * 2 ** 32 + low;
    if (offset === 0 || offset >= size) return "other";
    copied ||= (high & COPIED) !== 0;
  }
  return used === from && !copied ? "reftable" : "table";
}
