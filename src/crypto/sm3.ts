import { rotateLeft } from "./words.ts";

/** GB/T 32905-2016, 4.1. */
const START = Int32Array.of(
  ...[0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600],
  ...[0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e],
);
const ROUNDS = 64;
/** Rounds with the first constant and the simple functions. */
const EARLY = 16;
/** The constants of 4.2, rotated as in 5.3.3. */
const CONSTANTS = Int32Array.from(
  { length: ROUNDS },
  (_, round) => rotateLeft(round < EARLY ? 0x79cc4519 : 0x7a879d8a, round % 32),
);
const WORD = 4;
const BLOCK_WORDS = 16;
const END_MARK = 0x80;
const NUMBER_BYTES = 4;

const block = new Uint8Array(BLOCK_WORDS * WORD);
const view = new DataView(block.buffer);
/** The expanded block of 5.3.2, with the four words after it that the last rounds use. */
const words = new Int32Array(ROUNDS + WORD);
const state = new Int32Array(START.length);

/**
 * Replaces bytes by the start of the SM3 digest of a number (32 bits, big-endian) and the bytes: of at most
 * 51, which one block takes. The platform would make a context for each, which takes ten times as long.
 */
export function replaceBySm3(number: number, bytes: Uint8Array): void {
  const end = NUMBER_BYTES + bytes.length;
  view.setUint32(0, number);
  block.set(bytes, NUMBER_BYTES);
  block.fill(0, end);
  block[end] = END_MARK;
  view.setUint32(block.length - WORD, 8 * end);
  compress();
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (state[at >> 2] as number) >>> (24 - 8 * (at % WORD));
  }
}

/** The compression function of 5.3, on the first block of a message. */
function compress(): void {
  expand();
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = START;
  for (let round = 0; round < ROUNDS; round++) {
    const word = words[round] as number;
    const turned = rotateLeft(a, 12);
    const first = rotateLeft((turned + e + (CONSTANTS[round] as number)) | 0, 7);
    const isEarly = round < EARLY;
    const ff = isEarly ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = isEarly ? e ^ f ^ g : (e & f) | (~e & g);
    const one = (ff + d + (first ^ turned) + (word ^ (words[round + WORD] as number))) | 0;
    const two = (gg + h + first + word) | 0;
    d = c;
    c = rotateLeft(b, 9);
    b = a;
    a = one;
    h = g;
    g = rotateLeft(f, 19);
    f = e;
    e = two ^ rotateLeft(two, 9) ^ rotateLeft(two, 17);
  }
  state.set([a, b, c, d, e, f, g, h]);
  for (let i = 0; i < state.length; i++) state[i] = (state[i] as number) ^ (START[i] as number);
}

function expand(): void {
  for (let i = 0; i < BLOCK_WORDS; i++) words[i] = view.getInt32(i * WORD);
  for (let i = BLOCK_WORDS; i < words.length; i++) {
    const sum = (words[i - 16] as number) ^ (words[i - 9] as number) ^
      rotateLeft(words[i - 3] as number, 15);
    words[i] = sum ^ rotateLeft(sum, 15) ^ rotateLeft(sum, 23) ^
      rotateLeft(words[i - 13] as number, 7) ^ (words[i - 6] as number);
  }
}
