import { type ByteSource, hex, isZero } from "../bytes/mod.ts";
import { compressedInput, inflateCluster, unzstdCluster, ZEROS_THAT_TELL } from "../codec/mod.ts";
import { AccessError, readSectors, type Run } from "../format/mod.ts";
import type { DecryptSectors } from "./encryption.ts";
import { type CompressedRange, compressedRange } from "./l2_entries.ts";
import type { L2Table } from "./l2_tables.ts";
import type { Broken } from "./findings.ts";
import { type Mapping, placeOfEntry } from "./runs.ts";
import { masked } from "./entry_bits.ts";
import { entryBits } from "./structures.ts";

/** Sources of the bytes of an image. */
export interface ContentSource {
  /** The image file: tables and compressed data. */
  readonly file: ByteSource;
  /** The file that contains the clusters: the image file or the external data file. */
  readonly data: ByteSource | undefined;
  readonly compression: "deflate" | "zstd";
  /** For encrypted clusters: how they are decrypted, or why they cannot be. */
  readonly access?: DecryptSectors | Broken;
}

type Decoded = ReturnType<typeof inflateCluster>;

/** The most recently decompressed cluster: runs are read in pieces. */
interface Decompressed {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** Reads the content of runs. */
export class ContentReader {
  readonly #mapping: Mapping;
  readonly #from: ContentSource;
  #last: Decompressed | undefined;
  /** What zeros decompress to, by their number: entries of noise lead to holes, and past the end. */
  readonly #zeros = new Map<number, Decoded>();

  constructor(mapping: Mapping, from: ContentSource) {
    this.#mapping = mapping;
    this.#from = from;
  }

  /** @throws {AccessError} if the read fails in QEMU */
  readRun(run: Run, skip: number, target: Uint8Array): void {
    if (run.broken !== undefined) throw new AccessError(run.broken);
    if (run.kind === "data") this.#readData(run, skip, target);
    else if (run.kind === "compressed") this.#readCompressed(run.start + skip, target);
    else target.fill(0);
  }

  #readData(run: Run, skip: number, target: Uint8Array): void {
    const { data, access } = this.#from;
    if (access !== undefined && typeof access !== "function") throw new AccessError(access);
    if (data === undefined) {
      throw new AccessError({
        rule: "qcow2.datafile.opens",
        place: { path: `${this.#mapping.path}data` },
        message: "The external data file is not open",
      });
    }
    const host = run.host as number + skip;
    if (access === undefined) data.readInto(host, target);
    else {readSectors(target, host, {
        read: (bytes, from) => data.readInto(from, bytes),
        decrypt: (bytes, from) =>
          access(bytes, { guest: run.start + skip + from - host, host: from }),
      });}
  }

  #readCompressed(position: number, target: Uint8Array): void {
    const { geometry, l1, l2 } = this.#mapping;
    const index = Math.floor(position / geometry.l2Coverage);
    const table = l2.at(masked(l1.high(index), l1.low(index), entryBits.l1Offset));
    const entry = Math.floor((position % geometry.l2Coverage) / geometry.clusterSize);
    const bytes = this.decompressed({ table, index, entry });
    if (!(bytes instanceof Uint8Array)) throw new AccessError(bytes);
    const from = position % geometry.clusterSize;
    target.set(bytes.subarray(from, from + target.length));
  }

  #decode(range: CompressedRange): Decoded {
    const { file, compression } = this.#from;
    const stored = compressedInput(file, range);
    const head = stored.subarray(0, ZEROS_THAT_TELL);
    const areZeros = isZero(head);
    const known = areZeros ? this.#zeros.get(head.length) : undefined;
    if (known !== undefined) return known;
    const { clusterSize } = this.#mapping.geometry;
    const result = compression === "zstd"
      ? unzstdCluster(stored, clusterSize)
      : inflateCluster(stored, clusterSize);
    if (areZeros) this.#zeros.set(head.length, result);
    return result;
  }

  /** The content of a compressed cluster, or why QEMU cannot decompress the data to a cluster. */
  decompressed(at: { table: L2Table; index: number; entry: number }): Uint8Array | Broken {
    const { geometry } = this.#mapping;
    const range = compressedRange(at.table.high(at.entry), at.table.low(at.entry), geometry);
    const last = this.#last;
    if (last !== undefined && last.offset === range.offset && last.length === range.length) {
      return last.bytes;
    }
    const zstd = this.#from.compression === "zstd";
    const result = this.#decode(range);
    if (!result.ok) {
      const guest = at.index * geometry.l2Coverage + at.entry * geometry.clusterSize;
      return {
        rule: zstd ? "qcow2.comp.zstd" : "qcow2.comp.inflate",
        place: placeOfEntry(this.#mapping.path, at, guest),
        message: `The compressed data at ${hex(range.offset)} is invalid: ${result.reason}`,
      };
    }
    this.#last = { offset: range.offset, length: range.length, bytes: result.bytes };
    return result.bytes;
  }
}
