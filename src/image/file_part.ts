import { type ByteSource, roundUp, SECTOR, WindowSource } from "../bytes/mod.ts";
import type { Part } from "./json_target.ts";

/** A part of a file, which is closed with it. */
class FilePart extends WindowSource {
  /** The whole file. */
  readonly file: ByteSource;
  /** Where the part starts in it. */
  readonly start: number;

  constructor(source: ByteSource, { offset, size }: Part) {
    super(source, offset, size);
    const { file, start } = wholeFile(source);
    this.file = file;
    this.start = start + offset;
  }

  close(): void {
    this.file.close?.();
  }
}

/** The file that a source is a part of, or all of, and where it starts in the file. */
export function wholeFile(source: ByteSource): { file: ByteSource; start: number } {
  return source instanceof FilePart ? source : { file: source, start: 0 };
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
