import { HashMD } from "@noble/hashes/_md.js";
import { type CHash, createHasher } from "@noble/hashes/utils.js";
import { once } from "./words.ts";

const ROUNDS = 10;

/** Words in a state, and in a block: two in each of eight rows. */
const WORDS = 16;

class Whirlpool extends HashMD<Whirlpool> {
  readonly #state = new Int32Array(WORDS);

  constructor() {
    // The length of the message is stored in 32 bytes.
    super(64, 64, 32, false);
  }

  protected override process(view: DataView, offset: number): void {
    fillTables();
    const state = this.#state;
    for (let i = 0; i < WORDS; i++) {
      const word = view.getInt32(offset + 4 * i);
      key[i] = state[i]!;
      text[i] = word ^ state[i]!;
      state[i]! ^= word;
    }
    for (let round = 0; round < ROUNDS; round++) {
      diffuse(key);
      key[0]! ^= CONSTANTS[2 * round]!;
      key[1]! ^= CONSTANTS[2 * round + 1]!;
      diffuse(text);
      for (let i = 0; i < WORDS; i++) text[i]! ^= key[i]!;
    }
    // The block was added to the state above.
    for (let i = 0; i < WORDS; i++) state[i]! ^= text[i]!;
  }

  protected override get(): number[] {
    return [...this.#state];
  }

  protected override set(...words: number[]): void {
    this.#state.set(words);
  }

  override _cloneInto(to: Whirlpool = new Whirlpool()): Whirlpool {
    to.#state.set(this.#state);
    return this._cloneIntoMeta(to);
  }

  override destroy(): void {
    this.#state.fill(0);
    this.destroyed = true;
  }

  protected override roundClean(): void {}
}

/** Memory for one block. */
const key = new Int32Array(WORDS);
const text = new Int32Array(WORDS);
const mixed = new Int32Array(WORDS);

/** A round without its key: the S-box, the rotation of the columns and the mixing of the rows. */
function diffuse(words: Int32Array): void {
  for (let at = 0; at < WORDS; at += 2) {
    const a = words[at]! >>> 24;
    const b = 256 | ((words[(at + 14) & 15]! >>> 16) & 255);
    const c = 512 | ((words[(at + 12) & 15]! >>> 8) & 255);
    const d = 768 | (words[(at + 10) & 15]! & 255);
    const e = 1024 | (words[(at + 9) & 15]! >>> 24);
    const f = 1280 | ((words[(at + 7) & 15]! >>> 16) & 255);
    const g = 1536 | ((words[(at + 5) & 15]! >>> 8) & 255);
    const h = 1792 | (words[(at + 3) & 15]! & 255);
    mixed[at] = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^
      HIGH[h]!;
    mixed[at + 1] = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
  }
  words.set(mixed);
}

/** A product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(byte: number, by: number): number {
  let product = 0;
  for (; by > 0; by >>= 1, byte = (byte << 1) ^ (byte & 128 ? 0x11d : 0)) {
    if (by & 1) product ^= byte;
  }
  return product;
}

/** The mini-boxes E and R that the S-box is built from, and the inverse of E. */
const E = [...("1b9cd6f3e874a250")].map((digit) => parseInt(digit, 16));
const R = [...("7cbde49f638a2510")].map((digit) => parseInt(digit, 16));
const E_INVERSE = E.map((_, i) => E.indexOf(i));

function box(byte: number): number {
  const high = E[byte >> 4]!;
  const low = E_INVERSE[byte & 15]!;
  const mixed = R[high ^ low]!;
  return (E[high ^ mixed]! << 4) | E_INVERSE[low ^ mixed]!;
}

/** The first row of the matrix that mixes; each next one is this one rotated. */
const ROW = [1, 1, 4, 1, 8, 5, 2, 9];

/** The contribution of a byte in a column to the first word and to the second word of its row. */
const HIGH = new Int32Array(8 * 256);
const LOW = new Int32Array(8 * 256);

/** Pairs of words of the constants of the rounds: the S-box, in order. */
const CONSTANTS = new Int32Array(2 * ROUNDS);

const fillTables = once(() => {
  const wordOf = (byteAt: (at: number) => number): number =>
    [0, 1, 2, 3].reduce((word, at) => (word << 8) | byteAt(at), 0);
  for (let i = 0; i < HIGH.length; i++) {
    const byte = box(i & 255);
    const column = i >> 8;
    HIGH[i] = wordOf((at) => multiply(byte, ROW[(at - column) & 7]!));
    LOW[i] = wordOf((at) => multiply(byte, ROW[(4 + at - column) & 7]!));
  }
  CONSTANTS.forEach((_, i) => CONSTANTS[i] = wordOf((at) => box(4 * i + at)));
});

/** Whirlpool in its final version, that of ISO/IEC 10118-3. */
export const whirlpool: CHash = createHasher(() => new Whirlpool());
