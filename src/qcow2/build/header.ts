import type { Segment } from "../../bytes/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
import { blank, type Decoded, encodeInto, fieldOf, type Struct } from "../../layout/mod.ts";
import type { Qcow2Model } from "../model.ts";
import { features, header, headerV2, headerV3Minimal, QCOW_MAGIC } from "../structures.ts";
import { type DirectoryPlace, planExtensions, writeExtensions } from "./extensions.ts";
import { utf8 } from "./normalise_values.ts";

/** What the header says of places. Offsets are 0 for what is not there. */
export interface HeaderPlaces {
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly reftable: { readonly offset: number; readonly clusters: number };
  readonly snapshots: { readonly offset: number; readonly count: number };
  readonly directory: DirectoryPlace | undefined;
  /** The data of the full disk encryption header pointer. */
  readonly encryption: Uint8Array | undefined;
}

const cryptMethods = fieldOf(header, "crypt_method").values as Record<
  "none" | "aes" | "luks",
  number
>;
const { deflate, zstd } = fieldOf(header, "compression_type").values as Record<string, number>;

/** The first cluster as far as it is used: header, extensions, name of the backing file. */
export function headerCluster(
  model: Qcow2Model,
  places: HeaderPlaces,
): { segment: Segment; placed: Placed[] } {
  const target = new Uint8Array(2 ** model.clusterBits);
  const extensions = planExtensions(model, places);
  const written = writeExtensions(extensions, { target, at: model.headerLength });
  const placed = [...headerPlaced(model.headerLength), ...written.placed];
  let { end } = written;
  let backing = { offset: 0, length: 0 };
  if (model.backing !== undefined) {
    const name = utf8(model.backing.name);
    target.set(name, end);
    backing = { offset: end, length: name.length };
    placed.push({ path: "/backing_name", ...backing, role: "header" });
    end += name.length;
  }
  const struct = headerStruct(model.headerLength);
  encodeInto(struct, headerFields(model, places, backing), { target, at: 0 });
  const unknown = model.headerLength - struct.size;
  // Fields that nobody knows yet: a reader has to ignore whatever they hold.
  if (unknown > 0) target.set(patternBytes({ kind: "ramp", seed: 1 }, unknown), struct.size);
  return { segment: { offset: 0, bytes: target.subarray(0, end) }, placed };
}

/** The description of a header of so many bytes, as far as there is one. */
function headerStruct(length: number): typeof header {
  const known = length >= header.size
    ? header
    : length >= headerV3Minimal.size
    ? headerV3Minimal
    : headerV2;
  // Each description starts with the fields of the one before it.
  return known as unknown as typeof header;
}

function headerPlaced(headerLength: number): Placed[] {
  const struct: Struct = headerStruct(headerLength);
  const placed: Placed[] = [
    { path: "/header", offset: 0, length: struct.size, struct, role: "header" },
  ];
  if (headerLength > struct.size) {
    const length = headerLength - struct.size;
    placed.push({ path: "/header/unknown", offset: struct.size, length, role: "header" });
  }
  return placed;
}

function headerFields(
  model: Qcow2Model,
  { l1, reftable, snapshots, directory }: HeaderPlaces,
  backing: { offset: number; length: number },
): Decoded<typeof header> {
  return {
    ...blank(header),
    magic: QCOW_MAGIC,
    version: model.version,
    backing_file_offset: BigInt(backing.offset),
    backing_file_size: backing.length,
    cluster_bits: model.clusterBits,
    size: model.size,
    crypt_method: cryptMethods[model.encryption?.kind ?? "none"],
    l1_size: l1.entries,
    l1_table_offset: BigInt(l1.offset),
    refcount_table_offset: BigInt(reftable.offset),
    refcount_table_clusters: reftable.clusters,
    nb_snapshots: snapshots.count,
    snapshots_offset: BigInt(snapshots.offset),
    incompatible_features: flags([
      [model.dirty, features.dirty],
      [model.corrupt, features.corrupt],
      [model.dataFile !== undefined, features.dataFile],
      [model.compression !== "deflate", features.compressionType],
      [model.extendedL2, features.extendedL2],
    ]),
    compatible_features: model.unknownCompatible |
      flags([[model.lazyRefcounts, features.lazyRefcounts]]),
    autoclear_features: model.unknownAutoclear | flags([
      [directory !== undefined, features.bitmaps],
      [model.dataFile?.raw === true, features.rawExternal],
    ]),
    refcount_order: model.refcountOrder,
    header_length: model.headerLength,
    compression_type: (model.compression === "zstd" ? zstd : deflate) as number,
  };
}

function flags(all: readonly (readonly [boolean, bigint])[]): bigint {
  return all.reduce((mask, [set, bit]) => set ? mask | bit : mask, 0n);
}
