import { assertEquals, assertThrows } from "@std/assert";
import { blockCipher } from "../../src/crypto/mod.ts";
import { substitutions } from "../../src/crypto/serpent_boxes.ts";
import { inverseSubstitutions } from "../../src/crypto/serpent_inverse_boxes.ts";
import { knownAnswers } from "./cipher_vectors.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);

function encrypted(cipher: string, { key, plain }: { key: Uint8Array; plain: Uint8Array }) {
  const block = plain.slice();
  blockCipher(cipher, key).encryptBlocks(block);
  return block;
}

for (const { cipher, source, answers } of knownAnswers) {
  Deno.test(`blockCipher() gives the answers of ${source} for ${cipher}`, () => {
    for (const [key, plain, text] of answers) {
      const made = blockCipher(cipher, bytes(key));
      const block = bytes(plain);
      made.encryptBlocks(block);
      assertEquals(block.toHex(), text.toLowerCase());
      made.decryptBlocks(block);
      assertEquals(block.toHex(), plain.toLowerCase());
    }
  });
}

/** The submission of Serpent prints numbers, which are stored from their low end. */
const SERPENT_NUMBERS = [
  ["80000000000000000000000000000000", "0", "49afbfad9d5a34052cd8ffa5986bd2dd"],
  ["00000000000000000000000000000000", "8", "10b5ffb720b8cb9002a1142b0ba2e94a"],
  ["8000000000000000".padEnd(48, "0"), "0", "e78e5402c7195568ac3678f7a3f60c66"],
  ["".padEnd(48, "0"), "8", "b10b271ba25257e1294f2b51f076d0d9"],
  ["8".padEnd(64, "0"), "0", "abed96e766bf28cbc0ebd21a82ef0819"],
  ["".padEnd(64, "0"), "8", "da5a7992b1b4ae6f8c004bc8a7de5520"],
] as const;

Deno.test("blockCipher() gives the first answers of ecb_vk.txt and ecb_vt.txt for serpent", () => {
  for (const [key, plain, text] of SERPENT_NUMBERS) {
    const block = encrypted("serpent", {
      key: bytes(key).reverse(),
      plain: bytes(plain.padEnd(32, "0")).reverse(),
    });
    assertEquals(block.reverse().toHex(), text);
  }
});

/** The tables of the submission of Serpent, section 3. */
const SERPENT_BOXES = [
  "38f1a65bed42709c",
  "fc27905a1be86d34",
  "86793cafd1e40b52",
  "0fb8c963d124a75e",
  "1f83c0b6254a9e7d",
  "f52b4a9c03e8d671",
  "72c5846be91fd3a0",
  "1df0e82b74ca9356",
];

Deno.test("the circuits of serpent are the tables of its submission, and their inverses", () => {
  // Sixteen inputs at a time: bit i of word j is bit j of the i-th input.
  const slices = (values: readonly number[]) =>
    Int32Array.from(
      [0, 1, 2, 3],
      (bit) => values.reduce((word, value, i) => word | (((value >> bit) & 1) << i), 0),
    );
  const inputs = Array.from({ length: 16 }, (_, i) => i);
  SERPENT_BOXES.forEach((digits, i) => {
    const outputs = [...digits].map((digit) => parseInt(digit, 16));
    const words = slices(inputs);
    const mask = (word: number) => word & 0xffff;
    substitutions[i]?.(words);
    assertEquals(words.map(mask), slices(outputs).map(mask));
    inverseSubstitutions[i]?.(words);
    assertEquals(words.map(mask), slices(inputs).map(mask));
  });
});

/** Twofish, section 5.2 and ecb_ival.txt: the 49th of a chain in which answers become keys. */
const TWOFISH_CHAINS = [
  [16, "5d9d4eeffa9151575524f115815a12e0"],
  [24, "e75449212beef9f4a390bd860a640941"],
  [32, "37fe26ff1cf66175f5ddf4c33b97a205"],
] as const;

Deno.test("blockCipher() ends the chains of ecb_ival.txt for twofish as the submission does", () => {
  for (const [length, last] of TWOFISH_CHAINS) {
    let key = new Uint8Array(length);
    let plain = new Uint8Array(16);
    for (let i = 1; i < 49; i++) {
      const text = encrypted("twofish", { key, plain });
      key = Uint8Array.from([...plain, ...key]).subarray(0, length);
      plain = text;
    }
    assertEquals(encrypted("twofish", { key, plain }).toHex(), last);
  }
});

Deno.test("blockCipher() encrypts a block a million times over for sm4 as GB/T 32907 does", () => {
  const key = bytes("0123456789abcdeffedcba9876543210");
  const cipher = blockCipher("sm4", key);
  const block = key.slice();
  for (let i = 0; i < 1_000_000; i++) cipher.encryptBlocks(block);
  assertEquals(block.toHex(), "595298c7c6fd271f0402f804c33d3f66");
});

Deno.test("blockCipher() encrypts blocks independently, whatever their number", () => {
  // The ciphers of our own work on 4096 bytes at a time.
  for (const { cipher, answers } of knownAnswers) {
    const [key, plain, text] = answers[0] as [string, string, string];
    const made = blockCipher(cipher, bytes(key));
    for (const count of [1, 2, 255, 256, 257, 600]) {
      const blocks = bytes(plain.repeat(count));
      made.encryptBlocks(blocks);
      assertEquals(blocks.toHex(), text.toLowerCase().repeat(count));
      made.decryptBlocks(blocks);
      assertEquals(blocks.toHex(), plain.toLowerCase().repeat(count));
    }
  }
});

Deno.test("blockCipher() accepts bytes from anywhere in their buffer, and leaves the others", () => {
  for (const { cipher, answers } of knownAnswers) {
    const [key, plain, text] = answers[0] as [string, string, string];
    const around = new Uint8Array(3 + plain.length / 2 + 2).fill(0xee);
    around.set(bytes(plain), 3);
    blockCipher(cipher, bytes(key)).encryptBlocks(around.subarray(3, 3 + plain.length / 2));
    assertEquals(around.toHex(), "eeeeee" + text.toLowerCase() + "eeee");
  }
});

Deno.test("blockCipher() keeps its own copy of the key", () => {
  for (const { cipher, answers } of knownAnswers) {
    const [key, plain, text] = answers[0] as [string, string, string];
    const given = bytes(key);
    const made = blockCipher(cipher, given);
    given.fill(0xff);
    const block = bytes(plain);
    made.encryptBlocks(block);
    assertEquals(block.toHex(), text.toLowerCase());
  }
});

Deno.test("blockCipher() rejects unusable names, keys and bytes", () => {
  const refused = (name: string, length: number) =>
    assertThrows(() => blockCipher(name, new Uint8Array(length)), RangeError, "Cannot use").message;
  assertEquals(refused("rot13", 16), "Cannot use the cipher rot13: it is not known");
  assertEquals(refused("constructor", 16), "Cannot use the cipher constructor: it is not known");
  assertEquals(
    refused("aes", 20),
    "Cannot use aes: a key of 20 bytes is not one of 16, 24, 32",
  );
  for (const length of [0, 4, 17]) refused("cast5", length);
  for (const length of [15, 24]) refused("sm4", length);
  const cipher = blockCipher("serpent", new Uint8Array(16));
  for (const length of [1, 15, 17]) {
    assertThrows(() => cipher.encryptBlocks(new Uint8Array(length)), RangeError, "whole blocks");
    assertThrows(() => cipher.decryptBlocks(new Uint8Array(length)), RangeError, "whole blocks");
  }
  cipher.encryptBlocks(new Uint8Array(0));
});
