import type { Claim, ClaimKind } from "./anatomy.ts";

/** A table whose entries claim parts of the file. */
export interface ClaimingTable {
  readonly path: string;
  /** Target of an entry: `guest 0x10000`. */
  says(index: number): string;
}

/** The claim of adjacent entries of a table. */
export interface EntriesClaim {
  readonly table: ClaimingTable;
  readonly first: number;
  readonly last: number;
  readonly offset: number;
  readonly length: number;
  readonly kind: ClaimKind;
}

const KINDS: readonly ClaimKind[] = ["header", "table", "data", "compressed"];
/** Claims in the first block, which is enough for most images, and in each of the others. */
const FIRST_BLOCK = 2 ** 8;
const BLOCK = 2 ** 16;

/** Some claims. Lists grow by blocks: outgrown arrays would be garbage that is collected late. */
class Block {
  /** The number of its first claim. */
  readonly start: number;
  /** Alternating offsets and lengths. */
  readonly places: Float64Array;
  /** Alternating first and last indices. */
  readonly indices: Uint32Array;
  readonly owners: Uint32Array;
  readonly kinds: Uint8Array;

  constructor(start: number, size: number) {
    this.start = start;
    this.places = new Float64Array(2 * size);
    this.indices = new Uint32Array(2 * size);
    this.owners = new Uint32Array(size);
    this.kinds = new Uint8Array(size);
  }
}

/**
 * A compact list of claims: an image with shuffled clusters has one for each table entry, and their
 * descriptions are longer than the entries.
 */
export class ClaimList implements Iterable<Claim> {
  readonly #blocks: Block[] = [];
  /** Tables, and the paths of what claims something by itself, with what it says where it does. */
  readonly #owned: (ClaimingTable | Pick<Claim, "path" | "says"> | string)[] = [];
  #length = 0;

  /** A list of existing claims. */
  static of(claims: Iterable<Claim>): ClaimList {
    if (claims instanceof ClaimList) return claims;
    const list = new ClaimList();
    for (const claim of claims) if (claim.length > 0) list.add(claim);
    return list;
  }

  get length(): number {
    return this.#length;
  }

  add(claim: Claim): void {
    const { path, says } = claim;
    this.#owned.push(says === undefined ? path : { path, says });
    this.#add(claim, 0, 0);
  }

  addEntries({ table, first, last, ...place }: EntriesClaim): void {
    if (this.#owned.at(-1) !== table) this.#owned.push(table);
    this.#add(place, first, last);
  }

  #add(
    { offset, length, kind }: Pick<Claim, "offset" | "length" | "kind">,
    first: number,
    last: number,
  ): void {
    const number = this.#length++;
    if (number === 0) this.#blocks.push(new Block(0, FIRST_BLOCK));
    else if ((number - FIRST_BLOCK) % BLOCK === 0) this.#blocks.push(new Block(number, BLOCK));
    const { start, places, indices, owners, kinds } = this.#blocks.at(-1) as Block;
    const at = number - start;
    places[2 * at] = offset;
    places[2 * at + 1] = length;
    indices[2 * at] = first;
    indices[2 * at + 1] = last;
    owners[at] = this.#owned.length - 1;
    kinds[at] = KINDS.indexOf(kind);
  }

  #block(number: number): Block {
    const index = number < FIRST_BLOCK ? 0 : 1 + Math.floor((number - FIRST_BLOCK) / BLOCK);
    return this.#blocks[index] as Block;
  }

  /** Byte offset of a claim. */
  offset(at: number): number {
    const { start, places } = this.#block(at);
    return places[2 * (at - start)] as number;
  }

  /** Byte offset of the end of a claim. */
  end(at: number): number {
    return this.offset(at) + this.#lengthOf(at);
  }

  #lengthOf(at: number): number {
    const { start, places } = this.#block(at);
    return places[2 * (at - start) + 1] as number;
  }

  kind(at: number): ClaimKind {
    const { start, kinds } = this.#block(at);
    return KINDS[kinds[at - start] as number] as ClaimKind;
  }

  claim(at: number): Claim {
    const { start, owners, indices } = this.#block(at);
    const owner = this.#owned[owners[at - start] as number];
    const place = {
      offset: this.offset(at),
      length: this.#lengthOf(at),
      kind: this.kind(at),
    };
    if (typeof owner === "string" || owner === undefined) return { ...place, path: owner ?? "" };
    if (typeof owner.says !== "function") {
      return { ...place, path: owner.path, says: owner.says ?? "" };
    }
    const first = indices[2 * (at - start)] as number;
    const last = indices[2 * (at - start) + 1] as number;
    const range = first === last ? `${first}` : `${first}..${last}`;
    return { ...place, path: `${owner.path}/${range}`, says: owner.says(first) };
  }

  *[Symbol.iterator](): Generator<Claim> {
    for (let at = 0; at < this.#length; at++) yield this.claim(at);
  }
}
