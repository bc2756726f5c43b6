import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Decompressed, inflateCluster } from "../../src/codec/mod.ts";
import { fromHex, repeated, SENTENCE } from "./bytes.ts";
import { BitWriter, blockStart, fixedSymbol, storedBlock } from "./deflate_streams.ts";
import { concat, Random } from "./random.ts";

const CLUSTER = 512;
const TEXT = repeated(SENTENCE, CLUSTER);

/** Made by zlib 1.2.13 with window bits -12, memory level 9 and the default level. */
const ZLIB = {
  whole:
    "0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb29848c2a1e" +
    "6e8a01",
  oneByteLess:
    "0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb29848c2a1e" +
    "668a01",
  oneByteMore:
    "0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb29848c2a1e" +
    "6e8a2300",
  flushed:
    "0ac94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb29848c2a1e" +
    "6e8a01000000ffff",
  wrapped:
    "789c0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb29848c" +
    "2a1e6e8a018bafb7da",
};

function assertText(result: Decompressed): void {
  assert(result.ok, result.ok ? "" : result.reason);
  assertEquals(result.bytes, TEXT);
}

function assertRefused(result: Decompressed, reason: string): void {
  assert(!result.ok, "accepted");
  assertStringIncludes(result.reason, reason);
}

/** A stored block of the whole text that is not the last one, for something to follow. */
function fullAndOpen(): BitWriter {
  return storedBlock(new BitWriter(), TEXT);
}

function inflate(bits: BitWriter): Decompressed {
  return inflateCluster(bits.done(), CLUSTER);
}

Deno.test("inflateCluster() inflates a stream of zlib", () => {
  assertText(inflateCluster(fromHex(ZLIB.whole), CLUSTER));
  const abc = inflateCluster(fromHex("4b4c4a0600"), 3);
  assert(abc.ok);
  assertEquals(abc.bytes, Uint8Array.of(97, 98, 99));
});

Deno.test("inflateCluster() rejects a stream that ends one byte short", () => {
  assertRefused(
    inflateCluster(fromHex(ZLIB.oneByteLess), CLUSTER),
    "the deflate stream ends after 511 of 512 bytes",
  );
});

Deno.test("inflateCluster() truncates a stream that is longer than the cluster", () => {
  assertText(inflateCluster(fromHex(ZLIB.oneByteMore), CLUSTER));
  assertText(inflateCluster(fromHex(ZLIB.whole), CLUSTER));
});

Deno.test("inflateCluster() ignores data after the final block", () => {
  const stream = fromHex(ZLIB.whole);
  assertText(inflateCluster(concat(stream, new Uint8Array(300)), CLUSTER));
  assertText(inflateCluster(concat(stream, new Uint8Array(300).fill(0xff)), CLUSTER));
});

Deno.test("inflateCluster() does not require the end of the stream, but all content", () => {
  // Three bits of header, 24 of literals, seven of end: the last byte holds the last two of these.
  const stream = fromHex("4b4c4a0600");
  for (const length of [5, 4]) assert(inflateCluster(stream.subarray(0, length), 3).ok);
  assertRefused(inflateCluster(stream.subarray(0, 3), 3), "cut off after 2 of 3 bytes");
  assertRefused(inflateCluster(new Uint8Array(0), CLUSTER), "cut off after 0 of 512 bytes");
});

Deno.test("inflateCluster() accepts a flushed stream at the end of the input, but not before zeros", () => {
  const stream = fromHex(ZLIB.flushed);
  assertText(inflateCluster(stream, CLUSTER));
  // Three bits open a stored block and two bytes are its length: only then comes the check.
  assertText(inflateCluster(concat(stream, new Uint8Array(4)), CLUSTER));
  assertRefused(
    inflateCluster(concat(stream, new Uint8Array(5)), CLUSTER),
    "malformed after 512 of 512 bytes: invalid stored block lengths",
  );
});

Deno.test("inflateCluster() accepts a match that reaches back 32 KiB", () => {
  const noise = new Random(1).bytes(32768);
  const bits = storedBlock(new BitWriter(), noise);
  // Length 3 is symbol 257; distance code 29 with thirteen ones is 32768.
  fixedSymbol(blockStart(bits, 1, true), 257).code(29, 5).number(0x1fff, 13);
  fixedSymbol(bits, 256);
  const result = inflateCluster(bits.done(), 32768 + 3);
  assert(result.ok);
  assertEquals(result.bytes, concat(noise, noise.subarray(0, 3)));
});

Deno.test("inflateCluster() rejects a match that reaches back before the start", () => {
  const reach = (distanceCode: number) => {
    const bits = fixedSymbol(blockStart(new BitWriter(), 1, true), 65);
    fixedSymbol(bits, 257).code(distanceCode, 5);
    return inflateCluster(fixedSymbol(bits, 256).done(), 4);
  };
  const last = reach(0);
  assert(last.ok);
  assertEquals(last.bytes, Uint8Array.of(65, 65, 65, 65));
  assertRefused(reach(1), "invalid distance too far back");
});

Deno.test("inflateCluster() rejects the wrapper of zlib", () => {
  assertRefused(inflateCluster(fromHex(ZLIB.wrapped), CLUSTER), "the deflate stream is malformed");
});

Deno.test("inflateCluster() reads on after a full cluster through empty blocks", () => {
  const bits = storedBlock(fullAndOpen(), new Uint8Array(0));
  fixedSymbol(blockStart(bits, 1), 256);
  storedBlock(bits, new Uint8Array(0), { final: true });
  assertText(inflate(bits));
});

Deno.test("inflateCluster() rejects an error after a full cluster", () => {
  assertRefused(inflate(blockStart(fullAndOpen(), 3)), "invalid block type");
  assertRefused(
    inflate(storedBlock(fullAndOpen(), new Uint8Array(0), { sound: false })),
    "invalid stored block lengths",
  );
  // 286 has a code and no meaning.
  assertRefused(
    inflate(fixedSymbol(blockStart(fullAndOpen(), 1), 286)),
    "invalid literal/length code",
  );
  assertRefused(
    inflate(fixedSymbol(blockStart(fullAndOpen(), 1), 257).code(30, 5)),
    "invalid distance code",
  );
});

Deno.test("inflateCluster() stops after a full cluster at the first data that needs space", () => {
  const garbage = new Uint8Array(20).fill(0xff);
  assertText(inflate(fixedSymbol(blockStart(fullAndOpen(), 1), 65).raw(garbage)));
  assertText(inflate(storedBlock(fullAndOpen(), Uint8Array.of(1)).raw(garbage)));
  // The match is not carried out, so that nobody sees how far it would reach back.
  const farMatch = fixedSymbol(blockStart(fullAndOpen(), 1), 257).code(29, 5).number(0x1fff, 13);
  assertText(inflate(farMatch.raw(garbage)));
});

Deno.test("inflateCluster() returns only one cluster of a stream for many", () => {
  const bits = fixedSymbol(blockStart(new BitWriter(), 1), 65);
  // Symbol 285 is a match of 258 bytes: 50,000 of them are 12.9 MB.
  for (let i = 0; i < 50_000; i++) fixedSymbol(bits, 285).code(0, 5);
  const result = inflate(bits);
  assert(result.ok);
  assertEquals(result.bytes, new Uint8Array(CLUSTER).fill(65));
});

Deno.test("inflateCluster() returns bytes that share no memory with the input", () => {
  const stream = storedBlock(new BitWriter(), TEXT, { final: true }).done();
  const result = inflateCluster(stream, CLUSTER);
  stream.fill(0);
  assertText(result);
});
