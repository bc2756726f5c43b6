import type { Segment } from "../../bytes/mod.ts";
import type { Encrypt } from "../encode/encrypt.ts";

/** A cluster before it is encrypted. */
export interface PlainCluster {
  readonly guest: number;
  readonly host: number;
  readonly bytes: Uint8Array;
}

/** Bytes that are encrypted at a time, or one cluster where that has more. */
const RUN_MAX = 2 ** 18;

/**
 * Clusters that follow each other in the guest's disk and in their file, to be encrypted at a time.
 * Setting a cipher up takes longer than a small cluster, and in CBC mode each block of a sector waits
 * for the one before it: with many sectors, as many blocks go through the cipher in one call.
 */
export class EncryptedRun {
  readonly #encrypt: Encrypt;
  #clusters: PlainCluster[] = [];

  constructor(encrypt: Encrypt) {
    this.#encrypt = encrypt;
  }

  /** Takes a cluster, and gives those before it where it does not go with them. */
  *add(cluster: PlainCluster): Generator<Segment> {
    const last = this.#clusters.at(-1);
    if (last !== undefined) {
      const { length } = last.bytes;
      const follows = cluster.guest === last.guest + length && cluster.host === last.host + length;
      if (!follows || (this.#clusters.length + 1) * length > RUN_MAX) yield* this.flush();
    }
    this.#clusters.push(cluster);
  }

  /** Gives what was taken, encrypted, at its place in its file. */
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
