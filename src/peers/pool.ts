/** Things that are made when they are needed, up to a number, and each used by one user at a time. */
export class Pool<T> {
  readonly #make: () => T;
  readonly #max: number;
  readonly #idle: T[] = [];
  readonly #waiting: ((thing: T) => void)[] = [];
  #made = 0;

  constructor(make: () => T, max: number) {
    this.#make = make;
    this.#max = max;
  }

  /** One that nobody uses: there, made, or waited for. The user gives it or another one back. */
  take(): Promise<T> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#made >= this.#max) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#made++;
    return Promise.resolve(this.#make());
  }

  give(thing: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(thing);
    else next(thing);
  }

  /** Those that nobody uses; they do not belong to the pool any more. */
  empty(): T[] {
    const idle = this.#idle.splice(0);
    this.#made -= idle.length;
    return idle;
  }
}
