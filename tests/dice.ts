import { patternBytes } from "../src/format/mod.ts";
import { readUint } from "../src/layout/mod.ts";

/** Draws from a seed. */
export class Dice {
  readonly #seed: number;
  #rolls = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  below(bound: number): number {
    const word = patternBytes({ kind: "noise", seed: this.#seed }, 4, this.#rolls++ * 4);
    return Math.floor(Number(readUint(word, 0, 4)) / 2 ** 32 * bound);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
