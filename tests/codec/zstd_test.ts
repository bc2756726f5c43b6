import { assert, assertEquals, assertThrows } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import { unzstdCluster, zstdCluster, type ZstdOptions } from "../../src/codec/mod.ts";
import { fromHex, repeated, SENTENCE } from "./bytes.ts";
import { concat, Random } from "./random.ts";

const TEXT = repeated(SENTENCE, 512);

/** libzstd's own result for a single frame. */
function unzstd(frame: Uint8Array): Uint8Array {
  return Uint8Array.from(zstdDecompressSync(frame));
}

Deno.test("zstdCluster() writes one frame with a content size and no checksum, as QEMU does", () => {
  const frame = zstdCluster(TEXT);
  // RFC 8878, 3.1.1.1: single segment, two bytes of size, which stand for 256 more.
  assertEquals(frame.subarray(0, 7), fromHex("28b52ffd 60 0001"));
  assertEquals(unzstd(frame), TEXT);
});

Deno.test("zstdCluster() writes valid frames with every option", () => {
  const content = new Random(1).content(300_000);
  const choices: ZstdOptions[] = [
    ...[-7, -1, 1, 3, 9, 19, 22].map((level) => ({ level })),
    ...[10, 17, 27].map((windowLog) => ({ windowLog })),
    ...[10, 17, 27].map((windowLog) => ({ windowLog, contentSize: false })),
    ...[10, 17, 27].map((windowLog) => ({ windowLog, contentSize: false, stored: true })),
    { checksum: true },
    { contentSize: false },
    { stored: true },
  ];
  for (const options of choices) {
    assertEquals(unzstd(zstdCluster(content, options)), content, JSON.stringify(options));
  }
});

Deno.test("zstdCluster() adds a checksum and omits the content size on request", () => {
  // RFC 8878, 3.1.1.1.1: the checksum flag is bit 2; without size and segment the rest is 0.
  assertEquals(zstdCluster(TEXT, { checksum: true })[4], 0x64);
  assertEquals(zstdCluster(TEXT, { contentSize: false })[4], 0x00);
  assertEquals(zstdCluster(TEXT, { contentSize: false, checksum: true })[4], 0x04);
});

Deno.test("zstdCluster() stores raw blocks and runs", () => {
  const content = concat(Uint8Array.of(1, 2, 3), new Uint8Array(1021).fill(9), TEXT);
  const blocks = concat(
    // Windows of 1 KiB hold blocks of 1 KiB: 3 and 1021 bytes raw, then the text, the last.
    fromHex("002000"),
    content.subarray(0, 1024),
    fromHex("011000"),
    TEXT,
  );
  assertEquals(
    zstdCluster(content, { stored: true, windowLog: 10 }),
    concat(fromHex("28b52ffd 80 00 00060000"), blocks),
  );
  assertEquals(
    zstdCluster(new Uint8Array(512).fill(7), { stored: true, contentSize: false }),
    fromHex("28b52ffd 00 38 031000 07"),
  );
  assertEquals(unzstd(zstdCluster(content, { stored: true, windowLog: 10 })), content);
});

Deno.test("zstdCluster() writes several frames, skippable and empty ones among them", () => {
  const stream = zstdCluster(TEXT, {
    stored: true,
    contentSize: false,
    parts: [
      { kind: "skippable", length: 2, variant: 15 },
      { kind: "content", length: 0 },
      { kind: "content", length: 100 },
    ],
  });
  assertEquals(
    stream,
    concat(
      fromHex("5f2a4d18 02000000 0000"),
      fromHex("28b52ffd 00 38 010000"),
      fromHex("28b52ffd 00 38 210300"),
      TEXT.subarray(0, 100),
      fromHex("28b52ffd 00 38 e10c00"),
      TEXT.subarray(100),
    ),
  );
  const again = unzstdCluster(stream, 512);
  assert(again.ok);
  assertEquals(again.bytes, TEXT);
});

Deno.test("zstdCluster() writes no frame after parts with all the content", () => {
  const parts = [{ kind: "content", length: 512 }] as const;
  assertEquals(zstdCluster(TEXT, { parts }), zstdCluster(TEXT));
  assertEquals(unzstd(zstdCluster(new Uint8Array(0))), new Uint8Array(0));
});

Deno.test("zstdCluster() writes frames with another header, which libzstd accepts", () => {
  const wide = zstdCluster(TEXT, { restated: "window" });
  // The window: 17 in five bits above 10, which is 2^27 bytes.
  assertEquals([...wide.subarray(4, 6)], [0x00, 17 << 3]);
  assertEquals(unzstd(wide), TEXT);
  const overstated = zstdCluster(TEXT, { restated: "size" });
  // Two bytes state the size less 256.
  assertEquals([...overstated.subarray(4, 8)], [0x40, 7 << 3, 1, 1]);
  assertEquals(unzstdCluster(overstated, TEXT.length), { ok: true, bytes: TEXT });
  // libzstd compares the size with the content only if it has room for as much as the frame states.
  assertEquals(new Uint8Array(zstdDecompressSync(overstated, { chunkSize: TEXT.length })), TEXT);
  assertThrows(() => unzstd(overstated));
});

Deno.test("zstdCluster() rejects an option out of range", () => {
  const refused: [ZstdOptions, string][] = [
    [{ level: 23 }, "Cannot compress a cluster: no level 23 in zstd"],
    [{ windowLog: 9 }, "Cannot compress a cluster: window log 9 is out of range"],
    [{ windowLog: 28 }, "Cannot compress a cluster: window log 28 is out of range"],
    [{ windowLog: 42, stored: true }, "Cannot compress a cluster: window log 42 is out of range"],
    [
      { parts: [{ kind: "skippable", length: 0, variant: 16 }] },
      "Cannot write a skippable frame: no magic number 16",
    ],
  ];
  for (const [options, message] of refused) {
    assertThrows(() => zstdCluster(TEXT, options), RangeError, message);
  }
  assert(zstdCluster(TEXT, { windowLog: 41, stored: true }).length > 512);
});
