import type { BlockCipher } from "./block.ts";
import { type Mode, rowsOf, scratchWords, type Sectors, xorWords } from "./modes.ts";
import { bytesOf, wordsOf } from "./words.ts";

/** The modes that use a cipher in one direction only and feed its output back to it. */

/**
 * Cipher feedback with whole blocks as segments (SP 800-38A, section 6.3), which is dm-crypt's
 * `cfb` and OpenSSL's CFB-128. As in `cbc`, blocks are encrypted in parallel with those of the
 * other sectors, and all blocks are decrypted at once.
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

/**
 * Cipher feedback with segments of eight bits or of one (SP 800-38A, section 6.3), which are
 * OpenSSL's CFB-8 and CFB-1. cryptsetup uses them for key slots, and for content when it
 * reencrypts; dm-crypt has neither. One segment of each block of cipher output is used.
 *
 * Segments are encrypted in parallel with those of the other sectors, and decrypted one sector at a
 * time.
 */
function cfbOf(cipher: BlockCipher, segmentBits: 1 | 8): Mode {
  const { blockSize } = cipher;
  const unused = 8 - segmentBits;
  return {
    encrypt: ({ bytes, sectorSize, ivs }) => {
      const made = bytesOf(scratchWords(ivs.length / 4));
      for (let bit = 0; bit < 8 * sectorSize; bit += segmentBits) {
        made.set(ivs);
        cipher.encryptBlocks(made);
        moveUp(ivs, segmentBits);
        const shift = unused - bit % 8;
        for (let at = bit >> 3, end = blockSize; at < bytes.length; at += sectorSize) {
          bytes[at]! ^= (made[end - blockSize]! >> unused) << shift;
          const text = (bytes[at]! >> shift) & (255 >> unused);
          ivs[end - 1] = (ivs[end - 1]! & ~(255 >> unused)) | text;
          end += blockSize;
        }
      }
    },
    decrypt: ({ bytes, sectorSize, ivs }) => {
      for (let at = 0, iv = 0; at < bytes.length; at += sectorSize, iv += blockSize) {
        const sector = bytes.subarray(at, at + sectorSize);
        const made = registersOf(sector, ivs.subarray(iv, iv + blockSize), segmentBits);
        cipher.encryptBlocks(made);
        for (let bit = 0, block = 0; bit < 8 * sectorSize; bit += segmentBits, block += blockSize) {
          sector[bit >> 3]! ^= (made[block]! >> unused) << (unused - bit % 8);
        }
      }
    },
  };
}

/**
 * The cipher input for each segment of a sector: the block-sized run of bits before the segment.
 */
function registersOf(sector: Uint8Array, iv: Uint8Array, segmentBits: 1 | 8): Uint8Array {
  const before = Uint8Array.from([...iv, ...sector]);
  const registers = bytesOf(scratchWords((2 / segmentBits) * sector.length * iv.length));
  for (let bit = 0; bit < 8; bit += segmentBits) {
    for (let i = 0; i < sector.length; i++) {
      registers.set(before.subarray(i, i + iv.length), ((8 * i + bit) / segmentBits) * iv.length);
    }
    moveUp(before, segmentBits);
  }
  return registers;
}

/** Shifts all bits up, across the ends of bytes and blocks. */
function moveUp(bytes: Uint8Array, count: number): void {
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (bytes[i]! << count) | ((bytes[i + 1] ?? 0) >> (8 - count));
  }
}

/** {@link cfbOf} with segments of eight bits. */
export function cfb8(cipher: BlockCipher): Mode {
  return cfbOf(cipher, 8);
}

/** {@link cfbOf} with segments of one bit. */
export function cfb1(cipher: BlockCipher): Mode {
  return cfbOf(cipher, 1);
}

/** For each block the previous one in its sector; for the first one the vector. */
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
 * Output feedback (SP 800-38A, section 6.4): the vector of a sector, encrypted again for each of
 * its blocks.
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
