import { type Claim, type ClaimKind, ClaimList } from "../format/mod.ts";

/** What a stretch of a file is to an image. */
export type StretchKind =
  | ClaimKind
  /** Nothing leads to it. */
  | "unused"
  /** Several things lead to it that cannot all be right. */
  | "conflict";

/** A stretch of a file to which the same things lead from end to end. */
export interface Stretch {
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  readonly kind: StretchKind;
  /** How many claims there are to it. */
  readonly count: number;
  /** The first few of them, which are made each time: most stretches are not listed. */
  readonly claims: () => readonly Claim[];
}

/** Claims that are named of a stretch. */
const NAMED_MAX = 4;

/**
 * Cuts a file into stretches by what claims them, in order and without gaps from 0 to its end, and on
 * to the end of the last claim where that is behind the file.
 *
 * Guest data may be claimed several times, as snapshots do; everything else has one use alone.
 *
 * @param size of the file in bytes
 */
export function stretchesOf(claims: Iterable<Claim>, size: number): Stretch[] {
  return [...stretchesIn(claims, size)];
}

/** The same, one by one: there may be as many as there are claims, and two more. */
export function* stretchesIn(claims: Iterable<Claim>, size: number): Generator<Stretch> {
  const list = ClaimList.of(claims);
  const sweep = new Sweep(list);
  for (const { at, claim, starts } of edgesOf(list, size)) {
    // After the end of the file, unreferenced ranges are not stretches.
    yield* sweep.moveTo(sweep.isIdle ? Math.min(at, size) : at);
    sweep.skipTo(at);
    if (starts) sweep.enter(claim);
    else sweep.leave(claim);
  }
  yield* sweep.moveTo(size);
}

/** Goes through a file from its start, with the claims to the place where it is. */
class Sweep {
  readonly #claims: ClaimList;
  readonly #active: Order;
  readonly #counts: Record<ClaimKind, number> = { header: 0, table: 0, data: 0, compressed: 0 };
  #from = 0;

  constructor(claims: ClaimList) {
    this.#claims = claims;
    this.#active = new Order(claims.length);
  }

  get isIdle(): boolean {
    return this.#active.size === 0;
  }

  /** Ends a stretch here, where there is one. */
  *moveTo(to: number): Generator<Stretch> {
    if (to <= this.#from) return;
    const list = this.#claims;
    const named = this.#active.first(NAMED_MAX);
    yield {
      offset: this.#from,
      length: to - this.#from,
      kind: this.#kind(named[0]),
      count: this.#active.size,
      claims: () => named.map((at) => list.claim(at)),
    };
    this.#from = to;
  }

  skipTo(to: number): void {
    this.#from = Math.max(this.#from, to);
  }

  enter(claim: number): void {
    this.#active.add(claim);
    this.#counts[this.#claims.kind(claim)]++;
  }

  leave(claim: number): void {
    this.#active.delete(claim);
    this.#counts[this.#claims.kind(claim)]--;
  }

  #kind(first: number | undefined): StretchKind {
    const { size } = this.#active;
    if (first === undefined) return "unused";
    const kind = this.#claims.kind(first);
    const sharable = kind === "data" || kind === "compressed";
    return this.#counts[kind] < size || size > 1 && !sharable ? "conflict" : kind;
  }
}

/**
 * A set of numbers below a limit, in the order in which they were added. A `Set` that changes all the
 * time leaves garbage that is collected late.
 */
class Order {
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;
  /** Stands before the first and behind the last one. */
  readonly #end: number;
  size = 0;

  constructor(limit: number) {
    this.#end = limit;
    this.#next = new Uint32Array(limit + 1).fill(limit);
    this.#previous = new Uint32Array(limit + 1).fill(limit);
  }

  add(number: number): void {
    const last = this.#previous[this.#end] as number;
    this.#link(last, number);
    this.#link(number, this.#end);
    this.size++;
  }

  delete(number: number): void {
    this.#link(this.#previous[number] as number, this.#next[number] as number);
    this.size--;
  }

  #link(before: number, behind: number): void {
    this.#next[before] = behind;
    this.#previous[behind] = before;
  }

  /** The first numbers, at most `count`. */
  first(count: number): number[] {
    const found: number[] = [];
    for (let at = this.#next[this.#end] as number; at !== this.#end && found.length < count;) {
      found.push(at);
      at = this.#next[at] as number;
    }
    return found;
  }
}

interface Edge {
  readonly at: number;
  /** The number of the claim. */
  readonly claim: number;
  readonly starts: boolean;
}

/** Where claims start and end, in order. One that starts in the file ends with it at the latest. */
function* edgesOf(claims: ClaimList, size: number): Generator<Edge> {
  const startOf = (at: number): number => claims.offset(at);
  const endOf = (at: number): number =>
    startOf(at) < size ? Math.min(claims.end(at), size) : claims.end(at);
  const { length } = claims;
  const scratch = {
    keys: new Float64Array(length),
    sorted: new Float64Array(length),
    placed: new Uint32Array(length),
  };
  const byStart = sortedBy(startOf, scratch);
  const byEnd = sortedBy(endOf, scratch);
  let next = 0;
  for (const ending of byEnd) {
    for (; next < byStart.length; next++) {
      const claim = byStart[next] as number;
      if (startOf(claim) >= endOf(ending) && claim !== ending) break;
      yield { at: startOf(claim), claim, starts: true };
    }
    yield { at: endOf(ending), claim: ending, starts: false };
  }
}

/** Memory for sorting, of the length of what is sorted. */
interface Scratch {
  readonly keys: Float64Array;
  readonly sorted: Float64Array;
  /** How many numbers are placed, by the first place of their key. */
  readonly placed: Uint32Array;
}

/**
 * The numbers from 0 on by their keys; those with equal keys stay in order. Sorting with a comparison
 * would copy everything several times: images have hundreds of thousands of claims.
 */
function sortedBy(keyOf: (at: number) => number, scratch: Scratch): Uint32Array {
  const { keys, sorted, placed } = scratch;
  const { length } = keys;
  for (let at = 0; at < length; at++) keys[at] = keyOf(at);
  sorted.set(keys);
  sorted.sort();
  placed.fill(0);
  const order = new Uint32Array(length);
  for (let at = 0; at < length; at++) {
    const first = firstPlace(sorted, keys[at] as number);
    const before = placed[first] as number;
    order[first + before] = at;
    placed[first] = before + 1;
  }
  return order;
}

/** Where a key that is in a sorted list comes first. */
function firstPlace(keys: Float64Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
