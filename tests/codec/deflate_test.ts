import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { inflateRawSync } from "node:zlib";
import { deflateCluster, type DeflateOptions } from "../../src/codec/mod.ts";
import { fromHex, repeated, SENTENCE } from "./bytes.ts";
import { concat, Random } from "./random.ts";

const TEXT = repeated(SENTENCE, 512);

/** zlib 1.2.13 with window bits -12, memory level 9 and the default level made these. */
const OF_TEXT =
  "0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7" +
  "eb29848c2a1e6e8a01";
const OF_TEXT_FLUSHED =
  "0ac94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7" +
  "eb29848c2a1e6e8a01000000ffff";
const OF_SQUARES =
  "636064e11490543174084ca99cb0f2c8435635cfbca9fb5e4a7b55af7b2c1f31f98248e88cbb9a457bf9e3d6b3c7" +
  "6c16cc39a9dbf731fa90c16cde9ab7a9b7c2cefb9f09b818792feb73b3e812abb3e9cc736c6ed62a1f2b90395aaa" +
  "7eadc7e5e7d662e30f5baa9c782e2f2c74167f716056598889d8d7db87d7ce6c2fcf8c0df67675b4b77774f50e8e" +
  "cd2c6f9fb9f6f0edaf62262165b30ebc10772e5c7899c7a96acb07e3e2ad3f5d7aaea9971e952938a65c7bd3660e" +
  "73fa59ab25a2cd9fb3ee455e0c38e37f3eec56eadb1aded90687a23ff6e99ecc11dc1cc3be3e8e7f6f91e6dd19a1" +
  "22172647c83f5e57ed25fd72dfd43c4f35d68747564ea84c097430549114e064616418f5ba432000";

Deno.test("deflateCluster() writes what zlib writes with QEMU's settings", () => {
  assertEquals(deflateCluster(TEXT), fromHex(OF_TEXT));
  assertEquals(deflateCluster(TEXT, { finish: false }), fromHex(OF_TEXT_FLUSHED));
  const squares = Uint8Array.from({ length: 512 }, (_, i) => (i * i) % 251);
  assertEquals(deflateCluster(squares), fromHex(OF_SQUARES));
});

Deno.test("deflateCluster() writes valid streams with every option", () => {
  const content = new Random(1).content(40_000);
  const sizes = new Set<number>();
  const choices: DeflateOptions[] = [
    ...([-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((level) => ({ level })),
    ...([9, 10, 11, 12, 13, 14, 15] as const).map((windowBits) => ({ windowBits })),
    ...([1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((memLevel) => ({ memLevel })),
    ...(["filtered", "huffman-only", "rle", "fixed"] as const).map((strategy) => ({ strategy })),
  ];
  for (const options of choices) {
    const stream = deflateCluster(content, options);
    assertEquals(Uint8Array.from(inflateRawSync(stream)), content, JSON.stringify(options));
    sizes.add(stream.length);
  }
  assertGreater(sizes.size, 15);
});

Deno.test("deflateCluster() writes streams that can be joined if they are not finished", () => {
  const content = new Random(2).content(5000);
  const stream = concat(
    deflateCluster(content.subarray(0, 2000), { finish: false }),
    deflateCluster(content.subarray(2000)),
  );
  assertEquals(Uint8Array.from(inflateRawSync(stream)), content);
});

Deno.test("deflateCluster() stores at level 0", () => {
  const stream = deflateCluster(TEXT, { level: 0 });
  // A final stored block (RFC 1951, 3.2.4): 512 is 0x0200, and its complement follows.
  assertEquals(stream.subarray(0, 5), Uint8Array.of(1, 0, 2, 0xff, 0xfd));
  assertEquals(stream.subarray(5), TEXT);
});

Deno.test("deflateCluster() deflates nothing", () => {
  // An empty final fixed block.
  assertEquals(deflateCluster(new Uint8Array(0)), Uint8Array.of(3, 0));
});

Deno.test("deflateCluster() rejects an option out of range", () => {
  for (const options of [{ level: 10 }, { windowBits: 8 }, { windowBits: 16 }, { memLevel: 0 }]) {
    assertThrows(
      () => deflateCluster(TEXT, options as unknown as DeflateOptions),
      RangeError,
      "Cannot deflate a cluster: level",
    );
  }
  assert(deflateCluster(TEXT, { windowBits: 9, memLevel: 1 }).length > 0);
});
