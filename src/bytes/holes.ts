import { FileSource, type Hole } from "./file.ts";
import type { ByteSource } from "./source.ts";

/** Allocation unit of the file system: Linux's page and ext4's default block. */
const BLOCK = 4096;
/** Number of bytes per read. */
const CHUNK = 2 ** 20;
/** Number of blocks that are read to estimate the holes of a file. */
const SAMPLES = 2 ** 16;

/**
 * The known holes of a file in `[from, to)`.
 *
 * QEMU always treats the part between the end of the file and the next sector boundary as a hole.
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

/** Whether the file system stores less than the length of the file. */
export function isSparse(source: FileSource): boolean {
  return source.allocated !== undefined && source.allocated < source.size;
}

/**
 * An estimate of the holes of a sparse file: runs of zeros, longest first, whose total length is that of
 * the unallocated part.
 *
 * Neither Node nor Deno can use the kernel's SEEK_HOLE. The estimate may treat stored zeros as a hole,
 * and in files of more than 256 MiB only some blocks are sampled, so that data between them may be
 * missed. It is used for `map` and never for reading content.
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

/** The blocks of a source. Adjacent ones are read together. */
class Blocks {
  readonly #source: ByteSource;
  readonly #buffer: Uint8Array;
  #from = 0;
  #to = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    // If samples are far apart, the bytes between them are not read.
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

  /** Finds the boundary of zeros between two blocks, one of which is all zeros. */
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

/** Words that are looked at together. */
const STRIDE = 8;

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  // Words of 32 bits: until V8 has compiled the loop, it makes an object of each wider integer.
  const words = bytes.byteOffset % 4 === 0 ? bytes.length >>> 2 : 0;
  const wide = new Int32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  const whole = words - words % STRIDE;
  for (let i = 0; i < whole; i += STRIDE) {
    const some = (wide[i] as number) | (wide[i + 1] as number) | (wide[i + 2] as number) |
      (wide[i + 3] as number) | (wide[i + 4] as number) | (wide[i + 5] as number) |
      (wide[i + 6] as number) | (wide[i + 7] as number);
    if (some !== 0) return false;
  }
  for (let i = whole; i < words; i++) if (wide[i] !== 0) return false;
  for (let i = words * 4; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
