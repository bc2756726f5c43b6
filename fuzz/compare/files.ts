import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import type { ByteSource } from "../../src/bytes/mod.ts";

const CHUNK = 2 ** 20;

/**
 * Writes a file without holes: qemu-img's map of an image depends on which parts the file system
 * stores.
 */
export function writeDensely(path: string, source: ByteSource): void {
  // A file that is there is not emptied first: ext4 would then write it to the disk when it is closed.
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    for (let at = 0; at < source.size; at += CHUNK) {
      const bytes = source.read(at, Math.min(CHUNK, source.size - at));
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(fd, bytes, done, bytes.length - done, at + done);
      }
    }
    ftruncateSync(fd, source.size);
  } finally {
    closeSync(fd);
  }
}
