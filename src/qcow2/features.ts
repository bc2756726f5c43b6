import type { ByteSource } from "../bytes/mod.ts";
import type { FeatureTable } from "../format/mod.ts";
import { decodeQcow2, extensionOf } from "./decode.ts";
import { compressionTypes, extensionTypes, features } from "./structures.ts";

/** The features of qcow2 that an implementation may lack, as their names in the adapter protocol. */
export const qcow2Features = {
  "qcow2.v2": "qcow2 version 2",
  "qcow2.v3": "qcow2 version 3",
  "backing": "content from a backing file",
  "zstd": "compression type zstd",
  "extended-l2": "extended L2 entries (subclusters)",
  "external-data-file": "an external data file",
  "snapshots": "internal snapshots",
  "bitmaps": "persistent bitmaps",
  "encryption.aes": "the legacy encryption with AES-CBC",
  "encryption.luks": "encryption with a LUKS header inside the image",
  "corrupt": "the corrupt bit: any structure may be damaged",
  "unknown-incompatible-bit": "an incompatible feature bit that the specification does not define",
} as const satisfies FeatureTable;

const AES = 1;
const LUKS = 2;

/** The features that an image uses, according to its header. */
export function qcow2FeaturesOf(source: ByteSource): (keyof typeof qcow2Features)[] {
  const file = decodeQcow2(source);
  const { header } = file;
  const bits = header.incompatible_features;
  const used: [keyof typeof qcow2Features, boolean][] = [
    ["qcow2.v2", header.version === 2],
    ["qcow2.v3", header.version >= 3],
    ["backing", header.backing_file_offset !== 0n && header.backing_file_size > 0],
    ["zstd", header.compression_type === compressionTypes.zstd],
    ["extended-l2", (bits & features.extendedL2) !== 0n],
    ["external-data-file", (bits & features.dataFile) !== 0n],
    ["snapshots", header.nb_snapshots > 0],
    ["bitmaps", extensionOf(file, extensionTypes.bitmaps) !== undefined],
    ["encryption.aes", header.crypt_method === AES],
    ["encryption.luks", header.crypt_method === LUKS],
    ["corrupt", (bits & features.corrupt) !== 0n],
    ["unknown-incompatible-bit", (bits & features.unknownIncompatible) !== 0n],
  ];
  return used.filter(([, is]) => is).map(([name]) => name);
}
