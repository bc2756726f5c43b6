import type { BlockCipher } from "./block.ts";
import { type Substitution, substitutions } from "./serpent_boxes.ts";
import { inverseSubstitutions } from "./serpent_inverse_boxes.ts";
import { keyWords, onBytes, rotateLeft } from "./words.ts";

/**
 * Serpent under a key of 16, 24 or 32 bytes, in the bitsliced form of the submission of 1998. The
 * sections cited here are those of the submission. A round is done for all blocks before the next
 * round.
 */
export function serpent(key: Uint8Array): BlockCipher {
  const subkeys = schedule(key);
  return onBytes({
    blockSize: 16,
    bigEndian: false,
    encryptWords: (words) => encrypt(words, subkeys),
    decryptWords: (words) => decrypt(words, subkeys),
  });
}

const ROUNDS = 32;

/** The four words of each of the 33 subkeys. */
type Subkeys = readonly Int32Array[];

function encrypt(words: Int32Array, subkeys: Subkeys): void {
  addKey(words, subkeys[0]!);
  for (let round = 0; round < ROUNDS - 1; round++) {
    boxOf(substitutions, round)(words);
    transform(words, subkeys[round + 1]!);
  }
  boxOf(substitutions, ROUNDS - 1)(words);
  addKey(words, subkeys[ROUNDS]!);
}

function decrypt(words: Int32Array, subkeys: Subkeys): void {
  addKey(words, subkeys[ROUNDS]!);
  boxOf(inverseSubstitutions, ROUNDS - 1)(words);
  for (let round = ROUNDS - 2; round >= 0; round--) {
    transformBack(words, subkeys[round + 1]!);
    boxOf(inverseSubstitutions, round)(words);
  }
  addKey(words, subkeys[0]!);
}

function boxOf(boxes: readonly Substitution[], round: number): Substitution {
  return boxes[round & 7]!;
}

function addKey(words: Int32Array, key: Int32Array): void {
  const a = key[0]!, b = key[1]!, c = key[2]!, d = key[3]!;
  for (let i = 0; i < words.length; i += 4) {
    words[i]! ^= a;
    words[i + 1]! ^= b;
    words[i + 2]! ^= c;
    words[i + 3]! ^= d;
  }
}

/** The linear transformation (section 2), and the subkey of the next round. */
function transform(words: Int32Array, key: Int32Array): void {
  const p = key[0]!, q = key[1]!, r = key[2]!, s = key[3]!;
  for (let i = 0; i < words.length; i += 4) {
    const a = rotateLeft(words[i]!, 13);
    const c = rotateLeft(words[i + 2]!, 3);
    const b = rotateLeft(words[i + 1]! ^ a ^ c, 1);
    const d = rotateLeft(words[i + 3]! ^ c ^ (a << 3), 7);
    words[i] = rotateLeft(a ^ b ^ d, 5) ^ p;
    words[i + 1] = b ^ q;
    words[i + 2] = rotateLeft(c ^ d ^ (b << 7), 22) ^ r;
    words[i + 3] = d ^ s;
  }
}

function transformBack(words: Int32Array, key: Int32Array): void {
  const p = key[0]!, q = key[1]!, r = key[2]!, s = key[3]!;
  for (let i = 0; i < words.length; i += 4) {
    const b = words[i + 1]! ^ q;
    const d = words[i + 3]! ^ s;
    const c = rotateLeft(words[i + 2]! ^ r, 10) ^ d ^ (b << 7);
    const a = rotateLeft(words[i]! ^ p, 27) ^ b ^ d;
    words[i] = rotateLeft(a, 19);
    words[i + 1] = rotateLeft(b, 31) ^ a ^ c;
    words[i + 2] = rotateLeft(c, 29);
    words[i + 3] = rotateLeft(d, 25) ^ c ^ (a << 3);
  }
}

/** The constant of the key schedule, from the golden ratio. */
const PHI = 0x9e3779b9;

/** The key schedule (section 4). */
function schedule(key: Uint8Array): Subkeys {
  const padded = new Uint8Array(32);
  padded.set(key);
  if (key.length < 32) padded[key.length] = 1;
  const prekeys = new Int32Array(8 + 4 * (ROUNDS + 1));
  prekeys.set(keyWords(padded, 8, { bigEndian: false }));
  for (let i = 8; i < prekeys.length; i++) {
    prekeys[i] = rotateLeft(
      prekeys[i - 8]! ^ prekeys[i - 5]! ^ prekeys[i - 3]! ^ prekeys[i - 1]! ^ PHI ^ (i - 8),
      11,
    );
  }
  return Array.from({ length: ROUNDS + 1 }, (_, i) => {
    const subkey = prekeys.slice(8 + 4 * i, 12 + 4 * i);
    // Subkey 0 goes through S3, and each following one through the previous box.
    boxOf(substitutions, 3 - i)(subkey);
    return subkey;
  });
}
