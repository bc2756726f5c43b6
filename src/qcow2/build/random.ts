/** Pseudo-random numbers that depend only on a seed. */
export interface Random {
  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number;
}

/** Mulberry32: 32 bits of state are enough for shuffling. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(bound: number): number {
      state = (state + 0x6d2b79f5) >>> 0;
      let word = Math.imul(state ^ (state >>> 15), state | 1);
      word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
      return Math.floor(((word ^ (word >>> 14)) >>> 0) / 2 ** 32 * bound);
    },
  };
}

/** Shuffles the items in place (Fisher-Yates). */
export function shuffle<Item>(items: Item[], random: Random): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const moved = items[last] as Item;
    items[last] = items[other] as Item;
    items[other] = moved;
  }
  return items;
}
