import type { Mutant } from "../mutant.ts";

/** Bugs of deflate and zstd. */
export const codec: readonly Mutant[] = [
  {
    name: "zstd-content-size-of-two-bytes",
    what: "256 is not added to a zstd content size of two bytes",
    file: "src/codec/zstd_frame.ts",
    text: "const contentSize = contentWidth === 2 ? content + 256 : content;",
    by: "const contentSize = content;",
    names: "compressed",
  },
  {
    name: "zstd-checksum-not-skipped",
    what: "the next zstd frame is searched where the checksum is",
    file: "src/codec/zstd_frame.ts",
    text: "const end = blocks.end + (header.checksum ? CHECKSUM_SIZE : 0);",
    by: "const end = blocks.end;",
    names: "compressed",
  },
  {
    name: "zstd-single-segment",
    what: "a zstd frame with a single segment is read as if it had a window",
    file: "src/codec/zstd_frame.ts",
    text: "const dictionaryAt = at + 5 + (singleSegment ? 0 : 1);",
    by: "const dictionaryAt = at + 6;",
    names: "compressed",
  },
  {
    name: "zstd-skippable-frame",
    what: "the length of a skippable zstd frame does not include its header",
    file: "src/codec/zstd_frame.ts",
    text: "const size = SKIPPABLE_HEADER_SIZE + length;",
    by: "const size = length;",
    names: "compressed",
  },
  {
    name: "zstd-run-length-block",
    what: "a zstd block of one repeated byte is skipped by the length of its content",
    file: "src/codec/zstd_frame.ts",
    text: "position += BLOCK_HEADER_SIZE + (type === RLE_BLOCK ? 1 : size);",
    by: "position += BLOCK_HEADER_SIZE + size;",
    names: "compressed",
  },
  {
    name: "zstd-frame-end",
    what: "what follows a short zstd frame ends the cluster, and the rest is zeros",
    file: "src/codec/unzstd.ts",
    text: 'if (typeof frame === "string") return refused(`the zstd frame at ${at} ${frame}`);',
    by: 'if (typeof frame === "string") {\n' +
      "      if (filled > 0) break;\n" +
      "      return refused(`the zstd frame at ${at} ${frame}`);\n    }",
    names: "compressed",
  },
  {
    name: "zstd-window-limit",
    what: "the largest window of zstd is 64 MiB, not 128 MiB",
    file: "src/codec/unzstd.ts",
    text: "const WINDOW_MAX = 2 ** 27 + 1;",
    by: "const WINDOW_MAX = 2 ** 26 + 1;",
    names: "compressed",
  },
  {
    name: "deflate-ends-early",
    what: "a deflate stream that ends early fills the cluster with zeros",
    file: "src/codec/inflate.ts",
    text: "return full\n" +
      "      ? { ok: true, bytes: bytes.slice() }\n" +
      "      : refused(`the deflate stream ends ${progress}`);",
    by: "return { ok: true, bytes: bytes.slice() };",
    names: "compressed",
  },
  {
    name: "deflate-without-end",
    what: "a deflate stream without an end is rejected, although the cluster is complete",
    file: "src/codec/inflate.ts",
    text: "return full\n" +
      "      ? { ok: true, bytes: bytes.slice() }\n" +
      "      : refused(`the deflate stream is cut off ${progress}`);",
    by: "return refused(`the deflate stream is cut off ${progress}`);",
    names: "compressed",
  },
  {
    name: "zstd-run-of-one-byte",
    what: "a run block of zstd counts as its one stored byte",
    file: "src/codec/zstd_frame.ts",
    text: "contentMax += type === COMPRESSED_BLOCK ? BLOCK_CONTENT_MAX : size;",
    by:
      "contentMax += type === COMPRESSED_BLOCK ? BLOCK_CONTENT_MAX : type === RLE_BLOCK ? 1 : size;",
    names: "zstd",
  },
];
