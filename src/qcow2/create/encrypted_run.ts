import type { Segment } from "../../bytes/mod.ts";
import type { Encrypt } from "../encode/encrypt.ts";

/** A cluster before it is encrypted. */
export interface PlainCluster {
  readonly guest: number;
  readonly host: number;
  readonly bytes: Uint8Array;
}

/** Bytes that are encrypted at a time; one cluster if that is larger. */
const RUN_MAX = 2 ** 18;

/**
 * Clusters that are adjacent on the guest's disk and in their file, and are encrypted together.
 * Creating a cipher takes longer than encrypting a small cluster. In CBC mode each block of a
 * sector depends on the previous one, so more sectors mean more blocks per call of the cipher.
 */
export class EncryptedRun {
  readonly #encrypt: Encrypt;
  #clusters: PlainCluster[] = [];

  constructor(encrypt: Encrypt) {
    this.#encrypt = encrypt;
  }

  /** Adds a cluster. Returns the previous ones first if it is not adjacent to them. */
  *add(cluster: PlainCluster): Generator<Segment> {
    const last = this.#clusters.at(-1);
    if (last !== undefined) {
      const { length } = last.bytes;
      const follows = cluster.guest === last.guest + length && cluster.host === last.host + length;
      if (!follows || (this.#clusters.length + 1) * length > RUN_MAX) yield* this.flush();
    }
    this.#clusters.push(cluster);
  }

  /** Returns the added clusters, encrypted, at their offset in the file. */
  *flush(): Generator<Segment> {
    const clusters = this.#clusters;
    const [first] = clusters;
    if (first === undefined) return;
    this.#clusters = [];
    const { length } = first.bytes;
    const bytes = clusters.length === 1 ? first.bytes : new Uint8Array(clusters.length * length);
    if (clusters.length > 1) {
      clusters.forEach((each, index) => bytes.set(each.bytes, index * length));
    }
    this.#encrypt(bytes, first);
    yield { offset: first.host, bytes };
  }
}
