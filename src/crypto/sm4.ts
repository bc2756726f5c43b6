import { fromHex, keyWords, onBytes, once, rotateLeft } from "./words.ts";
import type { BlockCipher } from "./block.ts";

/** SM4 (GB/T 32907-2016) under a key of 16 bytes. */
export function sm4(key: Uint8Array): BlockCipher {
  fillTables();
  const forward = schedule(key);
  const backward = forward.slice().reverse();
  return onBytes({
    blockSize: 16,
    bigEndian: true,
    encryptWords: (words) => transform(words, forward),
    decryptWords: (words) => transform(words, backward),
  });
}

const ROUNDS = 32;

function transform(words: Int32Array, subkeys: Int32Array): void {
  for (let at = 0; at < words.length; at += 4) {
    let a = words[at]!;
    let b = words[at + 1]!;
    let c = words[at + 2]!;
    let d = words[at + 3]!;
    for (let round = 0; round < ROUNDS; round += 4) {
      a ^= substitute(b ^ c ^ d ^ subkeys[round]!);
      b ^= substitute(c ^ d ^ a ^ subkeys[round + 1]!);
      c ^= substitute(d ^ a ^ b ^ subkeys[round + 2]!);
      d ^= substitute(a ^ b ^ c ^ subkeys[round + 3]!);
    }
    words[at] = d;
    words[at + 1] = c;
    words[at + 2] = b;
    words[at + 3] = a;
  }
}

/** The transformation T of a round (section 6.2). The tables combine both of its halves. */
function substitute(word: number): number {
  return TABLES[word & 255]! ^ TABLES[256 | ((word >>> 8) & 255)]! ^
    TABLES[512 | ((word >>> 16) & 255)]! ^ TABLES[768 | (word >>> 24)]!;
}

/** The key schedule (section 7.3). */
function schedule(key: Uint8Array): Int32Array {
  const state = keyWords(key, 4, { bigEndian: true }).map((word, i) => word ^ SYSTEM_PARAMETER[i]!);
  return Int32Array.from({ length: ROUNDS }, (_, round) => {
    const mixed = boxed(
      state[(round + 1) & 3]! ^ state[(round + 2) & 3]! ^ state[(round + 3) & 3]! ^
        fixedParameter(round),
    );
    return state[round & 3]! ^= mixed ^ rotateLeft(mixed, 13) ^ rotateLeft(mixed, 23);
  });
}

/** The S-box on each byte of a word. */
function boxed(word: number): number {
  return BOX[word & 255]! | (BOX[(word >>> 8) & 255]! << 8) |
    (BOX[(word >>> 16) & 255]! << 16) | (BOX[word >>> 24]! << 24);
}

/** The parameter FK. */
const SYSTEM_PARAMETER = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];

/** The parameter CK of a round: bytes that count in steps of seven. */
function fixedParameter(round: number): number {
  const byte = (i: number) => (7 * (4 * round + i)) & 255;
  return (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3);
}

const BOX = fromHex(
  "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699" +
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6" +
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35" +
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e" +
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3" +
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51" +
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0" +
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948",
);

const TABLES = new Int32Array(4 * 256);

const fillTables = once(() => {
  for (let i = 0; i < TABLES.length; i++) {
    const word = BOX[i & 255]! << (8 * (i >> 8));
    TABLES[i] = word ^ rotateLeft(word, 2) ^ rotateLeft(word, 10) ^ rotateLeft(word, 18) ^
      rotateLeft(word, 24);
  }
});
