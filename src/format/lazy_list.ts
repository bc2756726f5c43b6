/** Items that are kept. Most images have no more structures of one kind. */
const KEPT = 8;

/**
 * A list whose items are made each time that they are read, except for the first few, which are kept: a
 * small image may describe tens of thousands of structures.
 */
export class LazyList<T> implements Iterable<T> {
  readonly length: number;
  readonly #make: (index: number) => T;
  readonly #kept: T[] = [];

  /** @param make makes the item with an index below `length`, the same one each time */
  constructor(length: number, make: (index: number) => T) {
    this.length = length;
    this.#make = make;
  }

  #itemAt(index: number): T {
    if (index >= KEPT) return this.#make(index);
    return this.#kept[index] ??= this.#make(index);
  }

  /** A list of items that there are already. */
  static of<T>(items: readonly T[]): LazyList<T> {
    return new LazyList(items.length, (index) => items[index] as T);
  }

  at(index: number): T | undefined {
    return index >= 0 && index < this.length ? this.#itemAt(index) : undefined;
  }

  [Symbol.iterator](): Generator<T> {
    return this.values();
  }

  *values(): Generator<T> {
    for (let index = 0; index < this.length; index++) yield this.#itemAt(index);
  }

  *entries(): Generator<[number, T]> {
    for (let index = 0; index < this.length; index++) yield [index, this.#itemAt(index)];
  }

  /** Another lazy list, of what `change` makes of the items. */
  map<U>(change: (item: T) => U): LazyList<U> {
    return new LazyList(this.length, (index) => change(this.#itemAt(index)));
  }

  /** The first items, at most `count`. */
  take(count: number): LazyList<T> {
    return new LazyList(Math.min(count, this.length), (index) => this.#itemAt(index));
  }

  findIndex(test: (item: T) => boolean): number {
    for (const [index, item] of this.entries()) if (test(item)) return index;
    return -1;
  }
}
