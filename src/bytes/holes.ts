import { FileSource, type Hole } from "./file.ts";
import type { ByteSource } from "./source.ts";

/** The unit in which file systems allocate here; Linux's page and ext4's default block. */
const BLOCK = 4096;
/** Bytes that are read at once. */
const CHUNK = 2 ** 20;
/** Blocks of a file that are read for an estimate of its holes. */
const SAMPLES = 2 ** 16;

/**
 * The holes of a file in `[from, to)`, where they are known.
 *
 * The part between the end of the file and the next sector boundary is a hole to QEMU in any case.
 *
 * @param holes in order; by default those of the source
 */
export function* holesOf(
  source: ByteSource,
  range: { from: number; to: number },
  holes: readonly Hole[] = source instanceof FileSource ? source.holes ?? [] : [],
): Generator<Hole> {
  for (let at = firstEndingAfter(holes, range.from); at < holes.length; at++) {
    const { start, length } = holes[at] as Hole;
    const from = Math.max(start, range.from);
    const to = Math.min(start + length, range.to, source.size);
    if (start >= range.to) break;
    if (to > from) yield { start: from, length: to - from };
  }
  const from = Math.max(range.from, source.size);
  if (range.to > from) yield { start: from, length: range.to - from };
}

function firstEndingAfter(holes: readonly Hole[], offset: number): number {
  let low = 0;
  let high = holes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { start, length } = holes[middle] as Hole;
    if (start + length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether the file system stores less than the file is long. */
export function isSparse(source: FileSource): boolean {
  return source.allocated !== undefined && source.allocated < source.size;
}

/**
 * What the holes of a sparse file probably are: runs of zeros that add up to what is not stored, the
 * longest first.
 *
 * The kernel knows (SEEK_HOLE), but neither Node nor Deno can ask it. An estimate takes zeros that were
 * written for a hole, and of a file of more than 256 MiB only one block in so many is read, so that data
 * between two of these may be missed: it is for a map, and never for reading content.
 */
export function estimateHoles(source: FileSource): Hole[] {
  let left = Math.ceil((source.size - (source.allocated ?? source.size)) / BLOCK) * BLOCK;
  const chosen: Hole[] = [];
  for (const run of [...zeroRuns(source)].sort((a, b) => b.length - a.length)) {
    if (run.length > left) continue;
    chosen.push(run);
    left -= run.length;
  }
  return chosen.sort((a, b) => a.start - b.start);
}

function* zeroRuns(source: ByteSource): Generator<Hole> {
  const blocks = new Blocks(source);
  const step = Math.ceil(source.size / SAMPLES / BLOCK) * BLOCK;
  let start: number | undefined;
  for (let at = 0; at < source.size; at += step) {
    const zero = blocks.isZero(at);
    if (zero === (start !== undefined)) continue;
    const edge = at === 0 ? 0 : blocks.edge(at - step, at);
    if (start !== undefined) yield { start, length: edge - start };
    start = zero ? edge : undefined;
  }
  const end = Math.ceil(source.size / BLOCK) * BLOCK;
  if (start !== undefined) yield { start, length: end - start };
}

/** The blocks of a source, of which neighbours are read together. */
class Blocks {
  readonly #source: ByteSource;
  readonly #buffer: Uint8Array;
  #from = 0;
  #to = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    // Where samples are far apart, reading what is between them would only cost time.
    this.#buffer = new Uint8Array(source.size > SAMPLES * BLOCK ? BLOCK : CHUNK);
  }

  isZero(offset: number): boolean {
    if (offset < this.#from || offset >= this.#to) {
      this.#source.readInto(offset, this.#buffer);
      this.#from = offset;
      this.#to = offset + this.#buffer.length;
    }
    const at = offset - this.#from;
    return isZero(this.#buffer.subarray(at, at + BLOCK));
  }

  /** Where zeros begin or end between two blocks of which one is zeros. */
  edge(before: number, behind: number): number {
    const wanted = this.isZero(behind);
    let [low, high] = [before, behind];
    while (high - low > BLOCK) {
      const middle = low + Math.floor((high - low) / 2 / BLOCK) * BLOCK;
      if (this.isZero(middle) === wanted) high = middle;
      else low = middle;
    }
    return high;
  }
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  const words = bytes.byteOffset % 8 === 0 ? bytes.length >>> 3 : 0;
  const wide = new BigUint64Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  for (let i = 0; i < words; i++) if (wide[i] !== 0n) return false;
  for (let i = words * 8; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
