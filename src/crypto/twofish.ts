import { keyWords, onBytes, once, rotateLeft } from "./words.ts";
import type { BlockCipher } from "./block.ts";

/**
 * Twofish under a key of 16, 24 or 32 bytes, with its key-dependent S-boxes computed in advance
 * ("full keying"). The sections cited here are those of the submission of 1998.
 */
export function twofish(key: Uint8Array): BlockCipher {
  fillTables();
  const { boxes, subkeys } = schedule(key);
  return onBytes({
    blockSize: 16,
    bigEndian: false,
    encryptWords: (words) => encrypt(words, boxes, subkeys),
    decryptWords: (words) => decrypt(words, boxes, subkeys),
  });
}

const ROUNDS = 16;

/**
 * The index of the first round key, after four words for input whitening and four for output
 * whitening.
 */
const ROUND_KEYS = 8;

/** The four tables of a substitution, one for each byte of a word, one after the other. */
type Boxes = Int32Array;

/** `g` (section 4.3.5). The tables include the multiplication by the MDS matrix. */
function substitute(boxes: Boxes, word: number): number {
  return boxes[word & 255]! ^ boxes[256 | ((word >>> 8) & 255)]! ^
    boxes[512 | ((word >>> 16) & 255)]! ^ boxes[768 | (word >>> 24)]!;
}

function encrypt(words: Int32Array, boxes: Boxes, subkeys: Int32Array): void {
  for (let at = 0; at < words.length; at += 4) {
    let a = words[at]! ^ subkeys[0]!;
    let b = words[at + 1]! ^ subkeys[1]!;
    let c = words[at + 2]! ^ subkeys[2]!;
    let d = words[at + 3]! ^ subkeys[3]!;
    for (let key = ROUND_KEYS; key < ROUND_KEYS + 2 * ROUNDS; key += 4) {
      let s = substitute(boxes, a);
      let t = substitute(boxes, rotateLeft(b, 8));
      c = rotateLeft(c ^ (s + t + subkeys[key]!), 31);
      d = rotateLeft(d, 1) ^ (s + 2 * t + subkeys[key + 1]!);
      s = substitute(boxes, c);
      t = substitute(boxes, rotateLeft(d, 8));
      a = rotateLeft(a ^ (s + t + subkeys[key + 2]!), 31);
      b = rotateLeft(b, 1) ^ (s + 2 * t + subkeys[key + 3]!);
    }
    words[at] = c ^ subkeys[4]!;
    words[at + 1] = d ^ subkeys[5]!;
    words[at + 2] = a ^ subkeys[6]!;
    words[at + 3] = b ^ subkeys[7]!;
  }
}

function decrypt(words: Int32Array, boxes: Boxes, subkeys: Int32Array): void {
  for (let at = 0; at < words.length; at += 4) {
    let c = words[at]! ^ subkeys[4]!;
    let d = words[at + 1]! ^ subkeys[5]!;
    let a = words[at + 2]! ^ subkeys[6]!;
    let b = words[at + 3]! ^ subkeys[7]!;
    for (let key = ROUND_KEYS + 2 * ROUNDS - 4; key >= ROUND_KEYS; key -= 4) {
      let s = substitute(boxes, c);
      let t = substitute(boxes, rotateLeft(d, 8));
      a = rotateLeft(a, 1) ^ (s + t + subkeys[key + 2]!);
      b = rotateLeft(b ^ (s + 2 * t + subkeys[key + 3]!), 31);
      s = substitute(boxes, a);
      t = substitute(boxes, rotateLeft(b, 8));
      c = rotateLeft(c, 1) ^ (s + t + subkeys[key]!);
      d = rotateLeft(d ^ (s + 2 * t + subkeys[key + 1]!), 31);
    }
    words[at] = a ^ subkeys[0]!;
    words[at + 1] = b ^ subkeys[1]!;
    words[at + 2] = c ^ subkeys[2]!;
    words[at + 3] = d ^ subkeys[3]!;
  }
}

/** The key schedule (section 4.3). */
function schedule(key: Uint8Array): { boxes: Boxes; subkeys: Int32Array } {
  const words = keyWords(key, key.length / 4, { bigEndian: false });
  const even = boxesOf(words.filter((_, i) => i % 2 === 0));
  const odd = boxesOf(words.filter((_, i) => i % 2 === 1));
  const subkeys = new Int32Array(ROUND_KEYS + 2 * ROUNDS);
  for (let i = 0; i < subkeys.length; i += 2) {
    const a = substitute(even, i * 0x01010101);
    const b = rotateLeft(substitute(odd, (i + 1) * 0x01010101), 8);
    subkeys[i] = a + b;
    subkeys[i + 1] = rotateLeft(a + 2 * b, 9);
  }
  const folded = Int32Array.from({ length: key.length / 8 }, (_, i) => fold(key, 8 * i));
  return { boxes: boxesOf(folded.reverse()), subkeys };
}

/** `h` (section 4.3.2) of every byte value at every position, under a list of words. */
function boxesOf(list: Int32Array): Boxes {
  const boxes = new Int32Array(4 * 256);
  for (let i = 0; i < boxes.length; i++) {
    const lane = i >> 8;
    const order = ORDER[lane]!;
    let byte = i & 255;
    for (let step = list.length; step > 0; step--) {
      byte = PERMUTATIONS[order[step]!]![byte]! ^ ((list[step - 1]! >>> (8 * lane)) & 255);
    }
    boxes[i] = MIXED[256 * lane + PERMUTATIONS[order[0]!]![byte]!]!;
  }
  return boxes;
}

/** Which of the two permutations each lane uses at each step, in reverse order. */
const ORDER = [[1, 0, 0, 1, 1], [0, 0, 1, 1, 0], [1, 1, 0, 0, 0], [0, 1, 1, 0, 1]];

/** Products in GF(2^8) under the polynomials of the two matrices (section 4.3). */
const timesMds = multiplicationModulo(0x169);
const timesRs = multiplicationModulo(0x14d);

function multiplicationModulo(polynomial: number): (a: number, b: number) => number {
  return (a, b) => {
    let product = 0;
    for (; b > 0; b >>= 1, a = (a << 1) ^ (a & 128 ? polynomial : 0)) if (b & 1) product ^= a;
    return product;
  };
}

const MDS = [
  [0x01, 0xef, 0x5b, 0x5b],
  [0x5b, 0xef, 0xef, 0x01],
  [0xef, 0x5b, 0x01, 0xef],
  [0xef, 0x01, 0xef, 0x5b],
];

/** The contribution of each byte value at each position to the product with the MDS matrix. */
const MIXED = new Int32Array(4 * 256);

const fillTables = once(() => {
  for (let i = 0; i < MIXED.length; i++) {
    MIXED[i] = MDS.reduce(
      (word, row, at) => word | (timesMds(i & 255, row[i >> 8]!) << (8 * at)),
      0,
    );
  }
  PERMUTATIONS.forEach((permutation, at) =>
    permutation.forEach((_, byte) => permutation[byte] = permuted(byte, NIBBLES[at]!))
  );
});

const RS = [
  [0x01, 0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e],
  [0xa4, 0x56, 0x82, 0xf3, 0x1e, 0xc6, 0x68, 0xe5],
  [0x02, 0xa1, 0xfc, 0xc1, 0x47, 0xae, 0x3d, 0x19],
  [0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e, 0x03],
];

/** Eight bytes of the key as a word of the S-boxes' key (section 4.3, the RS matrix). */
function fold(key: Uint8Array, at: number): number {
  let word = 0;
  for (let row = 0; row < 4; row++) {
    for (let i = 0; i < 8; i++) word ^= timesRs(key[at + i]!, RS[row]![i]!) << (8 * row);
  }
  return word;
}

/** The permutations q0 and q1 (section 4.3.3). */
const PERMUTATIONS = [new Uint8Array(256), new Uint8Array(256)];

/** The four tables of nibbles that each permutation is made of. */
const NIBBLES = [
  ["817d6f320b59eca4", "ecb81235f4a6709d", "ba5e6d90c8f32471", "d7f4126e9b3085ca"],
  ["28bdf76e31940ac5", "1e2b4c376da5f908", "4c75169a0ed82b3f", "b951c3de647f208a"],
];

function permuted(byte: number, tables: readonly string[]): number {
  let high = byte >> 4;
  let low = byte & 15;
  for (const table of [0, 2]) {
    const mixed = high ^ ((low >> 1) | (low << 3 & 8)) ^ (high << 3 & 8);
    high = parseInt(tables[table]![high ^ low]!, 16);
    low = parseInt(tables[table + 1]![mixed]!, 16);
  }
  return (low << 4) | high;
}
