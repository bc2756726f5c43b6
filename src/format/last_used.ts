/** The values that were used last, by key. */
export class LastUsed<Key, Value> {
  readonly #capacity: number;
  readonly #values = new Map<Key, Value>();
  #made = 0;

  /** @param capacity how many values are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many values have been made; one that was dropped and made again counts twice. */
  get made(): number {
    return this.#made;
  }

  /** The value of a key, made where it is not kept; the one that was not used for longest is dropped. */
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
