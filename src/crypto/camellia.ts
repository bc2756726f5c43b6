import { fromHex, keyWords, onBytes, once, rotateLeft } from "./words.ts";
import type { BlockCipher } from "./block.ts";

/** Camellia (RFC 3713) under a key of 16, 24 or 32 bytes. */
export function camellia(key: Uint8Array): BlockCipher {
  fillTables();
  const forward = schedule(key);
  const backward = reversed(forward);
  return onBytes({
    blockSize: 16,
    bigEndian: true,
    encryptWords: (words) => transform(words, forward),
    decryptWords: (words) => transform(words, backward),
  });
}

/**
 * Subkeys of 64 bits as pairs of words, in the order of use: two for whitening, then alternately
 * six for rounds and two for a layer of FL functions, then two for whitening.
 */
type Subkeys = Int32Array;

/** The data randomizing part (section 2.3). */
function transform(words: Int32Array, subkeys: Subkeys): void {
  const last = subkeys.length - 4;
  for (let at = 0; at < words.length; at += 4) {
    let a = words[at]! ^ subkeys[0]!;
    let b = words[at + 1]! ^ subkeys[1]!;
    let c = words[at + 2]! ^ subkeys[2]!;
    let d = words[at + 3]! ^ subkeys[3]!;
    for (let key = 4;; key += 4) {
      for (const end = key + 12; key < end; key += 4) {
        let left = mixLeft(a ^ subkeys[key]!);
        let both = left ^ mixRight(b ^ subkeys[key + 1]!);
        c ^= both;
        d ^= both ^ rotateLeft(left, 24);
        left = mixLeft(c ^ subkeys[key + 2]!);
        both = left ^ mixRight(d ^ subkeys[key + 3]!);
        a ^= both;
        b ^= both ^ rotateLeft(left, 24);
      }
      if (key === last) break;
      b ^= rotateLeft(a & subkeys[key]!, 1);
      a ^= b | subkeys[key + 1]!;
      c ^= d | subkeys[key + 3]!;
      d ^= rotateLeft(c & subkeys[key + 2]!, 1);
    }
    words[at] = c ^ subkeys[last]!;
    words[at + 1] = d ^ subkeys[last + 1]!;
    words[at + 2] = a ^ subkeys[last + 2]!;
    words[at + 3] = b ^ subkeys[last + 3]!;
  }
}

/**
 * The contribution of the left four input bytes of the F function (section 2.4.1) to the left half
 * of its output. The right half gets the same, combined with the same rotated right by a byte: this
 * follows from the matrix of the P function.
 */
function mixLeft(word: number): number {
  return TABLES[word >>> 24]! ^ TABLES[256 | ((word >>> 16) & 255)]! ^
    TABLES[512 | ((word >>> 8) & 255)]! ^ TABLES[768 | (word & 255)]!;
}

/** The contribution of the right four input bytes of the F function to each half of its output. */
function mixRight(word: number): number {
  return TABLES[256 | (word >>> 24)]! ^ TABLES[512 | ((word >>> 16) & 255)]! ^
    TABLES[768 | ((word >>> 8) & 255)]! ^ TABLES[word & 255]!;
}

/** The subkeys in reverse order of use, for decryption (section 2.3.3). */
function reversed(subkeys: Subkeys): Subkeys {
  const turned = new Int32Array(subkeys.length);
  const last = subkeys.length - 4;
  for (let i = 0; i < subkeys.length; i += 2) {
    // The pairs of whitening keys swap places, and each pair keeps its order.
    const whitening = i < 4 || i >= last;
    const to = whitening ? (i + last) % (2 * last) : subkeys.length - 2 - i;
    turned.set(subkeys.subarray(i, i + 2), to);
  }
  return turned;
}

/** The key scheduling part (section 2.2). */
function schedule(key: Uint8Array): Subkeys {
  const words = keyWords(key, 8, { bigEndian: true });
  if (key.length === 24) {
    words[6] = ~words[4]!;
    words[7] = ~words[5]!;
  }
  const left = words.subarray(0, 4);
  const right = words.subarray(4);
  const a = new Int32Array(8);
  a.set(left.map((word, i) => word ^ right[i]!));
  feistel(a, 0);
  for (let i = 0; i < 4; i++) a[i]! ^= left[i]!;
  feistel(a, 4);
  const b = new Int32Array(8);
  b.set(right.map((word, i) => word ^ a[i]!));
  feistel(b, 8);
  const keys = { L: left, R: right, A: a.subarray(0, 4), B: b.subarray(0, 4) };
  const plan = key.length === 16 ? PLAN_128 : PLAN_256;
  return Int32Array.from(
    plan.trim().split(/\s+/).flatMap((step) => {
      const [, from, by, half] = /^([LRAB])(\d+)([<>]?)$/.exec(step) as RegExpExecArray;
      const rotated = rotated128(keys[from as keyof typeof keys], Number(by));
      return half === "<" ? rotated.slice(0, 2) : half === ">" ? rotated.slice(2) : rotated;
    }),
  );
}

/**
 * Two rounds of the key schedule on the first four words, with the constants that start at `sigma`.
 */
function feistel(words: Int32Array, sigma: number): void {
  for (const [from, to, key] of [[0, 2, sigma], [2, 0, sigma + 2]] as const) {
    const left = mixLeft(words[from]! ^ SIGMA[key]!);
    const both = left ^ mixRight(words[from + 1]! ^ SIGMA[key + 1]!);
    words[to]! ^= both;
    words[to + 1]! ^= both ^ rotateLeft(left, 24);
  }
}

function rotated128(words: Int32Array, by: number): number[] {
  const word = (i: number) => words[((by >> 5) + i) & 3]!;
  const bits = by & 31;
  return [0, 1, 2, 3].map((i) =>
    bits === 0 ? word(i) : (word(i) << bits) | (word(i + 1) >>> (32 - bits))
  );
}

/**
 * Each step names a 128-bit key and how far to rotate it to get the next two subkeys. `<` keeps
 * only the left half, `>` only the right half (sections 2.2, "128-bit keys" and "192- and 256-bit
 * keys").
 */
const PLAN_128 = `
  L0
  A0 L15 A15 A30
  L45 A45< L60> A60 L77
  L94 A94 L111 A111`;
const PLAN_256 = `
  L0
  B0 R15 A15 R30
  B30 L45 A45 L60
  R60 B60 L77 A77
  R94 A94 L111 B111`;

/** The constants Sigma1 to Sigma6 as pairs of words. */
const SIGMA = keyWords(
  fromHex(
    "a09e667f3bcc908bb67ae8584caa73b2c6ef372fe94f82be54ff53a5f1d36f1c" +
      "10e527fade682d1db05688c2b3e6c1fd",
  ),
  12,
  { bigEndian: true },
);

/** SBOX1; the other three are rotations of it or of its argument (section 2.4.2). */
const BOX = fromHex(
  "70822cecb327c0e5e4855735ea0cae4123ef6b934519a521ed0e4f4e1d6592bd" +
    "86b8af8f7ceb1fce3e30dc5f5ec50b1aa6e139cad5475d3dd9015ad651566c4d" +
    "8b0d9a66fbccb02d74122b20f0b18499df4ccbc2347e76056db7a931d11704d7" +
    "14583a61de1b111c320f9c165318f222fe44cfb2c3b57a912408e8a860fc6950" +
    "aad0a07da1896297545b1e95e0ff64d210c40048a3f775db8a03e6da093fdd94" +
    "875c8302cd4a90337367f6f39d7fbfe2529bd826c837c63b81966f4b13be632e" +
    "e979a78c9f6ebc8e29f5f9b62ffdb4597898066ae74671bad425ab4288a28dfa" +
    "7207b955f8eeac0a36492a683c38f1a44028d37bbbc943c115e3adf477c7809e",
);

/** The S-boxes spread over the bytes of a word as the P function spreads them. */
const TABLES = new Int32Array(4 * 256);

const fillTables = once(() => TABLES.forEach((_, i) => TABLES[i] = tableEntry(i)));

function tableEntry(i: number): number {
  const byte = i & 255;
  const rotated = (value: number, by: number) => ((value << by) | (value >> (8 - by))) & 255;
  switch (i >> 8) {
    case 0:
      return BOX[byte]! * 0x01010100;
    case 1:
      return rotated(BOX[byte]!, 1) * 0x00010101;
    case 2:
      return rotated(BOX[byte]!, 7) * 0x01000101;
    default:
      return BOX[rotated(byte, 1)]! * 0x01010001;
  }
}
