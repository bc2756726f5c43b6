import { type ByteSource, type ByteStore, isZero, roundDown, SECTOR } from "../../bytes/mod.ts";
import { deflateCluster } from "../../codec/mod.ts";
import { legacyAes, type SectorCipher } from "../../crypto/mod.ts";
import {
  AccessError,
  EditError,
  type EditOptions,
  type FormatEditor,
  type ImageEditor,
  mustBeInside,
  writeSectors,
} from "../../format/mod.ts";
import { decodeQcow1, type Qcow1File } from "../decode.ts";
import { compressedEntry, kindOf, offsetOf } from "../entry.ts";
import type { Geometry } from "../geometry.ts";
import { judgeOpen } from "../judge/header.ts";
import { Qcow1Layer } from "../layer.ts";
import { Tables } from "./tables.ts";

/** Changes images of qcow version 1, as QEMU's block/qcow.c does. */
export const qcow1Editor: FormatEditor = {
  open(store, findings, options = {}) {
    const file = decodeQcow1(store);
    const [passphrase] = options.passphrases ?? [];
    const geometry = judgeOpen(file, findings, { hasKey: passphrase !== undefined });
    if (geometry === undefined || findings.refusal("write") !== undefined) return undefined;
    const isEncrypted = file.header.crypt_method !== 0 && passphrase !== undefined;
    const cipher = isEncrypted ? legacyAes(passphrase) : undefined;
    return new Qcow1Editor({ store, file, geometry, cipher, options });
  },
};

interface Parts {
  readonly store: ByteStore;
  readonly file: Qcow1File;
  readonly geometry: Geometry;
  /** For encrypted clusters. */
  readonly cipher: SectorCipher | undefined;
  readonly options: EditOptions;
}

/**
 * An image of qcow version 1 that is changed.
 *
 * QEMU's driver writes new clusters without what the backing file has in the rest of them, writes
 * decompressed clusters of encrypted images as they are, and compresses into the place of an older
 * cluster. None of that is done here.
 */
class Qcow1Editor implements ImageEditor {
  readonly #parts: Parts;
  readonly #below: ByteSource | undefined;
  readonly #tables: Tables;
  #layer: Qcow1Layer | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#below = parts.options.below;
    this.#tables = new Tables(parts);
  }

  get layer(): Qcow1Layer {
    const { file, geometry, cipher } = this.#parts;
    return this.#layer ??= new Qcow1Layer(file, geometry, cipher);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#change(
      offset,
      bytes.length,
      (at, length) => this.#writePart(at, bytes.subarray(at - offset, at - offset + length)),
    );
  }

  /** The format has no way to say that a cluster is zeros, except where there is no backing file. */
  writeZeroes(offset: number, length: number): void {
    const zeros = new Uint8Array(this.#parts.geometry.clusterSize);
    mustBeInside(this.layer.virtualSize, offset, length);
    const end = offset + length;
    for (const run of [...this.layer.runs(roundDown(offset, SECTOR), end)]) {
      const from = Math.max(offset, run.start);
      const isUnallocated = run.kind === "unallocated";
      if (isUnallocated && this.#below === undefined) continue;
      this.#change(from, Math.min(end, run.start + run.length) - from, (at, size) => {
        if (isUnallocated && isZero(this.#old(at, size))) return undefined;
        return this.#writePart(at, zeros.subarray(0, size));
      });
    }
  }

  /** As in QEMU, nothing happens. */
  discard(offset: number, length: number): void {
    mustBeInside(this.layer.virtualSize, offset, length);
  }

  writeCompressed(offset: number, bytes: Uint8Array): void {
    const { store, geometry: { clusterSize, clusterBits }, cipher } = this.#parts;
    const end = offset + bytes.length;
    if (cipher !== undefined) {
      throw new EditError("Cannot compress clusters of an encrypted image: they are not encrypted");
    }
    if (offset % clusterSize !== 0 || end % clusterSize !== 0 && end !== this.layer.virtualSize) {
      throw new EditError(`Cannot compress a part of a cluster of ${clusterSize} bytes`);
    }
    this.#change(offset, bytes.length, (at, length) => {
      const cluster = new Uint8Array(clusterSize);
      cluster.set(bytes.subarray(at - offset, at - offset + length));
      const short = deflateCluster(cluster);
      if (short.length >= clusterSize) return this.#writePart(at, cluster.subarray(0, length));
      const place = this.#tables.space.allocate(short.length, SECTOR);
      store.write(place, short);
      return compressedEntry({ offset: place, length: short.length }, clusterBits);
    });
  }

  makeEmpty(): void {
    this.#layer = undefined;
    this.#tables.clear();
  }

  flush(): void {
    this.#parts.store.flush();
  }

  close(): void {
    this.flush();
  }

  /**
   * Writes a range, and then lets the entries of new clusters point to them.
   *
   * @param writePart writes bytes of one cluster; returns the new entry if there is one
   */
  #change(
    offset: number,
    length: number,
    writePart: (at: number, length: number) => bigint | undefined,
  ): void {
    mustBeInside(this.layer.virtualSize, offset, length);
    const { clusterSize } = this.#parts.geometry;
    const entries = new Map<number, bigint>();
    try {
      for (let at = offset; at < offset + length;) {
        const cluster = Math.floor(at / clusterSize);
        const next = Math.min(offset + length, (cluster + 1) * clusterSize);
        const entry = writePart(at, next - at);
        if (entry !== undefined) entries.set(cluster, entry);
        at = next;
      }
      this.#tables.enter(entries);
    } catch (error) {
      throw error instanceof AccessError ? notRead(error) : error;
    } finally {
      this.#layer = undefined;
    }
  }

  /** Writes bytes of one cluster, in its place or in a new one. */
  #writePart(at: number, bytes: Uint8Array): bigint | undefined {
    const { store, geometry: { clusterSize }, cipher } = this.#parts;
    const inCluster = at % clusterSize;
    const start = at - inCluster;
    const entry = this.#tables.entryOf(start / clusterSize);
    const host = offsetOf(entry);
    if (kindOf(entry) === "data" && host % SECTOR !== 0) {
      throw new EditError(
        `Cannot write to the cluster at ${start}: it is not stored at a multiple of ${SECTOR} ` +
          "(qcow1.write.sector-aligned)",
      );
    }
    if (kindOf(entry) === "data" && this.#tables.space.owns(host, clusterSize)) {
      if (cipher === undefined) store.write(host + inCluster, bytes);
      else writeSectors(bytes, at, sectorsAt(store, host - start, cipher));
      return undefined;
    }
    const cluster = new Uint8Array(clusterSize);
    const visible = Math.min(clusterSize, this.layer.virtualSize - start);
    if (bytes.length < visible) cluster.set(this.#old(start, visible));
    cluster.set(bytes, inCluster);
    cipher?.encrypt(cluster, BigInt(start / SECTOR));
    const place = this.#tables.space.allocate(clusterSize, clusterSize);
    store.write(place, cluster);
    return BigInt(place);
  }

  /** The content of a part of one cluster before the change. */
  #old(start: number, length: number): Uint8Array {
    const { clusterSize } = this.#parts.geometry;
    const kind = kindOf(this.#tables.entryOf(Math.floor(start / clusterSize)));
    if (kind === "unallocated") return this.#below?.read(start, length) ?? new Uint8Array(length);
    const target = new Uint8Array(length);
    this.layer.readRun({ start, length, kind }, 0, target);
    return target;
  }
}

/** Encrypted bytes of the guest's disk at another place in the file. */
function sectorsAt(store: ByteStore, distance: number, cipher: SectorCipher) {
  return {
    read: (sectors: Uint8Array, from: number) => store.readInto(from + distance, sectors),
    write: (sectors: Uint8Array, from: number) => store.write(from + distance, sectors),
    decrypt: (sectors: Uint8Array, from: number) => cipher.decrypt(sectors, BigInt(from / SECTOR)),
    encrypt: (sectors: Uint8Array, from: number) => cipher.encrypt(sectors, BigInt(from / SECTOR)),
  };
}

function notRead(error: AccessError): EditError {
  const { rule, message } = error.broken;
  return new EditError(
    `Cannot read the rest of a cluster that is partly overwritten: ${message} (${rule})`,
    { cause: error },
  );
}
