import type { BlockCipher } from "./block.ts";

/**
 * Words that a cipher processes at a time: they fit into the innermost cache together with its
 * tables.
 */
const CHUNK_WORDS = 1024;

/** The order of the bytes of a word. */
export interface ByteOrder {
  /** Whether the first byte is the high one. */
  readonly bigEndian: boolean;
}

/** A cipher that works on blocks of 32-bit words, in place. */
export interface WordCipher extends ByteOrder {
  readonly blockSize: 8 | 16;
  readonly encryptWords: (words: Int32Array) => void;
  readonly decryptWords: (words: Int32Array) => void;
}

/** The cipher on bytes. */
export function onBytes(cipher: WordCipher): BlockCipher {
  const { blockSize, bigEndian } = cipher;
  return {
    blockSize,
    encryptBlocks: (bytes) => inChunks(bytes, { bigEndian, transform: cipher.encryptWords }),
    decryptBlocks: (bytes) => inChunks(bytes, { bigEndian, transform: cipher.decryptWords }),
  };
}

function inChunks(
  bytes: Uint8Array,
  { bigEndian, transform }: ByteOrder & { transform: (words: Int32Array) => void },
): void {
  const buffer = new Int32Array(Math.min(CHUNK_WORDS, bytes.length / 4));
  for (let at = 0; at < bytes.length; at += 4 * CHUNK_WORDS) {
    const chunk = bytes.subarray(at, at + 4 * CHUNK_WORDS);
    const words = buffer.subarray(0, chunk.length / 4);
    loadWords(chunk, words, { bigEndian });
    transform(words);
    storeWords(words, chunk, { bigEndian });
  }
}

/** Reads `words.length` words from the start of bytes. */
export function loadWords(bytes: Uint8Array, words: Int32Array, order: ByteOrder): void {
  bytesOf(words).set(bytes.subarray(0, words.byteLength));
  reorder(words, order);
}

/** Writes words to the start of bytes; may reorder the bytes of the words themselves. */
function storeWords(words: Int32Array, bytes: Uint8Array, order: ByteOrder): void {
  reorder(words, order);
  bytes.set(bytesOf(words));
}

/** Converts numbers to words whose bytes in memory are in the given order, or back. */
export function reorder(words: Int32Array, { bigEndian }: ByteOrder): void {
  if (bigEndian !== HOST_IS_BIG_ENDIAN) swap(words);
}

/**
 * Bytes that start at a multiple of four in their buffer, as words in the byte order of the host.
 */
export function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** The words of a key. If its length is not a multiple of four, it is padded with zeros. */
export function keyWords(key: Uint8Array, length: number, order: ByteOrder): Int32Array {
  const padded = new Uint8Array(4 * length);
  padded.set(key);
  const words = new Int32Array(length);
  loadWords(padded, words, order);
  return words;
}

/** A word rotated left by 0 to 31 bits. */
export function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/**
 * A function that fills tables, and does so once. Tables are filled when they are first used, because
 * few images need them and filling them at import made every start of the program slower.
 */
export function once(fill: () => void): () => void {
  let filled = false;
  return () => {
    if (filled) return;
    fill();
    filled = true;
  };
}

/** The bytes of a text in hexadecimal. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** The memory of words as bytes. */
export function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

const HOST_IS_BIG_ENDIAN = bytesOf(Int32Array.of(1))[0] === 0;

function swap(words: Int32Array): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    words[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
}
