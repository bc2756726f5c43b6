/** A small seeded generator (mulberry32): the same numbers for the same seed, everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An unsigned 32-bit number. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `end - 1`. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("Cannot pick: nothing to pick from");
    return value;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }

  /** Bytes in stretches: noise, runs, a few letters, and copies of what came before. */
  content(length: number): Uint8Array {
    const content = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const end = Math.min(length, at + 1 + this.below(1 << this.below(12)));
      const kind = this.below(at === 0 ? 3 : 4);
      const run = this.next() & 0xff;
      const distance = 1 + this.below(at);
      for (; at < end; at++) {
        if (kind === 0) content[at] = this.next();
        else if (kind === 1) content[at] = run;
        else if (kind === 2) content[at] = 97 + this.below(6);
        else content[at] = content[at - distance] ?? 0;
      }
    }
    return content;
  }
}

/** A few small damages: flipped bits, a lost or doubled stretch, an end cut off, something appended. */
export function damage(random: Random, stream: Uint8Array): Uint8Array {
  const kind = random.below(8);
  const at = random.below(stream.length);
  if (kind < 3) {
    const flipped = stream.slice();
    // Headers are at the front and trailers at the end: that is where most decisions are made.
    const place = [random.below(24), stream.length - 1 - random.below(24), at][kind] ?? 0;
    const target = Math.max(0, Math.min(stream.length - 1, place));
    if (stream.length > 0) flipped[target] = (stream[target] ?? 0) ^ (1 << random.below(8));
    return flipped;
  }
  if (kind === 3) return stream.slice(0, Math.max(0, stream.length - 1 - random.below(10)));
  if (kind === 4) return stream.slice(0, at);
  if (kind === 5) return concat(stream, new Uint8Array(1 + random.below(40)));
  if (kind === 6) return concat(stream, random.bytes(1 + random.below(40)));
  const length = random.below(6);
  return random.oneIn(2)
    ? concat(stream.subarray(0, at), stream.subarray(at + length))
    : concat(stream.subarray(0, at + length), stream.subarray(at));
}

/** The arrays one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
