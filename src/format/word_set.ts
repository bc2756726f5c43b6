const SLOTS_FIRST = 1024;

/**
 * A set of 64-bit words other than 0, as two halves each. It takes 11 to 22 bytes for each word, where a
 * `Set` of texts or of `bigint` takes more than a hundred: a hostile image has as many words as it has
 * table entries.
 */
export class WordSet {
  /** Alternating high and low halves, in open addressing. */
  #slots = new Uint32Array(2 * SLOTS_FIRST);
  #size = 0;

  /** Adds a word. Returns whether it was not in the set. */
  add(high: number, low: number): boolean {
    if (4 * (this.#size + 1) > 3 * (this.#slots.length / 2)) this.#grow();
    const at = slotOf(this.#slots, high, low);
    if (this.#slots[at] !== 0 || this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size++;
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    for (let from = 0; from < this.#slots.length; from += 2) {
      const high = this.#slots[from] as number;
      const low = this.#slots[from + 1] as number;
      if (high === 0 && low === 0) continue;
      const at = slotOf(slots, high, low);
      slots[at] = high;
      slots[at + 1] = low;
    }
    this.#slots = slots;
  }
}

/** Index of the slot that has a word, or of the empty one for it. */
function slotOf(slots: Uint32Array, high: number, low: number): number {
  const mask = slots.length / 2 - 1;
  let slot = hashOf(high, low) & mask;
  for (;; slot = (slot + 1) & mask) {
    const at = 2 * slot;
    if (slots[at] === high >>> 0 && slots[at + 1] === low >>> 0) return at;
    if (slots[at] === 0 && slots[at + 1] === 0) return at;
  }
}

function hashOf(high: number, low: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ hash >>> 13;
}
