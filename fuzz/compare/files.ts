import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import type { ByteSource } from "../../src/bytes/mod.ts";

const CHUNK = 2 ** 20;
/** Of a file with long holes, less is written at once: few of its bytes are not zeros. */
const SPARSE_CHUNK = 2 ** 16;
/** A longer hole cannot be written in negligible time. */
const HOLE_MAX = 2 ** 25;

/**
 * Writes a file without holes, except for those of more than 32 MiB: qemu-img's map of an image depends
 * on which parts the file system stores.
 */
export function writeDensely(path: string, source: ByteSource): void {
  // A file that is there is not emptied first: ext4 would then write it to the disk when it is closed.
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    const isSparse = hasFarHole(source);
    if (isSparse) ftruncateSync(fd, 0);
    for (const [from, to] of writtenParts(source)) {
      writeAll(fd, source.read(from, to - from), from);
    }
    if (isSparse) writeAll(fd, source.read(source.size - 1, 1), source.size - 1);
    else ftruncateSync(fd, source.size);
  } finally {
    closeSync(fd);
  }
}

/** The number of bytes that are written of a file. */
export function writtenSize(source: ByteSource): number {
  if (source.nextData === undefined) return source.size;
  let size = 0;
  for (const [from, to] of writtenParts(source)) size += to - from;
  return size;
}

/** Whether a file has a hole that is not written. */
export function hasFarHole(source: ByteSource): boolean {
  return source.size > HOLE_MAX && writtenSize(source) < source.size;
}

function* writtenParts(source: ByteSource): Generator<[from: number, to: number]> {
  const isLong = source.size > HOLE_MAX;
  for (let at = 0; at < source.size;) {
    const next = isLong ? source.nextData?.(at) ?? at : at;
    if (next - at > HOLE_MAX) {
      at = next;
      continue;
    }
    const to = Math.min(at + (isLong ? SPARSE_CHUNK : CHUNK), source.size);
    yield [at, to];
    at = to;
  }
}

/** Writes bytes at an offset. */
export function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}
