/** The last few values that were asked for, by key. */
export class Cache<Key, Value> {
  readonly #capacity: number;
  readonly #values = new Map<Key, Value>();

  /** @param capacity how many values are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The value of a key, made if it is not there; what was not asked for the longest makes room. */
  get(key: Key, make: () => Value): Value {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#capacity) {
      for (const oldest of this.#values.keys()) {
        this.#values.delete(oldest);
        break;
      }
    }
    return value;
  }
}
