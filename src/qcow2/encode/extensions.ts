import { concat, roundUp, utf8 } from "../../bytes/mod.ts";
import { patternBytes } from "../../format/mod.ts";
import { encode, fieldOf, type Struct } from "../../layout/mod.ts";
import { padded } from "./padded.ts";
import {
  bitmapsExtension,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  featureTypes,
  header,
} from "../structures.ts";
import type { BackingModel, Qcow2Model } from "../model.ts";

/** Extensions start at multiples of this from the end of the header. */
export const EXTENSION_ALIGNMENT = 8;

/** A header extension to write. */
export interface NewExtension {
  readonly type: number;
  readonly data: Uint8Array;
  /** The parts of its data, by offset from the start of the data. */
  readonly parts: readonly {
    readonly path: string;
    readonly at: number;
    readonly struct: Struct;
  }[];
}

/** The bitmap directory as the bitmaps extension describes it. */
export interface DirectoryPlace {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

/** The content of extensions except offsets. */
export interface ExtensionFacts extends Pick<Qcow2Model, "dataFile" | "featureTable"> {
  readonly backing?: BackingModel;
  readonly unknownExtensions?: Qcow2Model["unknownExtensions"];
}

/** The offsets in extensions. */
export interface ExtensionPlaces {
  readonly directory?: DirectoryPlace | undefined;
  /** The LUKS header, if there is one. */
  readonly luks?: { readonly offset: number; readonly length: number } | undefined;
}

/** The extensions of an image in the order in which QEMU writes them. */
export function extensionsOf(
  { backing, dataFile, featureTable, unknownExtensions = [] }: ExtensionFacts,
  { directory, luks }: ExtensionPlaces,
): NewExtension[] {
  const extensions: NewExtension[] = [];
  const push = (type: number, data: Uint8Array, parts: NewExtension["parts"] = []): void => {
    extensions.push({ type, data, parts });
  };
  const { format } = backing ?? {};
  if (format !== undefined) push(extensionTypes.backingFormat, utf8(format));
  if (dataFile !== undefined) push(extensionTypes.dataFile, utf8(dataFile.name));
  if (luks !== undefined) {
    const pointer = { offset: BigInt(luks.offset), length: BigInt(luks.length) };
    push(extensionTypes.encryptionHeader, encode(encryptionPointer, pointer), [
      { path: "/encryption_header_pointer", at: 0, struct: encryptionPointer },
    ]);
  }
  if (featureTable) push(extensionTypes.featureNameTable, featureNames, featureParts);
  if (directory !== undefined) {
    push(extensionTypes.bitmaps, bitmapsData(directory), [
      { path: "/bitmaps", at: 0, struct: bitmapsExtension },
    ]);
  }
  for (const { type, length, seed } of unknownExtensions) {
    push(type, patternBytes({ kind: "noise", seed }, length));
  }
  return extensions;
}

/** The data of the bitmaps extension. */
export function bitmapsData({ offset, length, count }: DirectoryPlace): Uint8Array {
  return encode(bitmapsExtension, {
    nb_bitmaps: count,
    reserved: 0,
    bitmap_directory_size: BigInt(length),
    bitmap_directory_offset: BigInt(offset),
  });
}

/** The records of the feature name table, from the descriptions of the header's feature fields. */
const featureRecords = Object.entries(featureTypes).flatMap(([kind, type]) => {
  const { bits = [] } = fieldOf(header, `${kind}_features` as "incompatible_features");
  return bits.filter((bit) => bit.reserved === undefined)
    .map((bit) => encode(featureName, { type, bit: bit.from, name: utf8(bit.name) }));
});

const featureParts = featureRecords.map((_, i) => ({
  path: `/feature[${i}]`,
  at: i * featureName.size,
  struct: featureName,
}));

const featureNames = concat(...featureRecords);

/** Length of the feature name table in bytes. */
export const featureTableSize: number = featureNames.length;

/** An extension as it is stored, with its padding. */
export function encodeExtension(
  { type, data }: Pick<NewExtension, "type" | "data">,
): Uint8Array {
  return padded(
    concat(encode(extensionHead, { type, length: data.length }), data),
    EXTENSION_ALIGNMENT,
  );
}

/** The length of an extension with so much data, in bytes. */
export function extensionSize(dataLength: number): number {
  return extensionHead.size + roundUp(dataLength, EXTENSION_ALIGNMENT);
}
