import type { Segment } from "../../bytes/mod.ts";
import { deflateCluster, zstdCluster } from "../../codec/mod.ts";
import type { ContentBlock } from "../../format/mod.ts";
import { bitMask, encode, fieldOf, writeUint } from "../../layout/mod.ts";
import { type Geometry, SECTOR } from "../geometry.ts";
import { entryBits, extendedL2Entry, l1Entry, l2Entry } from "../structures.ts";
import { type Encrypt, EncryptedRun } from "./encrypted_run.ts";
import type { HostClusters } from "./host_clusters.ts";
import type { Qcow2Creation } from "./options.ts";

/** Bytes in one of the files of an image. */
type Part = Segment & { readonly file: "image" | "data" };

/** What an L2 entry says of a cluster: the entry, and the subcluster bitmap beside it. */
interface EntryBits {
  readonly entry: bigint;
  readonly bitmap: bigint;
}

const SUBCLUSTERS_ALLOCATED = bitMask(extendedL2Entry, "subcluster_bitmap", "allocated").mask;
const SUBCLUSTERS_ZERO = bitMask(extendedL2Entry, "subcluster_bitmap", "zero").mask;
const BITMAP_WIDTH = fieldOf(extendedL2Entry, "subcluster_bitmap").width;

/** Puts the clusters of a guest and their L2 tables behind each other. */
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

  /** A cluster of content, `undefined` for zeros. Clusters come in the order of their offsets. */
  *cluster({ offset, bytes }: ContentBlock): Generator<Part> {
    const { version, backing, dataFile } = this.#creation;
    if (bytes !== undefined) return yield* this.#data(offset, bytes);
    if (dataFile?.raw === true) {
      yield* this.#enter(offset, this.#allocated(offset));
    } else if (backing !== undefined && version > 2) {
      yield* this.#enter(offset, this.#zeros());
    } else if (backing !== undefined) {
      // Version 2 has no zero clusters, and what is not there shows the backing file.
      yield* this.#data(offset, new Uint8Array(this.#geometry.clusterSize));
    }
  }

  /** What is left of clusters and tables when the last cluster has come. */
  *rest(): Generator<Part> {
    yield* this.#clusters(this.#encrypted?.flush());
    yield* this.#tables();
  }

  /** The L2 table that was being filled, with what leads to it. */
  *#tables(): Generator<Part> {
    if (this.#table === undefined) return;
    const { index, offset, bytes } = this.#table;
    yield { file: "image", offset, bytes };
    const entry = encode(l1Entry, { l1_entry: BigInt(offset) | entryBits.copied.mask });
    yield { file: "image", offset: this.#l1 + index * l1Entry.size, bytes: entry };
  }

  *#data(offset: number, bytes: Uint8Array): Generator<Part> {
    const { clusterSize } = this.#geometry;
    // The table comes first, so that compressed data lies behind it in one piece.
    yield* this.#tableFor(offset);
    const short = this.#shortened(bytes);
    if (short.length < clusterSize) {
      const at = this.#hosts.takeBytes(short.length);
      yield* this.#enter(offset, { entry: this.#compressed(at, short.length), bitmap: 0n });
      yield { file: "image", offset: at, bytes: short };
      return;
    }
    const host = this.#creation.dataFile === undefined ? this.#hosts.take(clusterSize) : offset;
    yield* this.#enter(offset, this.#allocated(host));
    const encrypted = this.#encrypted?.add({ guest: offset, host, bytes });
    yield* this.#clusters(encrypted ?? [{ offset: host, bytes }]);
  }

  /** Clusters as they are stored; a data file ends where the disk does. */
  *#clusters(segments: Iterable<Segment> = []): Generator<Part> {
    const { dataFile, size } = this.#creation;
    for (const { offset, bytes } of segments) {
      if (dataFile === undefined) yield { file: "image", offset, bytes };
      else yield { file: "data", offset, bytes: bytes.subarray(0, size - offset) };
    }
  }

  /** A cluster compressed, where that is asked for. */
  #shortened(bytes: Uint8Array): Uint8Array {
    const { compressed = false, compression = "deflate" } = this.#creation;
    if (!compressed) return bytes;
    return compression === "zstd" ? zstdCluster(bytes) : deflateCluster(bytes);
  }

  #allocated(host: number): EntryBits {
    return { entry: BigInt(host) | entryBits.copied.mask, bitmap: SUBCLUSTERS_ALLOCATED };
  }

  #zeros(): EntryBits {
    const { extendedL2 } = this.#geometry;
    return { entry: extendedL2 ? 0n : entryBits.zero.mask, bitmap: SUBCLUSTERS_ZERO };
  }

  /** The entry of compressed data, which counts the sectors after the first. */
  #compressed(offset: number, length: number): bigint {
    const sectors = Math.floor((offset + length - 1) / SECTOR) - Math.floor(offset / SECTOR);
    const counted = BigInt(sectors) << BigInt(this.#geometry.compressedShift);
    return entryBits.compressed.mask | counted | BigInt(offset);
  }

  *#enter(
    offset: number,
    { entry, bitmap }: EntryBits,
  ): Generator<Part> {
    const { clusterSize, l2Entries, l2EntrySize, extendedL2 } = this.#geometry;
    yield* this.#tableFor(offset);
    const bytes = this.#table?.bytes ?? new Uint8Array(0);
    const at = offset / clusterSize % l2Entries * l2EntrySize;
    writeUint(bytes, at, l2Entry.size, entry);
    if (extendedL2) writeUint(bytes, at + l2Entry.size, BITMAP_WIDTH, bitmap);
  }

  /** Goes on to the L2 table of a guest offset, and gives the one before it. */
  *#tableFor(offset: number): Generator<Part> {
    const { clusterSize, l2Coverage } = this.#geometry;
    const index = Math.floor(offset / l2Coverage);
    if (this.#table?.index === index) return;
    yield* this.#tables();
    const bytes = new Uint8Array(clusterSize);
    this.#table = { index, offset: this.#hosts.take(clusterSize), bytes };
  }
}
