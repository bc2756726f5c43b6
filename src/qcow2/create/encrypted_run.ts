import type { Segment } from "../../bytes/mod.ts";
import type { Encrypt } from "../encode/encrypt.ts";

/** A cluster, or adjacent ones, before encryption. */
export interface PlainClusters {
  readonly guest: number;
  readonly host: number;
  readonly bytes: Uint8Array;
}

/** Bytes that are encrypted at a time; more if they are added together. */
const RUN_MAX = 2 ** 18;

/**
 * Clusters that are adjacent on the guest's disk and in their file, and are encrypted together.
 * Creating a cipher takes longer than encrypting a small cluster. In CBC mode each block of a
 * sector depends on the previous one, so more sectors mean more blocks per call of the cipher.
 */
export class EncryptedRun {
  readonly #encrypt: Encrypt;
  #first: PlainClusters | undefined;
  /** The clusters that were added: copies, because the content reuses the memory of a block. */
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(encrypt: Encrypt) {
    this.#encrypt = encrypt;
  }

  /** Adds clusters. Returns the previous ones first if these are not adjacent to them. */
  *add(clusters: PlainClusters): Generator<Segment> {
    const { guest, host, bytes } = clusters;
    const follows = this.#first !== undefined && guest === this.#first.guest + this.#length &&
      host === this.#first.host + this.#length;
    if (!follows || this.#length + bytes.length > this.#bytes.length) yield* this.flush();
    if (this.#bytes.length < bytes.length) {
      this.#bytes = new Uint8Array(Math.max(RUN_MAX, bytes.length));
    }
    this.#first ??= clusters;
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Returns the added clusters, encrypted, at their offset in the file. */
  *flush(): Generator<Segment> {
    const first = this.#first;
    if (first === undefined) return;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#first = undefined;
    this.#length = 0;
    this.#encrypt(bytes, first);
    yield { offset: first.host, bytes };
  }
}
