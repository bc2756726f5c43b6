import { type ByteSource, roundUp, SECTOR, WindowSource } from "../bytes/mod.ts";
import type { Part } from "./json_target.ts";

/** A part of a file, which is closed with it. */
class FilePart extends WindowSource {
  readonly #file: ByteSource;

  constructor(file: ByteSource, { offset, size }: Part) {
    super(file, offset, size);
    this.#file = file;
  }

  close(): void {
    this.#file.close?.();
  }
}

/** A part of a file, a part of that, and so on; or why QEMU opens no such part. */
export function partOf(file: ByteSource, parts: readonly Part[]): ByteSource | string {
  let source = file;
  for (const part of parts) {
    const { offset, size = 0 } = part;
    const whole = roundUp(source.size, SECTOR);
    if (size % SECTOR !== 0) return `the part of ${size} bytes is not a multiple of ${SECTOR}`;
    if (offset + size > whole) {
      return `the part of ${size} bytes at ${offset} ends past its ${whole} bytes`;
    }
    source = new FilePart(source, part);
  }
  return source;
}
