import type { BlockCipher } from "./block.ts";
import { bytesOf, loadWords, reorder, wordsOf } from "./words.ts";

/**
 * Whole sectors to be transformed in place. Their bytes start at a multiple of four in their
 * buffer.
 */
export interface Sectors {
  readonly bytes: Uint8Array;
  /** Bytes in a sector. */
  readonly sectorSize: number;
  /** One block for each sector, which may be overwritten. */
  readonly ivs: Uint8Array;
}

/** A mode of operation on sectors. Each sector is a separate message. */
export interface Mode {
  encrypt(sectors: Sectors): void;
  decrypt(sectors: Sectors): void;
}

/** Each block independently of the others (SP 800-38A, section 6.1). */
export function ecb(cipher: BlockCipher): Mode {
  return {
    encrypt: ({ bytes }) => cipher.encryptBlocks(bytes),
    decrypt: ({ bytes }) => cipher.decryptBlocks(bytes),
  };
}

/**
 * Cipher block chaining (SP 800-38A, section 6.2). A block can be encrypted only after the previous
 * one in its sector; the blocks with the same number in all sectors are encrypted at once.
 */
export function cbc(cipher: BlockCipher): Mode {
  const blockWords = cipher.blockSize / 4;
  return {
    encrypt: (sectors) => {
      const { words, chain, places, rows } = rowsOf(sectors, cipher.blockSize);
      for (const row of rows) {
        for (let i = 0; i < chain.length; i++) chain[i]! ^= words[places[i]! + row]!;
        cipher.encryptBlocks(sectors.ivs);
        for (let i = 0; i < chain.length; i++) words[places[i]! + row] = chain[i]!;
      }
    },
    decrypt: ({ bytes, sectorSize, ivs }) => {
      const words = wordsOf(bytes);
      const before = scratchWords(words.length);
      before.set(words);
      cipher.decryptBlocks(bytes);
      const vectors = wordsOf(ivs);
      const sectorWords = sectorSize / 4;
      for (let start = 0, iv = 0; start < words.length; start += sectorWords) {
        let i = start;
        for (const end = start + blockWords; i < end; i++, iv++) words[i]! ^= vectors[iv]!;
        for (const end = start + sectorWords; i < end; i++) words[i]! ^= before[i - blockWords]!;
      }
    },
  };
}

/** The blocks of sectors in rows: a row has the blocks with the same number, one of each sector. */
interface Rows {
  /** All bytes of the sectors. */
  readonly words: Int32Array;
  /** The vectors: as many words as a row has. */
  readonly chain: Int32Array;
  /** The index of each word of the first row among all words. */
  readonly places: Int32Array;
  /** The distance from a row to the next one, in words. */
  readonly rows: Iterable<number>;
}

/** The rows for modes that process the blocks of a sector one after the other. */
export function rowsOf({ bytes, sectorSize, ivs }: Sectors, blockSize: number): Rows {
  const chain = wordsOf(ivs);
  const blockWords = blockSize / 4;
  const sectorWords = sectorSize / 4;
  const places = new Int32Array(chain.length);
  for (let i = 0; i < places.length; i++) {
    const within = i % blockWords;
    places[i] = ((i - within) / blockWords) * sectorWords + within;
  }
  const rows = Array.from({ length: sectorWords / blockWords }, (_, row) => row * blockWords);
  return { words: wordsOf(bytes), chain, places, rows };
}

/**
 * Counter mode (SP 800-38A, section 6.5): a big-endian counter as wide as a block starts with the
 * vector and is incremented for each block of the sector.
 */
export function ctr(cipher: BlockCipher): Mode {
  const blockWords = cipher.blockSize / 4;
  const apply = ({ bytes, sectorSize, ivs }: Sectors) => {
    const counters = scratchWords(bytes.length / 4);
    const next = new Int32Array(blockWords);
    for (let at = 0, iv = 0; at < counters.length; at += blockWords) {
      if ((4 * at) % sectorSize === 0) {
        loadWords(ivs.subarray(iv), next, { bigEndian: true });
        iv += cipher.blockSize;
      }
      for (let i = 0; i < blockWords; i++) counters[at + i] = next[i]!;
      for (let i = blockWords - 1; i >= 0 && ++next[i]! === 0; i--);
    }
    reorder(counters, { bigEndian: true });
    cipher.encryptBlocks(bytesOf(counters));
    xorWords(wordsOf(bytes), counters);
  };
  return { encrypt: apply, decrypt: apply };
}

let scratch = new Int32Array(0);

/** Memory for one call, with arbitrary content. */
export function scratchWords(length: number): Int32Array {
  if (scratch.length < length) scratch = new Int32Array(length);
  return scratch.subarray(0, length);
}

/** Adds words to as many others, bit by bit. */
export function xorWords(words: Int32Array, others: Int32Array): void {
  const { length } = words;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    words[i]! ^= others[i]!;
    words[i + 1]! ^= others[i + 1]!;
    words[i + 2]! ^= others[i + 2]!;
    words[i + 3]! ^= others[i + 3]!;
  }
  for (let i = whole; i < length; i++) words[i]! ^= others[i]!;
}
