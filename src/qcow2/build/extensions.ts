import { patternBytes, type Placed } from "../../format/mod.ts";
import { encode, encodeInto, fieldOf, type Struct } from "../../layout/mod.ts";
import { roundUp } from "../geometry.ts";
import type { Qcow2Model } from "../model.ts";
import {
  bitmapsExtension,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  header,
} from "../structures.ts";
import { utf8 } from "./normalise_values.ts";
import { randomFrom, shuffle } from "./random.ts";

/** Extensions start at multiples of this from the end of the header. */
export const EXTENSION_ALIGNMENT = 8;

/** A header extension that is to be written. */
export interface ExtensionPlan {
  readonly type: number;
  readonly data: Uint8Array;
  /** What lies in its data, by offset from the start of the data. */
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

/** The extensions of an image in the order in which QEMU writes them, or with a seed in another. */
export function planExtensions(
  model: Qcow2Model,
  { directory, encryption }: {
    directory: DirectoryPlace | undefined;
    /** The data of the full disk encryption header pointer. */
    encryption: Uint8Array | undefined;
  },
): ExtensionPlan[] {
  const extensions: ExtensionPlan[] = [];
  const push = (type: number, data: Uint8Array, parts: ExtensionPlan["parts"] = []): void => {
    extensions.push({ type, data, parts });
  };
  const format = model.backing?.format;
  if (format !== undefined) push(extensionTypes.backingFormat, utf8(format));
  if (model.dataFile !== undefined) push(extensionTypes.dataFile, utf8(model.dataFile.name));
  if (encryption !== undefined) {
    push(extensionTypes.encryptionHeader, encryption, [
      { path: "/encryption_header_pointer", at: 0, struct: encryptionPointer },
    ]);
  }
  if (model.featureTable) push(extensionTypes.featureNameTable, featureTable, featureParts);
  if (directory !== undefined) {
    push(extensionTypes.bitmaps, bitmapsData(directory), [
      { path: "/bitmaps", at: 0, struct: bitmapsExtension },
    ]);
  }
  for (const { type, length, seed } of model.unknownExtensions) {
    push(type, patternBytes({ kind: "noise", seed }, length));
  }
  const { seed } = model.placement;
  return seed === 0 ? extensions : shuffle(extensions, randomFrom(~seed));
}

function bitmapsData({ offset, length, count }: DirectoryPlace): Uint8Array {
  return encode(bitmapsExtension, {
    nb_bitmaps: count,
    reserved: 0,
    bitmap_directory_size: BigInt(length),
    bitmap_directory_offset: BigInt(offset),
  });
}

/** The records of the feature name table, out of the descriptions of the header's feature fields. */
const featureRecords = Object.entries({
  incompatible: fieldOf(header, "incompatible_features"),
  compatible: fieldOf(header, "compatible_features"),
  autoclear: fieldOf(header, "autoclear_features"),
}).flatMap(([kind, { bits = [] }]) => {
  const type = Number(fieldOf(featureName, "type").values?.[kind]);
  return bits.filter((bit) => bit.reserved === undefined)
    .map((bit) => encode(featureName, { type, bit: bit.from, name: utf8(bit.name) }));
});

const featureParts = featureRecords.map((_, i) => ({
  path: `/feature[${i}]`,
  at: i * featureName.size,
  struct: featureName,
}));

/** Length of the feature name table in bytes. */
export const featureTableSize = featureRecords.length * featureName.size;

const featureTable = new Uint8Array(featureTableSize);
featureRecords.forEach((record, i) => featureTable.set(record, i * featureName.size));

/**
 * Writes extensions from `place.at` on, with the one that ends them.
 *
 * @returns where the next thing may start, and what was placed
 */
export function writeExtensions(
  extensions: readonly ExtensionPlan[],
  place: { target: Uint8Array; at: number },
): { end: number; placed: Placed[] } {
  const placed: Placed[] = [];
  let { at } = place;
  [...extensions, { type: extensionTypes.end, data: new Uint8Array(0), parts: [] }].forEach(
    ({ type, data, parts }, i) => {
      const path = `/extension[${i}]`;
      encodeInto(extensionHead, { type, length: data.length }, { target: place.target, at });
      placed.push({ path, offset: at, length: extensionHead.size, struct: extensionHead, role });
      at += extensionHead.size;
      if (data.length > 0) {
        place.target.set(data, at);
        placed.push({ path: `${path}/data`, offset: at, length: data.length, role });
      }
      for (const part of parts) {
        const { path, struct } = part;
        placed.push({ path, offset: at + part.at, length: struct.size, struct, role });
      }
      at += roundUp(data.length, EXTENSION_ALIGNMENT);
    },
  );
  return { end: at, placed };
}

const role = "header";
