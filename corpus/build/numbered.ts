/** Gives names that come again a number. */
export class Numbered {
  readonly #seen = new Map<string, number>();

  /** The name itself the first time, and with `-2` and so on behind it from then on. */
  next(name: string): string {
    const count = (this.#seen.get(name) ?? 0) + 1;
    this.#seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  }
}
