/** A cache of the most recently used values by key. */
export class LastUsed<Key, Value> {
  readonly #capacity: number;
  readonly #values = new Map<Key, Value>();
  #made = 0;

  /** @param capacity maximum number of values */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of values that were created. A value that was evicted and created again counts twice. */
  get made(): number {
    return this.#made;
  }

  /** The value of a key, created if it is not cached. The least recently used value is evicted. */
  get(key: Key, make: () => Value): Value {
    const known = this.#values.get(key);
    if (known === undefined) this.#made++;
    const value = known ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#capacity) {
      const [oldest] = this.#values.keys();
      this.#values.delete(oldest as Key);
    }
    return value;
  }
}
