import { utf8 } from "../../bytes/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
import { blank, type Decoded, encodeInto, type Struct } from "../../layout/mod.ts";
import type { EncryptionModel, Qcow2Model } from "../model.ts";
import {
  compressionTypes,
  cryptMethods,
  extensionHead,
  extensionTypes,
  features,
  header,
  headerV2,
  headerV3Minimal,
  QCOW_MAGIC,
} from "../structures.ts";
import {
  encodeExtension,
  type ExtensionFacts,
  type ExtensionPlaces,
  extensionSize,
  type NewExtension,
} from "./extensions.ts";

/** The content of the first cluster except offsets. */
export interface FirstClusterFacts extends
  ExtensionFacts,
  Pick<
    Qcow2Model,
    | "version"
    | "clusterBits"
    | "size"
    | "refcountOrder"
    | "extendedL2"
    | "compression"
    | "headerLength"
    | "lazyRefcounts"
  >,
  Partial<Pick<Qcow2Model, "dirty" | "corrupt" | "unknownCompatible" | "unknownAutoclear">> {
  readonly encryption?: { readonly kind: EncryptionModel["kind"] };
}

/** The offsets in the first cluster. The offset of a part that does not exist is 0. */
export interface HeaderPlaces extends ExtensionPlaces {
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly reftable: { readonly offset: number; readonly clusters: number };
  readonly snapshots?: { readonly offset: number; readonly count: number };
}

/**
 * The used part of the first cluster: header, extensions, name of the backing file.
 *
 * @param extensions without the one that ends the list
 */
export function encodeFirstCluster(
  facts: FirstClusterFacts,
  places: HeaderPlaces,
  extensions: readonly NewExtension[],
): { bytes: Uint8Array; placed: Placed[] } {
  const { headerLength } = facts;
  const all = [...extensions, { type: extensionTypes.end, data: new Uint8Array(0), parts: [] }];
  const nameAt = all.reduce((end, { data }) => end + extensionSize(data.length), headerLength);
  const name = utf8(facts.backing?.name ?? "");
  const bytes = new Uint8Array(nameAt + name.length);
  const backing = { offset: name.length === 0 ? 0 : nameAt, length: name.length };
  const struct = headerStruct(headerLength);
  encodeInto(struct, headerFields(facts, places, backing), { target: bytes, at: 0 });
  // Fields without a meaning yet: a reader must ignore them.
  const unknown = patternBytes({ kind: "ramp", seed: 1 }, headerLength - struct.size);
  bytes.set(unknown, struct.size);
  const placed = [
    ...headerPlaced(headerLength),
    ...writeExtensions(all, { target: bytes, at: headerLength }),
    ...(facts.backing === undefined ? [] : [{ path: "/backing_name", ...backing, role } as const]),
  ];
  bytes.set(name, nameAt);
  return { bytes, placed };
}

const role = "header";

/** The description of a header of so many bytes, or the longest one that fits. */
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
  const placed: Placed[] = [{ path: "/header", offset: 0, length: struct.size, struct, role }];
  if (headerLength > struct.size) {
    const length = headerLength - struct.size;
    placed.push({ path: "/header/unknown", offset: struct.size, length, role });
  }
  return placed;
}

function headerFields(
  facts: FirstClusterFacts,
  { l1, reftable, snapshots, directory }: HeaderPlaces,
  backing: { offset: number; length: number },
): Decoded<typeof header> {
  const { unknownCompatible = 0n, unknownAutoclear = 0n } = facts;
  return {
    ...blank(header),
    magic: QCOW_MAGIC,
    version: facts.version,
    backing_file_offset: BigInt(backing.offset),
    backing_file_size: backing.length,
    cluster_bits: facts.clusterBits,
    size: facts.size,
    crypt_method: cryptMethods[facts.encryption?.kind ?? "none"],
    l1_size: l1.entries,
    l1_table_offset: BigInt(l1.offset),
    refcount_table_offset: BigInt(reftable.offset),
    refcount_table_clusters: reftable.clusters,
    nb_snapshots: snapshots?.count ?? 0,
    snapshots_offset: BigInt(snapshots?.offset ?? 0),
    incompatible_features: flags([
      [facts.dirty === true, features.dirty],
      [facts.corrupt === true, features.corrupt],
      [facts.dataFile !== undefined, features.dataFile],
      [facts.compression !== "deflate", features.compressionType],
      [facts.extendedL2, features.extendedL2],
    ]),
    compatible_features: unknownCompatible |
      flags([[facts.lazyRefcounts, features.lazyRefcounts]]),
    autoclear_features: unknownAutoclear | flags([
      [directory !== undefined, features.bitmaps],
      [facts.dataFile?.raw === true, features.rawExternal],
    ]),
    refcount_order: facts.refcountOrder,
    header_length: facts.headerLength,
    compression_type: compressionTypes[facts.compression],
  };
}

function flags(all: readonly (readonly [boolean, bigint])[]): bigint {
  return all.reduce((mask, [set, bit]) => set ? mask | bit : mask, 0n);
}

/** Writes extensions from `place.at` on. Returns the parts. */
function writeExtensions(
  extensions: readonly NewExtension[],
  { target, at: start }: { target: Uint8Array; at: number },
): Placed[] {
  let next = start;
  return extensions.flatMap(({ type, data, parts }, i) => {
    const at = next;
    next += extensionSize(data.length);
    const path = `/extension[${i}]`;
    const dataAt = at + extensionHead.size;
    target.set(encodeExtension({ type, data }), at);
    const placed: Placed[] = [
      { path, offset: at, length: extensionHead.size, struct: extensionHead, role },
    ];
    if (data.length > 0) {
      placed.push({ path: `${path}/data`, offset: dataAt, length: data.length, role });
    }
    for (const { path, at, struct } of parts) {
      placed.push({ path, offset: dataAt + at, length: struct.size, struct, role });
    }
    return placed;
  });
}
