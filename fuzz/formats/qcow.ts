import * as fc from "fast-check";
import { type ByteSource, SECTOR } from "../../src/bytes/mod.ts";
import { type Range, readUint } from "../../src/layout/mod.ts";
import type { Qcow1Model } from "../../src/qcow1/mod.ts";
import { type Qcow2Model, QCOW_MAGIC } from "../../src/qcow2/mod.ts";
import { keyChoices } from "../generate/mod.ts";
import type { KeyKit, Kit, NoiseKit } from "./kit.ts";
import { cipherText } from "./luks1/describe.ts";
import { luksTexts } from "./luks1/texts.ts";
import { isEncryption } from "./qcow2/encryption.ts";

/** Code shared by the kits of both versions of qcow. */

/** An image of one of them. */
export type QcowModel = Qcow1Model | Qcow2Model;

/** The offset of sector 2^32. */
export const FAR_SECTOR: number = 2 ** 32 * SECTOR;

/** How images are opened. Slow hashes may have eight slots. */
export const qcowKeys: KeyKit<never> = {
  choices: () => keyChoices({ right: 1 }),
  iterationsMax: 8000,
  milliseconds: 8000,
};

/** The common part of the kits of single images and of chains. */
export const qcowKit: Pick<Kit<never>, "answerPaths" | "tableRules" | "edits"> = {
  answerPaths: [
    [/^\/snapshots\/(\d+)/, "/snapshot[$1]"],
    [/^\/format-specific\/data\/bitmaps\/(\d+)/, "/bitmap[$1]"],
    [/^\/format-specific\/data\/encrypt\/slots\/(\d+)/, "/luks/key_slots/$1"],
    [/^\/refcount_table/, "/reftable"],
  ],
  // A case that breaks one of these has got past the header.
  tableRules: /^qcow[12]\.(snap|bitmap|l1e|l2|l2e|refblock|check)\./,
  edits: { dictionary: { texts: luksTexts }, favourite: isEncryption },
};

/** The numbers of a range. */
export function numbersIn({ min, max }: Range): number[] {
  return Array.from({ length: max + 1 - min }, (_, index) => min + index);
}

const WORD = 4;

/** The magic, one of these versions, and bytes that mean nothing. */
export function qcowNoise(...versions: number[]): NoiseKit {
  return {
    head: fc.record({ version: fc.constantFrom(...versions) }),
    write: ({ version }, bytes) => {
      if (bytes.length < 2 * WORD) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setUint32(0, QCOW_MAGIC);
      view.setUint32(WORD, version as number);
    },
  };
}

/** An image in a line. */
export function describeQcow(image: QcowModel): string {
  const used = image.clusters.length;
  const clusters = `cluster size ${2 ** image.clusterBits}, ${used} cluster${
    used === 1 ? "" : "s"
  } in use`;
  const encrypted = encryptionText(image);
  if (image.format === "qcow") {
    return [`qcow, size ${image.size}, ${clusters}`, ...encrypted].join(", ");
  }
  const { snapshots, bitmaps } = image;
  return [
    `qcow2 version ${image.version}, size ${image.size}, ${clusters}`,
    `${2 ** image.refcountOrder}-bit refcounts`,
    image.compression,
    ...(image.extendedL2 ? ["extended L2"] : []),
    ...(image.dataFile === undefined ? [] : ["data file"]),
    ...(snapshots.length === 0 ? [] : [`${snapshots.length} snapshots`]),
    ...(bitmaps.length === 0 ? [] : [`${bitmaps.length} bitmaps`]),
    ...encrypted,
  ].join(", ");
}

function encryptionText({ encryption }: QcowModel): string[] {
  if (encryption === undefined) return [];
  if (encryption.kind === "aes") return ["legacy AES"];
  return [`LUKS in ${cipherText(encryption)}`];
}

/** Finds the mapping entry of a byte of the disk. */
export interface EntryGeometry {
  readonly l1Offset: bigint;
  readonly l2Entries: number;
  readonly clusterSize: number;
  readonly entrySize: number;
  /** Bits of an L1 entry with the offset of a table. */
  readonly offsetMask: bigint;
}

const L1_ENTRY = 8;

/** The entries of a byte of the disk: that of the L1 table, and that of the L2 table if there is one. */
export function entriesIn(
  source: ByteSource,
  guestOffset: number,
  { l1Offset, l2Entries, clusterSize, entrySize, offsetMask }: EntryGeometry,
): { path: string; offset: number }[] {
  const coverage = l2Entries * clusterSize;
  const table = Math.floor(guestOffset / coverage);
  const l1At = Number(l1Offset) + L1_ENTRY * table;
  if (!(l1At + L1_ENTRY <= source.size)) return [];
  const l2Offset = readUint(source.read(l1At, L1_ENTRY), 0, L1_ENTRY) & offsetMask;
  const l1 = { path: `/l1/${table}`, offset: l1At };
  if (l2Offset === 0n) return [l1];
  const index = Math.floor(guestOffset % coverage / clusterSize);
  return [l1, {
    path: `/l2[${table}]/${index}`,
    offset: Number(l2Offset) + index * entrySize,
  }];
}
