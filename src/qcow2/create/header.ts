import type { BackingReference } from "../../format/mod.ts";
import { blank, encode, encodeInto, fieldOf, type Struct } from "../../layout/mod.ts";
import { roundUp } from "../geometry.ts";
import {
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  features,
  header,
  headerV2,
  QCOW_MAGIC,
} from "../structures.ts";
import type { Qcow2Creation } from "./options.ts";

/** What the header says of places; an offset is 0 for what is not there. */
export interface HeaderPlaces {
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly refcountTable: { readonly offset: number; readonly clusters: number };
  /** The LUKS header, where there is one. */
  readonly luks: { readonly offset: number; readonly length: number } | undefined;
}

/** Extensions start at multiples of this from the end of the header. */
const EXTENSION_ALIGNMENT = 8;
/** QEMU leaves the feature name table out where clusters are no longer. */
const NO_NAMES_CLUSTER_MAX = 4096;

/**
 * The first cluster as far as it is used: header, extensions in QEMU's order, backing file name.
 *
 * @throws {RangeError} when a cluster cannot hold it
 */
export function headerBytes(creation: Qcow2Creation, places: HeaderPlaces): Uint8Array {
  const struct = structOf(creation);
  const extensions = extensionsOf(creation, places).map(encodeExtension);
  const name = new TextEncoder().encode(creation.backing?.name ?? "");
  const nameAt = extensions.reduce((end, { length }) => end + length, struct.size);
  const bytes = new Uint8Array(nameAt + name.length);
  if (bytes.length > creation.clusterSize) {
    throw new RangeError(
      `Cannot create an image: its header with all names has ${bytes.length} bytes, more than a ` +
        `cluster of ${creation.clusterSize}`,
    );
  }
  const backing = { offset: name.length === 0 ? 0 : nameAt, length: name.length };
  encodeInto(struct, fieldsOf(creation, places, backing), { target: bytes, at: 0 });
  let at = struct.size;
  for (const extension of extensions) {
    bytes.set(extension, at);
    at += extension.length;
  }
  bytes.set(name, nameAt);
  return bytes;
}

/** The header of the version; each description starts with the fields of the one before it. */
function structOf({ version }: Qcow2Creation): typeof header {
  return version === 2 ? headerV2 as unknown as typeof header : header;
}

function fieldsOf(
  creation: Qcow2Creation,
  { l1, refcountTable }: HeaderPlaces,
  backing: { offset: number; length: number },
): Parameters<typeof encode<typeof header>>[1] {
  const { dataFile, encryption, compression = "deflate" } = creation;
  const methods = fieldOf(header, "crypt_method").values ?? {};
  const compressions = fieldOf(header, "compression_type").values ?? {};
  return {
    ...blank(header),
    magic: QCOW_MAGIC,
    version: creation.version,
    backing_file_offset: BigInt(backing.offset),
    backing_file_size: backing.length,
    cluster_bits: Math.log2(creation.clusterSize),
    size: BigInt(creation.size),
    crypt_method: Number(methods[encryption?.kind ?? "none"]),
    l1_size: l1.entries,
    l1_table_offset: BigInt(l1.offset),
    refcount_table_offset: BigInt(refcountTable.offset),
    refcount_table_clusters: refcountTable.clusters,
    incompatible_features: flags([
      [dataFile !== undefined, features.dataFile],
      [compression !== "deflate", features.compressionType],
      [creation.extendedL2 === true, features.extendedL2],
    ]),
    compatible_features: flags([[creation.lazyRefcounts === true, features.lazyRefcounts]]),
    autoclear_features: flags([[dataFile?.raw === true, features.rawExternal]]),
    refcount_order: Math.log2(creation.refcountBits),
    header_length: header.size,
    compression_type: Number(compressions[compression]),
  };
}

function flags(all: readonly (readonly [boolean, bigint])[]): bigint {
  return all.reduce((mask, [set, bit]) => set ? mask | bit : mask, 0n);
}

interface NewExtension {
  readonly type: number;
  readonly data: Uint8Array;
}

function extensionsOf(creation: Qcow2Creation, { luks }: HeaderPlaces): NewExtension[] {
  const { backing, dataFile, version, clusterSize } = creation;
  const extensions: NewExtension[] = [];
  const push = (type: number, data: Uint8Array): void => void extensions.push({ type, data });
  if (backing?.format !== undefined) push(extensionTypes.backingFormat, formatName(backing));
  if (dataFile !== undefined) push(extensionTypes.dataFile, utf8(dataFile.name));
  if (luks !== undefined) {
    const pointer = { offset: BigInt(luks.offset), length: BigInt(luks.length) };
    push(extensionTypes.encryptionHeader, encode(encryptionPointer, pointer));
  }
  if (version > 2 && clusterSize > NO_NAMES_CLUSTER_MAX) {
    push(extensionTypes.featureNameTable, joined(featureRecords()));
  }
  push(extensionTypes.end, new Uint8Array(0));
  return extensions;
}

/** QEMU reads so many bytes of the name of a format. */
const FORMAT_NAME_MAX = 15;

function formatName({ format = "" }: BackingReference): Uint8Array {
  const name = utf8(format);
  if (name.length <= FORMAT_NAME_MAX) return name;
  throw new RangeError(`Cannot create an image: the name of a format is not as long as ${format}`);
}

/** A record for each feature bit that is defined. */
function featureRecords(): Uint8Array[] {
  const types = fieldOf(featureName, "type").values ?? {};
  return Object.entries(types).flatMap(([kind, type]) => {
    const { bits = [] } = fieldOf(header, `${kind}_features` as "incompatible_features");
    return bits.filter((bit) => bit.reserved === undefined)
      .map((bit) => encodeRecord(Number(type), bit));
  });
}

function encodeRecord(type: number, { from, name }: { from: number; name: string }): Uint8Array {
  const padded = new Uint8Array(fieldOf(featureName, "name").width);
  padded.set(utf8(name));
  return encode(featureName, { type, bit: from, name: padded });
}

function encodeExtension({ type, data }: NewExtension): Uint8Array {
  const head: Struct = extensionHead;
  const bytes = new Uint8Array(head.size + roundUp(data.length, EXTENSION_ALIGNMENT));
  encodeInto(extensionHead, { type, length: data.length }, { target: bytes, at: 0 });
  bytes.set(data, head.size);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    bytes.set(part, at);
    return at + part.length;
  }, 0);
  return bytes;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
