import { SECTOR } from "../bytes/mod.ts";
import { blockCipher } from "./block_cipher.ts";
import { littleWords, xchacha } from "./xchacha.ts";

/** Bytes of the right part, which the block cipher transforms, and of a unit of NH. */
const BLOCK = 16;
/** Bytes of a message of NH. */
const MESSAGE = 1024;
const PASSES = 4;
/** Bytes of the key of NH: a unit for each unit of a message, and three more for the other passes. */
const NH_KEY = MESSAGE + (PASSES - 1) * BLOCK;

const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

/** How headers name Adiantum, and what it takes: `xchacha12,aes-adiantum-plain64`. */
export const ADIANTUM: {
  readonly mode: string;
  readonly rounds: Readonly<Record<string, 12 | 20>>;
  readonly keyLength: number;
  readonly ivGenerators: readonly string[];
} = {
  mode: "adiantum",
  rounds: { "xchacha12,aes": 12, "xchacha20,aes": 20 },
  keyLength: 32,
  ivGenerators: ["plain", "plain64"],
};

/** Bytes of a tweak in dm-crypt. */
const TWEAK = 32;

/**
 * The encryption of the sectors of a volume: the tweak starts with the little-endian number of the
 * sector.
 */
export function adiantumSectors(
  { cipher, ivGenerator, sectorSize }: {
    readonly cipher: string;
    readonly ivGenerator: string;
    readonly sectorSize: number;
  },
  key: Uint8Array,
): (direction: "encrypt" | "decrypt", bytes: Uint8Array, firstSector: bigint) => void {
  const wide = adiantum(key, ADIANTUM.rounds[cipher] ?? 12);
  const bits = ivGenerator === "plain" ? 32 : 64;
  return (direction, bytes, firstSector) => {
    const tweak = new Uint8Array(TWEAK);
    const view = new DataView(tweak.buffer);
    for (let at = 0; at < bytes.length; at += sectorSize) {
      const number = BigInt.asUintN(bits, firstSector + BigInt(at / SECTOR));
      view.setBigUint64(0, number, true);
      wide[direction](bytes.subarray(at, at + sectorSize), tweak);
    }
  };
}

/** A cipher for a whole sector. */
export interface WideCipher {
  /** Encrypts in place. */
  encrypt(sector: Uint8Array, tweak: Uint8Array): void;
  /** Decrypts in place. */
  decrypt(sector: Uint8Array, tweak: Uint8Array): void;
}

/**
 * Adiantum (Crowley, Biggers: Adiantum: length-preserving encryption for entry-level processors, IACR
 * Transactions on Symmetric Cryptology 2018, 4), with AES-256.
 *
 * @param key 32 bytes
 * @param rounds of XChaCha
 */
export function adiantum(key: Uint8Array, rounds: 12 | 20): WideCipher {
  const stream = (bytes: Uint8Array, start: Uint8Array): void => {
    const nonce = new Uint8Array(24);
    nonce.set(start);
    nonce[start.length] = 1;
    xchacha(bytes, { key, nonce, rounds });
  };
  const keys = new Uint8Array(2 * BLOCK + 2 * BLOCK + NH_KEY);
  stream(keys, new Uint8Array(0));
  const block = blockCipher("aes", keys.slice(0, 32));
  const tweakKey = numberOf(keys.subarray(32, 48)) & CLAMP;
  const messageKey = numberOf(keys.subarray(48, 64)) & CLAMP;
  const nhKey = littleWords(keys.subarray(64));
  const hash = (tweak: Uint8Array, left: Uint8Array): bigint => {
    const about = new Uint8Array(BLOCK + tweak.length);
    new DataView(about.buffer).setUint32(0, 8 * left.length, true);
    about.set(tweak, BLOCK);
    return poly1305(tweakKey, about) + poly1305(messageKey, nh(nhKey, left));
  };
  const rightPlus = (right: Uint8Array, sum: bigint): void => {
    let rest = BigInt.asUintN(128, numberOf(right) + sum);
    for (let i = 0; i < BLOCK; i++, rest >>= 8n) right[i] = Number(rest & 0xffn);
  };
  const parts = (sector: Uint8Array): [Uint8Array, Uint8Array] => {
    const length = sector.length - BLOCK;
    return [sector.subarray(0, length), sector.subarray(length)];
  };
  return {
    encrypt: (sector, tweak) => {
      const [left, right] = parts(sector);
      rightPlus(right, hash(tweak, left));
      const middle = right.slice();
      block.encryptBlocks(middle);
      stream(left, middle);
      right.set(middle);
      rightPlus(right, -hash(tweak, left));
    },
    decrypt: (sector, tweak) => {
      const [left, right] = parts(sector);
      rightPlus(right, hash(tweak, left));
      const middle = right.slice();
      stream(left, middle);
      block.decryptBlocks(middle);
      right.set(middle);
      rightPlus(right, -hash(tweak, left));
    },
  };
}

/** Bytes as a little-endian number. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}

/** Poly1305 without its final addition (RFC 8439, 2.5). */
function poly1305(key: bigint, message: Uint8Array): bigint {
  let sum = 0n;
  for (let at = 0; at < message.length; at += BLOCK) {
    const chunk = message.subarray(at, at + BLOCK);
    sum = (sum + numberOf(chunk) + (1n << BigInt(8 * chunk.length))) * key % PRIME;
  }
  return sum;
}

/** NH with words of 32 bits, a stride of two and four passes, over zero-padded messages. */
function nh(key: Uint32Array, bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
  padded.set(bytes);
  const messages = Math.ceil(padded.length / MESSAGE);
  const hashes = new DataView(new ArrayBuffer(messages * PASSES * 8));
  for (let message = 0, at = 0; message < messages; message++) {
    const words = littleWords(padded.subarray(message * MESSAGE, (message + 1) * MESSAGE));
    for (let pass = 0; pass < PASSES; pass++, at += 8) {
      let sum = 0n;
      for (let i = 0; i < words.length; i++) {
        if ((i & 2) !== 0) continue;
        const k = 4 * pass + i;
        const left = words[i]! + key[k]! >>> 0;
        sum += BigInt(left) * BigInt(words[i + 2]! + key[k + 2]! >>> 0);
      }
      hashes.setBigUint64(at, BigInt.asUintN(64, sum), true);
    }
  }
  return new Uint8Array(hashes.buffer);
}
