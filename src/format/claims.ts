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
const LENGTH_FIRST = 64;

/**
 * A compact list of claims: an image with shuffled clusters has one for each table entry, and their
 * descriptions are longer than the entries.
 */
export class ClaimList implements Iterable<Claim> {
  /** Alternating offsets and lengths. */
  #places = new Float64Array(2 * LENGTH_FIRST);
  /** Alternating first and last indices. */
  #indices = new Uint32Array(2 * LENGTH_FIRST);
  #owners = new Uint32Array(LENGTH_FIRST);
  #kinds = new Uint8Array(LENGTH_FIRST);
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
    const at = this.#length++;
    if (at === this.#kinds.length) this.#grow();
    this.#places.set([offset, length], 2 * at);
    this.#indices.set([first, last], 2 * at);
    this.#owners[at] = this.#owned.length - 1;
    this.#kinds[at] = KINDS.indexOf(kind);
  }

  #grow(): void {
    const grown = <T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#places = grown(this.#places, new Float64Array(2 * this.#places.length));
    this.#indices = grown(this.#indices, new Uint32Array(2 * this.#indices.length));
    this.#owners = grown(this.#owners, new Uint32Array(2 * this.#owners.length));
    this.#kinds = grown(this.#kinds, new Uint8Array(2 * this.#kinds.length));
  }

  /** Byte offset of a claim. */
  offset(at: number): number {
    return this.#places[2 * at] as number;
  }

  /** Byte offset of the end of a claim. */
  end(at: number): number {
    return this.offset(at) + (this.#places[2 * at + 1] as number);
  }

  kind(at: number): ClaimKind {
    return KINDS[this.#kinds[at] as number] as ClaimKind;
  }

  claim(at: number): Claim {
    const owner = this.#owned[this.#owners[at] as number];
    const place = {
      offset: this.offset(at),
      length: this.#places[2 * at + 1] as number,
      kind: this.kind(at),
    };
    if (typeof owner === "string" || owner === undefined) return { ...place, path: owner ?? "" };
    if (typeof owner.says !== "function") {
      return { ...place, path: owner.path, says: owner.says ?? "" };
    }
    const first = this.#indices[2 * at] as number;
    const last = this.#indices[2 * at + 1] as number;
    const indices = first === last ? `${first}` : `${first}..${last}`;
    return { ...place, path: `${owner.path}/${indices}`, says: owner.says(first) };
  }

  *[Symbol.iterator](): Generator<Claim> {
    for (let at = 0; at < this.#length; at++) yield this.claim(at);
  }
}
