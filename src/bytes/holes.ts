import { FileSource, type Hole } from "./file.ts";
import type { ByteSource } from "./source.ts";

/** The unit in which file systems allocate here; Linux's page and ext4's default block. */
const BLOCK = 4096;
const CHUNK = 2 ** 20;

/**
 * The holes of a file in `[from, to)`.
 *
 * qemu-img asks the kernel (SEEK_HOLE), which neither Node nor Deno can. Where nobody else has asked
 * for us, what is known is how many bytes the file system has stored. Where that is the whole file,
 * there are no holes; where it is less, so many blocks of zeros are taken for holes as are missing,
 * the longest runs first. That can be wrong for zeros that were written, and then only in what `map`
 * calls zero: content is the same either way.
 *
 * What lies between the end of the file and the next sector boundary is a hole to QEMU in any case.
 */
export function* holesOf(
  source: ByteSource,
  range: { from: number; to: number },
): Generator<Hole> {
  if (source instanceof FileSource && isSparse(source)) {
    source.holes ??= guessHoles(source, source.size - (source.allocated ?? 0));
    for (const { start, length } of source.holes) {
      const from = Math.max(start, range.from);
      const to = Math.min(start + length, range.to, source.size);
      if (to > from) yield { start: from, length: to - from };
    }
  }
  const from = Math.max(range.from, source.size);
  if (range.to > from) yield { start: from, length: range.to - from };
}

/** Whether the file system stores less than the file is long. */
export function isSparse(source: FileSource): boolean {
  return source.allocated !== undefined && source.allocated < source.size;
}

/** Runs of zero blocks that add up to what is missing, as nearly as whole runs do. */
function guessHoles(source: ByteSource, missing: number): Hole[] {
  let left = Math.ceil(missing / BLOCK) * BLOCK;
  const chosen: Hole[] = [];
  for (const run of [...zeroRuns(source)].sort((a, b) => b.length - a.length)) {
    if (run.length > left) continue;
    chosen.push(run);
    left -= run.length;
  }
  return chosen.sort((a, b) => a.start - b.start);
}

function* zeroRuns(source: ByteSource): Generator<Hole> {
  let start = -1;
  const buffer = new Uint8Array(CHUNK);
  for (let at = 0; at < source.size; at += CHUNK) {
    source.readInto(at, buffer);
    for (let i = 0; i < CHUNK && at + i < source.size; i += BLOCK) {
      const zero = isZero(buffer.subarray(i, i + BLOCK));
      if (zero && start < 0) start = at + i;
      if (!zero && start >= 0) {
        yield { start, length: at + i - start };
        start = -1;
      }
    }
  }
  const end = Math.ceil(source.size / BLOCK) * BLOCK;
  if (start >= 0) yield { start, length: end - start };
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  const words = bytes.byteOffset % 8 === 0 ? bytes.length >>> 3 : 0;
  const wide = new BigUint64Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  for (let i = 0; i < words; i++) if (wide[i] !== 0n) return false;
  for (let i = words * 8; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
