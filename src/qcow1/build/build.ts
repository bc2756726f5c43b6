import { SECTOR, type Segment, utf8 } from "../../bytes/mod.ts";
import { legacyAes, type SectorCipher } from "../../crypto/mod.ts";
import { type BuiltImage, cutAt, patternBytes, type Placed } from "../../format/mod.ts";
import { boundOf, encode, encodeInto } from "../../layout/mod.ts";
import { compressedBytes } from "./content.ts";
import { compressedEnd, compressedEntry } from "../entry.ts";
import { type Geometry, geometryOf, guestSize, l1Bytes, l1Needed } from "../geometry.ts";
import { EXACT_MAX, type Item, LONG_L1, placeItems } from "./place.ts";
import type { LegacyEncryption, Qcow1Model } from "../model.ts";
import { cryptMethods, header, l1Entry, l2Entry, QCOW_MAGIC } from "../structures.ts";

const WRITERS_ALIGNMENT = boundOf(header, "qcow1.l1.alignment");

/** Offsets of entries are exact numbers up to here. */
const TABLES_MAX = EXACT_MAX * l2Entry.size;

/** A stored cluster: its bytes, and whether they are compressed. */
interface Stored {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Placement of compressed data. */
  readonly compressed?: { readonly gap: number; readonly aligned: boolean };
}

/**
 * Builds an image. Deterministic; the same bytes on every machine.
 *
 * @example
 * ```ts
 * import { buildQcow1, normaliseQcow1 } from "../mod.ts";
 *
 * const placement = { seed: 0, holes: [], l1Skew: 0, l2Skews: [], clusterSkews: [], cutTail: false };
 * const model = normaliseQcow1({
 *   format: "qcow",
 *   clusterBits: 12,
 *   l2Bits: 9,
 *   size: 4096n,
 *   mtime: 0,
 *   padding: 0,
 *   clusters: [{ index: 0, kind: "data", pattern: { kind: "fill", seed: 1 } }],
 *   placement,
 * });
 * buildQcow1(model).placed.map(({ path }) => path); // ["/header", "/l1", "/l2[0]", "/data[0]"]
 * ```
 *
 * @param model as `normaliseQcow1` returns it
 */
export function buildQcow1(model: Qcow1Model): BuiltImage {
  return new Builder(model).build();
}

class Builder {
  readonly #model: Qcow1Model;
  readonly #geometry: Geometry;
  readonly #name: Uint8Array;
  readonly #clusters: readonly Stored[];
  /** Indices of the L1 entries that are used. */
  readonly #tables: readonly number[];
  readonly #l1Length: number;

  constructor(model: Qcow1Model) {
    const geometry = geometryOf(model);
    this.#model = model;
    this.#geometry = geometry;
    this.#name = utf8(model.backing?.name ?? "");
    const cipher = model.encryption === undefined ? undefined : cipherOf(model.encryption);
    this.#clusters = model.clusters.map((cluster) => {
      const compressed = compressedBytes(cluster, geometry.clusterSize);
      if (compressed !== undefined && cluster.kind === "compressed") {
        return { index: cluster.index, bytes: compressed, compressed: cluster };
      }
      const bytes = patternBytes(cluster.pattern, geometry.clusterSize);
      cipher?.encrypt(bytes, BigInt(cluster.index) * BigInt(geometry.clusterSize / SECTOR));
      return { index: cluster.index, bytes: bytes.subarray(0, this.#stored(cluster.index)) };
    });
    this.#tables = [...new Set(this.#clusters.map(({ index }) => this.#tableOf(index)))];
    this.#l1Length = l1Bytes(Number(l1Needed(model.size, geometry)));
  }

  /** Bytes of an uncompressed cluster that are stored. */
  #stored(index: number): number {
    const { size, placement } = this.#model;
    const { clusterSize } = this.#geometry;
    const visible = guestSize(size) - index * clusterSize;
    return placement.cutTail && visible > 0 ? Math.min(clusterSize, visible) : clusterSize;
  }

  build(): BuiltImage {
    const { placement } = this.#model;
    const body = placeItems(this.#items(), placement);
    const end = Math.max(header.size, ...body.map((placed) => placed.offset + placed.length));
    if (this.#l1IsLong) body.push(this.#placedLast(end));
    const at = new Map(body.map((placed) => [placed.path, placed.offset]));
    const segments = this.#segments(at);
    const size = placement.cutTail || this.#l1IsLong
      ? Math.max(header.size, usedEnd(segments))
      : end;
    const head: Placed = {
      path: "/header",
      offset: 0,
      length: header.size,
      struct: header,
      role: "header",
    };
    return {
      segments: cutAt(segments, size),
      size,
      placed: [head, ...body.sort((a, b) => a.offset - b.offset)],
    };
  }

  get #l1IsLong(): boolean {
    return this.#l1Length > LONG_L1;
  }

  #tableOf(cluster: number): number {
    return Math.floor(cluster / this.#geometry.l2Entries);
  }

  /** Everything that is placed after the header, in QEMU's order. */
  #items(): Item[] {
    const items: Item[] = [];
    if (this.#name.length > 0) {
      const length = this.#name.length;
      const reach = EXACT_MAX;
      items.push({ path: NAME, length, role: "data", alignment: 1, skew: 0, gap: 0, reach });
    }
    if (!this.#l1IsLong) {
      const skew = this.#model.placement.l1Skew;
      const alignment = WRITERS_ALIGNMENT;
      items.push({ ...this.#l1(), alignment, skew, gap: 0, reach: TABLES_MAX });
    }
    const { l2Skews } = this.#model.placement;
    const { l2Size: length, l2Entries: count, clusterSize: alignment } = this.#geometry;
    const seen = new Set<number>();
    this.#clusters.forEach((cluster, number) => {
      const table = this.#tableOf(cluster.index);
      if (!seen.has(table)) {
        const shape = { path: tablePath(table), length, struct: l2Entry, count } as const;
        const skew = cycled(l2Skews, seen.size);
        const where = { alignment, skew, gap: 0, reach: TABLES_MAX };
        items.push({ ...shape, role: "table", ...where, kept: "table" });
        seen.add(table);
      }
      items.push(this.#clusterItem(cluster, number));
    });
    return items;
  }

  #clusterItem({ index, bytes, compressed }: Stored, number: number): Item {
    const shape = { path: dataPath(index), length: bytes.length, role: "data" } as const;
    if (compressed !== undefined) {
      const { gap, aligned } = compressed;
      const reach = Math.min(EXACT_MAX, compressedEnd(this.#geometry.clusterBits));
      const alignment = aligned ? SECTOR : 1;
      return { ...shape, alignment, skew: 0, gap, reach, kept: "compressed" };
    }
    const skew = cycled(this.#model.placement.clusterSkews, number) * SECTOR;
    return { ...shape, alignment: this.#geometry.clusterSize, skew, gap: 0, reach: Infinity };
  }

  #l1(): Omit<Placed, "offset"> {
    const length = this.#l1Length;
    return { path: L1, length, struct: l1Entry, count: length / l1Entry.size, role: "table" };
  }

  #placedLast(end: number): Placed {
    const { l1Skew } = this.#model.placement;
    const offset = Math.ceil(end / WRITERS_ALIGNMENT) * WRITERS_ALIGNMENT + l1Skew;
    return { ...this.#l1(), offset };
  }

  #segments(at: ReadonlyMap<string, number>): Segment[] {
    const offsetOf = (path: string): number => at.get(path) ?? 0;
    return [
      { offset: 0, bytes: this.#header(offsetOf) },
      { offset: offsetOf(NAME), bytes: this.#name },
      ...this.#tables.map((table) => ({
        offset: offsetOf(L1) + table * l1Entry.size,
        bytes: encode(l1Entry, { l1_entry: BigInt(offsetOf(tablePath(table))) }),
      })),
      ...this.#tables.map((table) => ({
        offset: offsetOf(tablePath(table)),
        bytes: this.#table(table, offsetOf),
      })),
      ...this.#clusters.map(({ index, bytes }) => ({ offset: offsetOf(dataPath(index)), bytes })),
    ];
  }

  #header(offsetOf: (path: string) => number): Uint8Array {
    const { size, mtime, padding, clusterBits, l2Bits } = this.#model;
    return encode(header, {
      magic: QCOW_MAGIC,
      version: 1,
      backing_file_offset: BigInt(offsetOf(NAME)),
      backing_file_size: this.#name.length,
      mtime,
      size,
      cluster_bits: clusterBits,
      l2_bits: l2Bits,
      padding,
      crypt_method: this.#model.encryption === undefined ? cryptMethods.none : cryptMethods.aes,
      l1_table_offset: BigInt(offsetOf(L1)),
    });
  }

  #table(table: number, offsetOf: (path: string) => number): Uint8Array {
    const { l2Size, l2Entries, clusterBits } = this.#geometry;
    const target = new Uint8Array(l2Size);
    for (const { index, bytes, compressed } of this.#clusters) {
      if (this.#tableOf(index) !== table) continue;
      const offset = offsetOf(dataPath(index));
      const value = compressed === undefined
        ? BigInt(offset)
        : compressedEntry({ offset, length: bytes.length }, clusterBits);
      encodeInto(l2Entry, { l2_entry: value }, { target, at: (index % l2Entries) * l2Entry.size });
    }
    return target;
  }
}

const NAME = "/backing_file_name";
const L1 = "/l1";

function tablePath(l1Index: number): string {
  return `/l2[${l1Index}]`;
}

function dataPath(cluster: number): string {
  return `/data[${cluster}]`;
}

function cipherOf({ passphrase }: LegacyEncryption): SectorCipher {
  return legacyAes(utf8(passphrase));
}

/** The n-th of values that repeat for ever; 0 if there are none. */
function cycled(values: readonly number[], n: number): number {
  return values[n % values.length] ?? 0;
}

/** The end of the last nonzero byte. */
function usedEnd(segments: readonly Segment[]): number {
  return Math.max(...segments.map(({ offset, bytes }) => {
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === 0) length--;
    return length === 0 ? 0 : offset + length;
  }));
}
