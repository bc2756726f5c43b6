import type { BlockCipher } from "./block.ts";
import { type Mode, scratchWords, type Sectors, xorWords } from "./modes.ts";
import { loadWords, reorder, wordsOf } from "./words.ts";

/** Bits of an index, and of a product. */
const BITS = 128;
/** Words of 32 bits in a block. */
const WORDS = 4;

/**
 * LRW (IEEE P1619 draft 5; Linux crypto/lrw.c): each block is masked, before and after the cipher, with
 * the product of the tweak key and the index of the block in GF(2^128).
 *
 * The vector of a sector is the index of its first block, big-endian; the others follow.
 *
 * @param tweakKey 16 bytes
 */
export function lrw(data: BlockCipher, tweakKey: Uint8Array): Mode {
  const powers = powersOf(tweakKey);
  const apply = (sectors: Sectors, transform: (bytes: Uint8Array) => void): void => {
    const masks = masksOf(powers, sectors);
    const words = wordsOf(sectors.bytes);
    xorWords(words, masks);
    transform(sectors.bytes);
    xorWords(words, masks);
  };
  return {
    encrypt: (sectors) => apply(sectors, (bytes) => data.encryptBlocks(bytes)),
    decrypt: (sectors) => apply(sectors, (bytes) => data.decryptBlocks(bytes)),
  };
}

/** The tweak key times x to the power of n, for each n: words from the most significant one on. */
function powersOf(tweakKey: Uint8Array): Int32Array {
  const powers = new Int32Array(BITS * WORDS);
  const power = new Int32Array(WORDS);
  loadWords(tweakKey, power, { bigEndian: true });
  for (let n = 0; n < BITS; n++) {
    powers.set(power, n * WORDS);
    // Times x in GF(2^128): x^128 is x^7 + x^2 + x + 1.
    const carry = power[0]! >> 31;
    for (let i = 0; i < WORDS - 1; i++) power[i] = (power[i]! << 1) | (power[i + 1]! >>> 31);
    power[WORDS - 1] = (power[WORDS - 1]! << 1) ^ (carry & 0x87);
  }
  return powers;
}

/** Adds the products of the powers for the bits of an index. */
function addProduct(powers: Int32Array, index: Int32Array, product: Int32Array): void {
  for (let n = 0; n < BITS; n++) {
    if ((index[WORDS - 1 - (n >>> 5)]! >>> (n & 31) & 1) === 0) continue;
    for (let i = 0; i < WORDS; i++) product[i]! ^= powers[n * WORDS + i]!;
  }
}

function masksOf(powers: Int32Array, { bytes, sectorSize, ivs }: Sectors): Int32Array {
  const masks = scratchWords(bytes.length / 4);
  const indexes = new Int32Array(ivs.length / 4);
  loadWords(ivs, indexes, { bigEndian: true });
  const sectorWords = sectorSize / 4;
  for (let start = 0, iv = 0; start < masks.length; start += sectorWords, iv += WORDS) {
    const index = indexes.slice(iv, iv + WORDS);
    const mask = new Int32Array(WORDS);
    addProduct(powers, index, mask);
    for (let at = start; at < start + sectorWords; at += WORDS) {
      masks.set(mask, at);
      // The next index differs from this one in its lowest bits, up to the first zero.
      let n = 0;
      for (; n < BITS; n++) {
        const word = WORDS - 1 - (n >>> 5);
        for (let i = 0; i < WORDS; i++) mask[i]! ^= powers[n * WORDS + i]!;
        index[word]! ^= 1 << (n & 31);
        if ((index[word]! >>> (n & 31) & 1) === 1) break;
      }
    }
  }
  reorder(masks, { bigEndian: true });
  return masks;
}
