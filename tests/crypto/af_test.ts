import { assertEquals, assertThrows } from "@std/assert";
import { afMerge, afSplit, hash, hashNames, hashTable } from "../../src/crypto/mod.ts";

/** Bytes that go up by seven. */
function material(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 7 * i);
}

/**
 * The first bytes of what 40 stripes of 64 bytes, and 9 stripes of 24 bytes, merge to.
 *
 * Made by a program in Python after section 2.4 of the LUKS1 On-Disk Format 1.2.3, with the hashes of
 * OpenSSL 3.0. Digests of 20, 28 and 48 bytes divide neither length.
 */
const MERGED = {
  md5: ["0026d9e57ea541ea5af6c8449e79f31f", "9bcd247f5c303ca2a436589e9b8b19b0"],
  sha1: ["bae5ed15ae22a64dbb9fab2dbed7ecbf", "2d0fb1d8c0427314614237d25f908d6c"],
  sha224: ["18f4001810bfe0fe959330ca29919a42", "312d1539524b48120e3622438210c950"],
  sha256: ["1c02f0bf848a22b72933ff4fa530d5ee", "d2f7fce5fa03bdcb9fa501e1da598432"],
  sha384: ["2e0d1553f0f5f956f93907f498bab5bb", "7dd2ba8d914e5adac6268c4ae27dda2d"],
  sha512: ["d4cbcfaecdfd4e84b49c896953c5f57c", "be5a55c21ee46c91eddd33836c4d13bb"],
  ripemd160: ["cead2b3928200c07ebe70558df461fa5", "eb6b180d4838df8d3e251fe33f47cd43"],
  sm3: ["e45916dc348e9469b6dac35522796d1f", "c716d189582b5a8269ea0dbbe2f11d4a"],
};

/** QEMU 10.0, tests/unit/test-crypto-afsplit.c: a key in five stripes with sha256. */
const QEMU_KEY = "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
const QEMU_SPLIT = "fdd273b17d99933470defa07c5ac58d230672f1a3543607d7702db623ccb2c33" +
  "4808b6f17ca320a0ad2d4cf3cd186f53f9e8e759273ca9546187b3aff6f77e64" +
  "86aa897f1f9fdb86f4a216ffa34f8ca159c4233428c4777183d4cd8e891bc7c5" +
  "ae4da9cdc972857013685283fcb81172ba3dc64a28fae2867b27ab58e1a4caf6" +
  "9ebcfe0c9279b3ec1c5f793b0d1eaa1a770f70194bc880ee277c6e4a91965cf4";

Deno.test("afMerge() and afSplit() do what QEMU's unit test expects", () => {
  const split = Uint8Array.fromHex(QEMU_SPLIT);
  assertEquals(afMerge(split, 32, 5, "sha256").toHex(), QEMU_KEY);
  const random = (length: number) => split.slice(0, length);
  assertEquals(afSplit(Uint8Array.fromHex(QEMU_KEY), 5, "sha256", random), split);
});

Deno.test("afMerge() merges as section 2.4 of the LUKS1 On-Disk Format says", () => {
  for (const [hash, [of64, of24]] of Object.entries(MERGED)) {
    assertEquals(afMerge(material(40 * 64), 64, 40, hash).toHex().slice(0, 32), of64, hash);
    assertEquals(afMerge(material(9 * 24), 24, 9, hash).toHex().slice(0, 32), of24, hash);
  }
});

Deno.test("afMerge() reverses afSplit() with every hash and length", () => {
  let seed = 1;
  const random = (length: number) =>
    Uint8Array.from({ length }, () => (seed = (seed * 48271) % 0x7fffffff));
  for (const hash of hashNames) {
    for (const length of [1, 16, 20, 24, 33, 64]) {
      const key = material(length + 5).subarray(5);
      for (const stripes of [1, 2, 17]) {
        const split = afSplit(key, stripes, hash, random);
        assertEquals(split.length, length * stripes);
        assertEquals(afMerge(split, length, stripes, hash), key.slice());
      }
    }
  }
});

/** Section 2.4 to the letter, with hashes of whole messages. */
function mergedByHash(stored: Uint8Array, length: number, name: string): Uint8Array {
  const { digestSize } = hashTable[name] ?? { digestSize: 0 };
  const sum = new Uint8Array(length);
  for (let at = 0; at < stored.length; at += length) {
    for (let i = 0; i < length; i++) sum[i] = (sum[i] ?? 0) ^ (stored[at + i] ?? 0);
    if (at + length === stored.length) break;
    for (let from = 0, number = 0; from < length; from += digestSize, number++) {
      const part = sum.subarray(from, from + digestSize);
      part.set(hash(name, Uint8Array.of(0, 0, 0, number), part).subarray(0, part.length));
    }
  }
  return sum;
}

Deno.test("afMerge() merges as hashes of whole messages do, whatever the length of the key", () => {
  for (const name of hashNames) {
    for (const length of [1, 3, 4, 5, 15, 16, 17, 19, 20, 21, 36, 37, 64, 65, 127, 200]) {
      const stored = material(4 * length + 1).subarray(1);
      assertEquals(
        afMerge(stored, length, 4, name).toHex(),
        mergedByHash(stored, length, name).toHex(),
        `${name} of ${length} bytes`,
      );
    }
  }
});

Deno.test("afSplit() requests random bytes for all stripes except the last, and uses them unchanged", () => {
  const asked: number[] = [];
  const split = afSplit(material(32), 4, "sha256", (length) => {
    asked.push(length);
    return new Uint8Array(length).fill(0xab);
  });
  assertEquals(asked.reduce((sum, length) => sum + length, 0), 96);
  assertEquals(split.slice(0, 96), new Uint8Array(96).fill(0xab));
});

Deno.test("afMerge() depends on every byte of the stripes, and on none beyond them", () => {
  const stored = material(3 * 32 + 10);
  const key = afMerge(stored, 32, 3, "sha1").toHex();
  for (let i = 0; i < stored.length; i++) {
    const changed = stored.slice();
    changed.set([~(stored[i] ?? 0)], i);
    assertEquals(afMerge(changed, 32, 3, "sha1").toHex() === key, i >= 96, `byte ${i}`);
  }
  assertEquals(stored, material(3 * 32 + 10));
});

Deno.test("afMerge() and afSplit() reject unusable sizes and hashes", () => {
  assertThrows(
    () => afMerge(material(95), 32, 3, "sha1"),
    RangeError,
    "95 bytes are not 3 stripes",
  );
  afMerge(material(96), 32, 3, "sha1");
  for (const stripes of [0, -1, 1.5]) {
    assertThrows(() => afMerge(material(96), 32, stripes, "sha1"), RangeError, "Cannot use a key");
    assertThrows(() => afSplit(material(32), stripes, "sha1", material), RangeError, "Cannot use");
  }
  assertThrows(() => afMerge(material(96), 0, 3, "sha1"), RangeError, "Cannot use a split key");
  assertThrows(
    () => afSplit(material(0), 3, "sha1", material),
    RangeError,
    "Cannot use a split key",
  );
  assertThrows(() => afMerge(material(96), 32, 3, "no"), RangeError, "Cannot use the hash no");
});
