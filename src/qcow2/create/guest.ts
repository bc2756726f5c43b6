import type { Segment } from "../../bytes/mod.ts";
import type { Compressed } from "../../codec/mod.ts";
import type { ContentBlock } from "../../format/mod.ts";
import type { Encrypt } from "../encode/encrypt.ts";
import {
  ALL_SUBCLUSTERS,
  compressedWords,
  HALF,
  pointerWords,
  type Words,
  writeWords,
} from "../encode/entries.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits, l1Entry } from "../structures.ts";
import { EncryptedRun } from "./encrypted_run.ts";
import type { HostClusters } from "./host_clusters.ts";
import type { Qcow2Creation } from "./options.ts";

/** Bytes in one of the files of an image. */
type Part = Segment & { readonly file: "image" | "data" };

/** The subcluster bitmap of compressed data. */
const NO_SUBCLUSTERS = [0, 0];

/** Places the clusters of a guest and their L2 tables one after the other. */
export class GuestWriter {
  readonly #creation: Qcow2Creation;
  readonly #geometry: Geometry;
  readonly #hosts: HostClusters;
  readonly #l1: number;
  readonly #encrypted: EncryptedRun | undefined;
  /** The L2 table that is being filled. */
  #table:
    | { readonly index: number; readonly offset: number; readonly bytes: Uint8Array }
    | undefined;

  constructor(
    creation: Qcow2Creation,
    { geometry, hosts, l1, encrypt }: {
      readonly geometry: Geometry;
      readonly hosts: HostClusters;
      readonly l1: number;
      readonly encrypt: Encrypt | undefined;
    },
  ) {
    this.#creation = creation;
    this.#geometry = geometry;
    this.#hosts = hosts;
    this.#l1 = l1;
    this.#encrypted = encrypt && new EncryptedRun(encrypt);
  }

  /**
   * Adds a cluster of content, or adjacent clusters; `undefined` for a cluster of zeros. Clusters must
   * be in the order of their offsets.
   */
  *cluster({ offset, bytes, short }: Compressed<ContentBlock>): Generator<Part> {
    const { version, backing } = this.#creation;
    if (bytes !== undefined) return yield* this.#data(offset, bytes, short);
    if (isPreallocated(this.#creation)) yield* this.#preallocated(offset);
    else if (backing !== undefined && version > 2) {
      yield* this.#enter(offset, this.#zeros());
    } else if (backing !== undefined) {
      // Version 2 has no zero clusters, and the backing file is visible through unallocated ones.
      yield* this.#data(offset, new Uint8Array(this.#geometry.clusterSize));
    }
  }

  /** A cluster of zeros that has a place in the file. */
  *#preallocated(offset: number): Generator<Part> {
    const { version, dataFile, backing, content, size, preallocation = "off" } = this.#creation;
    const { clusterSize, extendedL2 } = this.#geometry;
    const isEncrypted = this.#encrypted !== undefined;
    // Zeros in the file would be decrypted, and version 2 has no flag for zeros.
    if (isEncrypted && version < 3) return yield* this.#data(offset, new Uint8Array(clusterSize));
    yield* this.#tableFor(offset);
    const host = dataFile === undefined ? this.#hosts.take(clusterSize) : offset;
    const [high = 0, low = 0] = pointerWords(host, { copied: true });
    if (extendedL2 && (isEncrypted || dataFile?.raw !== true)) {
      const isZero = backing !== undefined && content !== undefined;
      yield* this.#enter(offset, [high, low, isZero ? ALL_SUBCLUSTERS : 0, 0]);
    } else if (isEncrypted) yield* this.#enter(offset, [high, low | entryBits.zero.low]);
    else yield* this.#enter(offset, this.#allocated(host));
    if (preallocation === "off" || preallocation === "metadata") return;
    const bytes = new Uint8Array(clusterSize);
    if (dataFile === undefined) yield { file: "image", offset: host, bytes };
    else yield { file: "data", offset: host, bytes: bytes.subarray(0, size - offset) };
  }

  /** The remaining clusters and tables, after the last cluster was added. */
  *rest(): Generator<Part> {
    yield* this.#clusters(this.#encrypted?.flush());
    yield* this.#tables();
  }

  /** The current L2 table, and the L1 entry that points to it. */
  *#tables(): Generator<Part> {
    if (this.#table === undefined) return;
    const { index, offset, bytes } = this.#table;
    yield { file: "image", offset, bytes };
    const entry = new Uint8Array(l1Entry.size);
    writeWords(entry, 0, pointerWords(offset, { copied: true }));
    yield { file: "image", offset: this.#l1 + index * l1Entry.size, bytes: entry };
  }

  *#data(offset: number, bytes: Uint8Array, short?: Uint8Array): Generator<Part> {
    const { clusterSize } = this.#geometry;
    // The table comes first, so that the compressed data after it is contiguous.
    yield* this.#tableFor(offset);
    if (short !== undefined) {
      const at = this.#hosts.takeBytes(short.length);
      const words = compressedWords({ offset: at, length: short.length }, this.#geometry);
      yield* this.#enter(offset, [...words, ...NO_SUBCLUSTERS]);
      yield { file: "image", offset: at, bytes: short };
      return;
    }
    const { l2Coverage } = this.#geometry;
    const length = Math.min(bytes.length, l2Coverage - offset % l2Coverage);
    const run = bytes.subarray(0, length);
    const host = this.#creation.dataFile === undefined ? this.#hosts.take(length) : offset;
    for (let at = 0; at < length; at += clusterSize) {
      this.#set(offset + at, this.#allocated(host + at));
    }
    const encrypted = this.#encrypted?.add({ guest: offset, host, bytes: run });
    yield* this.#clusters(encrypted ?? [{ offset: host, bytes: run }]);
    // The rest is in the next table.
    if (length < bytes.length) yield* this.#data(offset + length, bytes.subarray(length));
  }

  /** Clusters as they are stored. A data file ends where the disk ends. */
  *#clusters(segments: Iterable<Segment> = []): Generator<Part> {
    const { dataFile, size } = this.#creation;
    for (const { offset, bytes } of segments) {
      if (dataFile === undefined) yield { file: "image", offset, bytes };
      else yield { file: "data", offset, bytes: bytes.subarray(0, size - offset) };
    }
  }

  #allocated(host: number): Words {
    return [...pointerWords(host, { copied: true }), 0, ALL_SUBCLUSTERS];
  }

  #zeros(): Words {
    const { extendedL2 } = this.#geometry;
    return [0, extendedL2 ? 0 : entryBits.zero.low, ALL_SUBCLUSTERS, 0];
  }

  /** Writes an L2 entry, with the second word if there are subclusters. */
  *#enter(offset: number, words: Words): Generator<Part> {
    yield* this.#tableFor(offset);
    this.#set(offset, words);
  }

  /** Writes an L2 entry of the current table. */
  #set(offset: number, words: Words): void {
    const { clusterSize, l2Entries, l2EntrySize } = this.#geometry;
    const bytes = this.#table?.bytes ?? new Uint8Array(0);
    const at = offset / clusterSize % l2Entries * l2EntrySize;
    writeWords(bytes, at, words.slice(0, l2EntrySize / HALF));
  }

  /** Moves on to the L2 table of a guest offset, and returns the previous one. */
  *#tableFor(offset: number): Generator<Part> {
    const { clusterSize, l2Coverage } = this.#geometry;
    const index = Math.floor(offset / l2Coverage);
    if (this.#table?.index === index) return;
    yield* this.#tables();
    const bytes = new Uint8Array(clusterSize);
    this.#table = { index, offset: this.#hosts.take(clusterSize), bytes };
  }
}

/** Whether clusters without content have a place in the file: in a raw data file, all do. */
export function isPreallocated({ preallocation = "off", dataFile }: Qcow2Creation): boolean {
  return preallocation !== "off" || dataFile?.raw === true;
}
