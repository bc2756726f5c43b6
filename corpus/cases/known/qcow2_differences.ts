/** Where QEMU and the specification of qcow2 differ, and what readers get wrong. */

import { utf8 } from "../../../src/bytes/mod.ts";
import type { SingleImage } from "../case.ts";
import { bytes, type CaseEdit, flip, set } from "../edit.ts";
import { pairImage } from "../families/pairs.ts";
import { encryptionLength } from "../qcow2/encryption.ts";
import { empty, extended, filled, small, snapshot } from "../qcow2/models.ts";
import { known, type KnownImage, type KnownParts, packedCluster, qcow2 } from "./parts.ts";

const SIZE = 65536;
const FIRST = "/l2[0]/0/l2_entry";
const COPIED = 2n ** 63n;

/** An image whose flag is `specification` if it has no other. */
function differs(
  condition: string,
  parts: Omit<KnownParts, "flags"> & Partial<KnownParts>,
): KnownImage {
  return known(`qcow2-${condition}`, { flags: ["specification"], ...parts });
}

const compression: readonly KnownImage[] = [
  differs("offset-with-descriptor-bit-58", {
    shows: "bit 58 of a compressed entry is set, which is above its offset of 56 bits",
    happened: "QEMU does not check the bit where clusters have 512 bytes",
    base: small({ clusterBits: 9, clusters: [packedCluster(0)] }),
    edits: [flip(FIRST, 58)],
  }),
  differs("deflate-unterminated", {
    shows: "the deflate stream of a cluster has no final block, and zeros follow it",
    happened: "the specification stops at the size of a cluster, and QEMU's decoder goes on",
    base: qcow2({ clusters: [packedCluster(0)] }),
    edits: [bytes("/compressed[0]", storedBlock(4096))],
  }),
  differs("deflate-without-end", {
    shows: "the deflate stream of a cluster has no final block, and empty stored blocks follow it",
    happened: "a reader required the end of the stream, although the cluster was complete",
    flags: ["false-rejection"],
    base: qcow2({ clusters: [packedCluster(0)] }),
    edits: [bytes("/compressed[0]", endless(512))],
  }),
  differs("deflate-distance-of-32-kib", {
    shows: "the deflate stream of a cluster has a match 32 KiB back",
    happened: "the specification names a window of 4 KiB, to which only writers keep",
    base: qcow2({ clusterBits: 16, clusters: [packedCluster(0)] }),
    edits: [bytes("/compressed[0]", farMatch())],
  }),
  differs("zstd-two-frames", {
    shows: "the data of a compressed cluster has two Zstandard frames",
    happened: "a reader that stops after the first frame reads half a cluster",
    base: qcow2({ compression: "zstd", clusters: [packedCluster(0)] }),
    edits: [bytes("/compressed[0]", [...frame("A"), ...frame("B")])],
  }),
  differs("zstd-zeros-between-frames", {
    shows: "the data of a compressed cluster has eight zeros between two Zstandard frames",
    happened: "QEMU rejects the zeros, although it ignores what is behind the last frame",
    base: qcow2({ compression: "zstd", clusters: [packedCluster(0)] }),
    edits: [bytes("/compressed[0]", [...frame("A"), 0, 0, 0, 0, 0, 0, 0, 0, ...frame("B")])],
  }),
];

/** 4 KiB of the letter a as a deflate block, and empty stored blocks up to a length. */
function endless(length: number): number[] {
  const letters = [0xec, 0xc1, 1, 13, 0, 0, 0, 0xc2, 0xa0, 0xac, 0xef, 0x5f, 0xc2, 0x1e, 14, 40];
  const stored = [0, 0, 0, 0xff, 0xff];
  const rest = [0, 0, 0, 0xe0, 0xdd, 0, 0, 0, 0xff, 0xff];
  const blocks = Array.from({ length }, (_, at) => stored[at % stored.length] as number);
  return [...letters, ...rest, ...blocks].slice(0, length);
}

/** A stored deflate block of so many zeros that is not the final one. */
function storedBlock(length: number): number[] {
  const [low, high] = [length & 0xff, length >> 8];
  return [0, low, high, low ^ 0xff, high ^ 0xff, ...new Array<number>(length).fill(0)];
}

/** A block with fixed codes: five letters, repeated to 64 KiB with one match 32 KiB back. */
function farMatch(): number[] {
  const letters = [...utf8("HELLO")].flatMap((it) => code(0x30 + it, 8));
  const of258 = code(0b11000101, 8);
  const near = [...of258, ...code(4, 5), 0];
  const far = [...of258, ...code(29, 5), ...new Array<number>(13).fill(1)];
  // 227 + 30 bytes
  const last = [...code(0b11000100, 8), 0, 1, 1, 1, 1, ...code(4, 5), 0];
  const repeated = (count: number) => new Array<number[]>(count).fill(near).flat();
  const bits = [1, 1, 0, ...letters, ...repeated(127), ...far, ...repeated(125), ...last];
  bits.push(...code(0, 7));
  return Array.from({ length: Math.ceil(bits.length / 8) }, (_, at) => {
    return bits.slice(8 * at, 8 * at + 8).reduce((byte, bit, index) => byte | bit << index, 0);
  });
}

/** A Huffman code, the highest bit first. */
function code(value: number, length: number): number[] {
  return Array.from({ length }, (_, index) => value >> (length - 1 - index) & 1);
}

/** A Zstandard frame of one letter, 2048 times: a single segment with one RLE block. */
function frame(letter: string): number[] {
  const length = 2048;
  const header = (length << 3) | (1 << 1) | 1;
  return [
    ...[0x28, 0xb5, 0x2f, 0xfd, 0x60],
    ...[(length - 256) & 0xff, (length - 256) >> 8],
    ...[header & 0xff, header >> 8 & 0xff, header >> 16],
    letter.charCodeAt(0),
  ];
}

const entries: readonly KnownImage[] = [
  differs("l2-entry-copied-only", {
    shows: "an L2 entry has the copied flag and no offset",
    happened: "it is unallocated here, and data at offset 0 with an external data file",
    edits: [set(FIRST, COPIED)],
  }),
  differs("data-file-entry-copied-only", {
    shows: "with a data file, an L2 entry has the copied flag and no offset",
    happened: "it is data at offset 0; a reader that sees no offset reads zeros",
    base: qcow2({ dataFile: { name: "data", raw: false } }),
    edits: [set(FIRST, COPIED)],
  }),
  differs("data-file-zero-at-0", {
    shows: "with a data file, an L2 entry has the copied and the zero flag and no offset",
    happened: "a preallocated zero cluster at guest offset 0 cannot be expressed",
    base: qcow2({ dataFile: { name: "data", raw: false } }),
    edits: [set(FIRST, COPIED + 1n)],
  }),
  differs("data-file-raw-unallocated", {
    shows: "a raw data file has data where the L2 table has no entries",
    happened: "QEMU reads zeros, although the file has the content of the disk",
    base: qcow2({ dataFile: { name: "data", raw: true }, clusters: [] }),
    files: { data: filled(SIZE) },
  }),
  differs("subclusters-unallocated-with-offset", {
    shows: "no subcluster of a cluster is allocated, but its entry has an offset",
    happened: "map prints an offset for a cluster without data",
    base: extended({
      clusters: [{
        index: 0,
        kind: "subclusters",
        allocated: 0,
        zero: 0,
        reserved: true,
        pattern: { kind: "fill", seed: 1 },
      }],
    }),
  }),
];

const tables: readonly KnownImage[] = [
  differs("header-without-tables", {
    shows: "the file ends with its header of 104 bytes",
    happened: "what is behind the end of a file reads as zeros to QEMU, and is an error to others",
    flags: ["truncated"],
    base: qcow2({ clusters: [], headerLength: 104 }),
    edits: [{ op: "resize", size: 104 }],
  }),
  differs("data-ends-after-first-byte", {
    shows: "the file ends after the first byte of the last data cluster",
    happened: "check accepts a cluster of which one byte is in the file",
    flags: ["truncated"],
    edits: [{ op: "cut", at: "/data[0]", delta: 1 }],
  }),
  differs("size-2-to-64", {
    shows: "the disk has 2^64 - 1 bytes",
    happened: "QEMU rounds the size up to 0 for the L1 table, and rejects it later",
    flags: ["overflow"],
    edits: [set("/header/size", 2n ** 64n - 1n)],
  }),
  differs("size-2-to-63", {
    shows: "the disk has 2^63 bytes",
    happened: "the size has the sign bit of a signed number",
    flags: ["overflow"],
    edits: [set("/header/size", 2n ** 63n)],
  }),
  differs("snapshots-behind-end", {
    shows: "the snapshot table starts at 2^40, far behind the end of the file",
    happened: "info lists empty snapshots",
    base: empty({ version: 2, headerLength: 72 }),
    edits: [set("/header/snapshots_offset", 2n ** 40n), set("/header/nb_snapshots", 2)],
  }),
  differs("snapshot-vm-state-2-to-64", {
    shows: "the VM state of a snapshot has 2^64 - 1 bytes",
    happened: "info prints a negative number",
    base: qcow2({ snapshots: [snapshot(1, SIZE)] }),
    edits: [set("/snapshot[0]/extra/vm_state_size_large", 2n ** 64n - 1n)],
  }),
];

const locked = pairImage("v3-4k-8-zstd-standard-luks");

/** An encrypted image, with further edits. */
function encrypted(...edits: CaseEdit[]): Pick<SingleImage, "base" | "edits"> {
  return { base: locked.base, edits: [...locked.edits, ...edits] };
}

const encryption: readonly KnownImage[] = [
  differs("luks-payload-offset-7", {
    shows: "the LUKS header of the image has a payload offset of 7, inside itself",
    happened: "the field has no meaning here, and QEMU checks it",
    ...encrypted(set("/luks/header/payload_offset", 7)),
  }),
  differs("luks-payload-offset-100000", {
    shows: "the LUKS header of the image has a payload offset of 100000, outside the image",
    happened: "a reader that adds the offset to that of each cluster reads wrong data",
    ...encrypted(set("/luks/header/payload_offset", 100_000)),
  }),
  differs("luks-header-length-2-to-64", {
    shows: "the encryption header has a length of 2^64 - 1",
    happened: "QEMU unlocks the image, and check counts no cluster of the header",
    ...encrypted(encryptionLength(2n ** 64n - 1n)),
  }),
];

/** Where QEMU and the specification differ. */
export const qcow2Differences: readonly KnownImage[] = [
  ...compression,
  ...entries,
  ...tables,
  ...encryption,
];
