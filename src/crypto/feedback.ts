import type { BlockCipher } from "./block_cipher.ts";
import { type Mode, rowsOf, scratchWords, type Sectors, xorWords } from "./modes.ts";
import { bytesOf, wordsOf } from "./words.ts";

/** The modes in which a cipher is used in one direction only, and what it gives is fed back to it. */

/**
 * Cipher feedback with whole blocks as segments (SP 800-38A, section 6.3), which is dm-crypt's `cfb`
 * and OpenSSL's CFB-128. As in `cbc`, blocks are encrypted in step with those of the other sectors, and
 * decrypted all at a time.
 */
export function cfb(cipher: BlockCipher): Mode {
  const { blockSize } = cipher;
  return {
    encrypt: (sectors) => {
      const { words, chain, places, rows } = rowsOf(sectors, blockSize);
      for (const row of rows) {
        cipher.encryptBlocks(sectors.ivs);
        for (let i = 0; i < chain.length; i++) {
          chain[i]! ^= words[places[i]! + row]!;
          words[places[i]! + row] = chain[i]!;
        }
      }
    },
    decrypt: (sectors) => {
      const stream = blocksBefore(sectors, blockSize);
      cipher.encryptBlocks(bytesOf(stream));
      xorWords(wordsOf(sectors.bytes), stream);
    },
  };
}

/** For each block the one before it in its sector, and for the first one the vector. */
function blocksBefore({ bytes, sectorSize, ivs }: Sectors, blockSize: number): Int32Array {
  const words = wordsOf(bytes);
  const vectors = wordsOf(ivs);
  const before = scratchWords(words.length);
  const blockWords = blockSize / 4;
  before.set(words.subarray(0, words.length - blockWords), blockWords);
  for (let start = 0, iv = 0; start < words.length; start += sectorSize / 4, iv += blockWords) {
    before.set(vectors.subarray(iv, iv + blockWords), start);
  }
  return before;
}

/**
 * Output feedback (SP 800-38A, section 6.4): the vector of a sector, encrypted once more for each of its
 * blocks.
 */
export function ofb(cipher: BlockCipher): Mode {
  const apply = (sectors: Sectors) => {
    const { words, chain, places, rows } = rowsOf(sectors, cipher.blockSize);
    for (const row of rows) {
      cipher.encryptBlocks(sectors.ivs);
      for (let i = 0; i < chain.length; i++) words[places[i]! + row]! ^= chain[i]!;
    }
  };
  return { encrypt: apply, decrypt: apply };
}
