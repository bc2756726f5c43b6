import * as fc from "fast-check";
import { fnv1a } from "../engine/mod.ts";

/** Bytes for a number: each of them decides it. */
const NUMBER = 2;

/**
 * Draws numbers from the bytes of an input, and after their end from a sequence that they seed. A
 * fuzzer that changes a byte changes one choice of the case, and most of the others stay.
 */
export class ByteChoices {
  readonly #bytes: Uint8Array;
  #at: number;
  #rest: number;

  constructor(
    bytes: Uint8Array,
    state: readonly [at: number, rest: number] = [0, fnv1a(bytes) | 0],
  ) {
    this.#bytes = bytes;
    [this.#at, this.#rest] = state;
  }

  next(): number {
    if (this.#at < this.#bytes.length) {
      let value = 1;
      for (let i = 0; i < NUMBER; i++) value = value << 8 | (this.#bytes[this.#at++] ?? 0);
      return mixed(value);
    }
    this.#rest = (this.#rest + 0x9e3779b9) | 0;
    return mixed(this.#rest);
  }

  clone(): ByteChoices {
    return new ByteChoices(this.#bytes, [this.#at, this.#rest]);
  }

  getState(): number[] {
    return [this.#at, this.#rest];
  }
}

/** The mix of Splitmix32: all bits of the result depend on all bits of the value. */
function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) | 0;
}

/** How often an edge value is drawn: once in so many draws. */
const BIAS = 3;

/** The case that an input stands for. The same bytes give the same case. */
export function caseOf<Case>(cases: fc.Arbitrary<Case>, bytes: Uint8Array): Case {
  return cases.generate(new fc.Random(new ByteChoices(bytes)), BIAS).value;
}
