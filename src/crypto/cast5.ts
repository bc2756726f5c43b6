import type { BlockCipher } from "./block.ts";
import { boxes } from "./cast5_boxes.ts";
import { fromHex, keyWords, onBytes, once, rotateLeft } from "./words.ts";

/** CAST-128 (RFC 2144) under a key of 5 to 16 bytes. */
export function cast5(key: Uint8Array): BlockCipher {
  fillBoxes();
  const subkeys = schedule(key);
  return onBytes({
    blockSize: 8,
    bigEndian: true,
    encryptWords: (words) => encrypt(words, subkeys),
    decryptWords: (words) => decrypt(words, subkeys),
  });
}

/** For each round, the masking key (section 2.1, Km) and the number of bits to rotate by (Kr). */
interface Subkeys {
  readonly masks: Int32Array;
  readonly rotations: Int32Array;
  readonly rounds: 12 | 16;
}

const box = () => new Int32Array(256);
const [S1, S2, S3, S4] = [box(), box(), box(), box()] as const;
const [S5, S6, S7, S8] = [box(), box(), box(), box()] as const;

const fillBoxes = once(() =>
  [S1, S2, S3, S4, S5, S6, S7, S8].forEach((box, i) =>
    box.set(keyWords(fromHex(boxes[i]!), 256, { bigEndian: true }))
  )
);

function encrypt(words: Int32Array, subkeys: Subkeys): void {
  for (let at = 0; at < words.length; at += 2) {
    let left = words[at]!;
    let right = words[at + 1]!;
    for (let i = 0; i < subkeys.rounds; i += 2) {
      left ^= round(right, i, subkeys);
      right ^= round(left, i + 1, subkeys);
    }
    words[at] = right;
    words[at + 1] = left;
  }
}

function decrypt(words: Int32Array, subkeys: Subkeys): void {
  for (let at = 0; at < words.length; at += 2) {
    let right = words[at]!;
    let left = words[at + 1]!;
    for (let i = subkeys.rounds - 2; i >= 0; i -= 2) {
      right ^= round(left, i + 1, subkeys);
      left ^= round(right, i, subkeys);
    }
    words[at] = left;
    words[at + 1] = right;
  }
}

/** The round functions of types 1, 2 and 3 in turn (section 2.2). */
function round(word: number, number: number, { masks, rotations }: Subkeys): number {
  const mask = masks[number]!;
  const by = rotations[number]!;
  let i: number;
  switch (number % 3) {
    case 0:
      i = rotateLeft(mask + word, by);
      return (S1[i >>> 24]! ^ S2[(i >>> 16) & 255]!) - S3[(i >>> 8) & 255]! + S4[i & 255]!;
    case 1:
      i = rotateLeft(mask ^ word, by);
      return (S1[i >>> 24]! - S2[(i >>> 16) & 255]! + S3[(i >>> 8) & 255]!) ^ S4[i & 255]!;
    default:
      i = rotateLeft(mask - word, by);
      return ((S1[i >>> 24]! + S2[(i >>> 16) & 255]!) ^ S3[(i >>> 8) & 255]!) - S4[i & 255]!;
  }
}

/**
 * The key schedule (section 2.4): the 16 bytes x and the 16 bytes z are mixed from each other
 * alternately. Each mixing gives four subkeys. All of it is done twice.
 */
function schedule(key: Uint8Array): Subkeys {
  const x = keyWords(key, 4, { bigEndian: true });
  const z = new Int32Array(4);
  const subkeys: number[] = [];
  for (let half = 0; half < 2; half++) {
    mix(x, z, TO_Z);
    subkeys.push(...derive(z, "8976 ab54 cd32 ef10", "269c"));
    mix(z, x, TO_X);
    subkeys.push(...derive(x, "32cd 10ef 7689 54ab", "8d37"));
    mix(x, z, TO_Z);
    subkeys.push(...derive(z, "32cd 10ef 7689 54ab", "9c26"));
    mix(z, x, TO_X);
    subkeys.push(...derive(x, "8976 ab54 cd32 ef10", "378d"));
  }
  return {
    masks: Int32Array.from(subkeys.slice(0, 16)),
    rotations: Int32Array.from(subkeys.slice(16), (word) => word & 31),
    // Section 2.5: keys of up to 80 bits.
    rounds: key.length <= 10 ? 12 : 16,
  };
}

/**
 * For each word of the result: the number of the word to start with, the bytes that go to S5 to S8
 * (from the source for the first word, from the result for the others), and the byte for one
 * further box.
 */
type Mixing = readonly (readonly [word: number, bytes: string, last: string])[];

const TO_Z: Mixing = [[0, "dfce", "8"], [2, "0213", "a"], [3, "7654", "9"], [1, "a9b8", "b"]];
const TO_X: Mixing = [[2, "5746", "0"], [0, "0213", "2"], [1, "7654", "1"], [3, "a9b8", "3"]];

/** The box for the last byte of each word of the result. */
const LAST = [S7, S8, S5, S6];

function mix(from: Int32Array, to: Int32Array, mixing: Mixing): void {
  mixing.forEach(([word, bytes, last], i) => {
    to[i] = from[word]! ^ boxed(i === 0 ? from : to, bytes) ^ LAST[i]![byteOf(from, last)]!;
  });
}

/** Four subkeys, each from four bytes and one more, which goes to S5, S6, S7 and S8 in turn. */
function derive(words: Int32Array, bytes: string, last: string): number[] {
  return bytes.split(" ").map((four, i) =>
    boxed(words, four) ^ [S5, S6, S7, S8][i]![byteOf(words, last[i]!)]!
  );
}

function boxed(words: Int32Array, bytes: string): number {
  return S5[byteOf(words, bytes[0]!)]! ^ S6[byteOf(words, bytes[1]!)]! ^
    S7[byteOf(words, bytes[2]!)]! ^ S8[byteOf(words, bytes[3]!)]!;
}

/** The byte of four words with a number, which is a hexadecimal digit. */
function byteOf(words: Int32Array, digit: string): number {
  const number = parseInt(digit, 16);
  return (words[number >> 2]! >>> (24 - 8 * (number & 3))) & 255;
}
