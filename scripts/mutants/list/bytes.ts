import type { Mutant } from "../mutant.ts";

/** Bugs of byte sources and numbers. */
export const bytes: readonly Mutant[] = [
  {
    name: "round-up-32-bits",
    what: "rounding up works with 32 bits, so sizes from 2 GiB are wrong",
    file: "src/bytes/numbers.ts",
    text: "return over === 0 ? value : value - over + unit;",
    by: "return over === 0 ? value : (value - over + unit) | 0;",
    names: "0x",
  },
  {
    name: "window-at-start-of-file",
    what: "a long read of a part of a file starts at the offset in the file",
    file: "src/bytes/window.ts",
    text: "return this.#base.read(this.#offset + offset, length);",
    by: "return this.#base.read(offset, length);",
    names: "luks",
  },
  {
    name: "buffer-ends-short",
    what: "a read that crosses the end of the buffer returns fewer bytes",
    file: "src/bytes/buffered.ts",
    text: "return at >= 0 && at + length <= this.#window.length;",
    by: "return at >= 0 && at < this.#window.length;",
    names: "snapshot",
  },
  {
    name: "end-of-memory-not-zeroed",
    what: "the part of a read past the end of the file keeps what the buffer had before",
    file: "src/bytes/memory.ts",
    text: "target.fill(0, stored.length);",
    by: "if (stored.length > 0) target.fill(0, stored.length);",
    names: "l2",
  },
  {
    name: "last-byte-of-segment",
    what: "a read that starts in the last byte of a segment finds the next segment",
    file: "src/bytes/segments.ts",
    text: "segment.bytes.length > offset - segment.offset) high = middle;",
    by: "segment.bytes.length > offset - segment.offset + 1) high = middle;",
    names: "",
  },
  {
    name: "hole-past-the-range",
    what: "a hole of a sparse file is not cut at the end of the range",
    file: "src/bytes/holes.ts",
    text: "const to = Math.min(start + length, range.to, source.size);",
    by: "const to = Math.min(start + length, source.size);",
    names: "",
  },
  {
    name: "partial-entry-is-zero",
    what: "a table entry that the end of the file cuts is read as zero",
    file: "src/format/entry_table.ts",
    text: "Math.ceil(bytes / ENTRY_BYTES)",
    by: "Math.floor(bytes / ENTRY_BYTES)",
    names: "l2",
  },
];
