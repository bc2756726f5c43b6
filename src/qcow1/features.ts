import type { ByteSource } from "../bytes/mod.ts";
import type { FeatureTable } from "../format/mod.ts";
import { decodeQcow1, storedName } from "./decode.ts";

/** The features of qcow version 1 that an implementation may lack. */
export const qcow1Features = {
  "qcow": "qcow version 1",
  "backing": "content from a backing file",
  "encryption.aes": "the legacy encryption with AES-CBC",
} as const satisfies FeatureTable;

/** The features that an image uses, according to its header. */
export function qcow1FeaturesOf(source: ByteSource): (keyof typeof qcow1Features)[] {
  const file = decodeQcow1(source);
  const name = storedName(file);
  const used: [keyof typeof qcow1Features, boolean][] = [
    ["qcow", true],
    ["backing", name !== undefined && name.length > 0 && name[0] !== 0],
    ["encryption.aes", file.header.crypt_method !== 0],
  ];
  return used.filter(([, is]) => is).map(([name]) => name);
}
