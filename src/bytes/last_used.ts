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

  /**
   * The value of a key, created if it is not cached. The least recently used value is evicted first; its
   * memory may be used for the new one.
   */
  get(key: Key, make: (evicted?: Value) => Value): Value {
    const known = this.#values.get(key);
    if (known === undefined) this.#made++;
    const value = known ?? make(this.#evicted());
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  #evicted(): Value | undefined {
    if (this.#values.size < this.#capacity) return undefined;
    const [[key, value] = []] = this.#values;
    this.#values.delete(key as Key);
    return value;
  }
}
