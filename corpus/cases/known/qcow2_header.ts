/** Known defects in reading the header of qcow2 and its extensions. */

import { utf8 } from "../../../src/bytes/mod.ts";
import { extensionTypes } from "../../../src/qcow2/mod.ts";
import { bytes, overwrite, set, text } from "../edit.ts";
import { compressed, filled } from "../qcow2/models.ts";
import { known, type KnownImage, qcow2 } from "./parts.ts";

const CLUSTER_BITS = "/header/cluster_bits";
const CLUSTER_SIZE = 4096;
const SIZE = 65536;
const files = { base: filled(SIZE) };
const named = qcow2({ backing: { name: "base", format: "raw" } });
/** The backing name is at the end of a first cluster of 512 bytes. */
const tiny = qcow2({ clusterBits: 9, size: 4096n, backing: { name: "base" }, clusters: [] });

const shifts: readonly KnownImage[] = ([
  [40, "readers in Rust shifted by the field before they checked it"],
  [63, "a shift by the field sets the sign bit of the cluster size"],
  [64, "a shift by the width of the type is undefined in C and panics in Rust"],
  [2 ** 32 - 1, "the field is of 32 bits, and a check of its low byte alone misses the rest"],
] as const).map(([bits, happened]) =>
  known(`qcow2-cluster-bits-${bits}`, {
    shows: `cluster_bits is ${bits}`,
    happened,
    flags: ["shift", "security"],
    edits: [set(CLUSTER_BITS, bits)],
  })
);

const lengths: readonly KnownImage[] = [
  known("qcow2-header-length-huge", {
    shows: "header_length is 2^32 - 1",
    happened: "QEMU read extensions far behind its buffer: a reconstruction of CVE-2014-0144",
    flags: ["over-read", "security"],
    edits: [set("/header/header_length", 2 ** 32 - 1)],
  }),
  known("qcow2-header-length-104", {
    shows: "the header has the minimum length of version 3, 104 bytes",
    happened: "a reader required the 112 bytes that newer writers use",
    flags: ["false-rejection"],
    base: qcow2({ headerLength: 104 }),
  }),
  known("qcow2-header-length-112", {
    shows: "the header is longer than the 104 bytes of the first version 3",
    happened: "a reader required exactly 104 bytes and rejected all images of QEMU 5.1 and later",
    flags: ["false-rejection"],
  }),
  known("qcow2-header-length-odd", {
    shows: "header_length is 113, and an extension starts there",
    happened: "the specification demands a multiple of 8, and QEMU does not",
    flags: ["specification"],
    base: qcow2({ clusters: [] }),
    edits: [set("/header/header_length", 113), overwrite(112, new Array(16).fill(0))],
  }),
  known("qcow2-v2-with-v3-fields", {
    shows: "an image of version 2 has the values of version 3 in the bytes after its header",
    happened: "a writer put these fields into images of version 2, where extensions start",
    flags: ["specification"],
    base: qcow2({ version: 2, headerLength: 72 }),
    edits: [overwrite(96, [0, 0, 0, 4, 0, 0, 0, 104])],
  }),
  known("qcow2-v2-extension-at-72", {
    shows: "the extensions of an image of version 2 start after 72 bytes",
    happened: "a library looked for extensions of both versions at the same offset",
    flags: ["missed-reference", "security"],
    base: qcow2({ version: 2, headerLength: 72, backing: { name: "base", format: "raw" } }),
    files,
  }),
  known("qcow2-v3-extension-at-104", {
    shows: "the extensions of an image of version 3 start at header_length, 104",
    happened: "a library looked for extensions of version 3 after 72 bytes, and missed the format",
    flags: ["missed-reference", "security"],
    base: qcow2({ headerLength: 104, backing: { name: "base", format: "raw" } }),
    files,
  }),
  known("qcow2-file-shorter-than-512-bytes", {
    shows: "the file ends after the backing file name, before its first 512 bytes",
    happened: "an inspector that reads whole sectors took the file for raw and missed the name",
    flags: ["missed-reference", "truncated", "security"],
    base: qcow2({ clusters: [], backing: { name: "base", format: "raw" } }),
    edits: [{ op: "cut", at: "/backing_name", from: "end", delta: 0 }],
    files,
  }),
];

const extensions: readonly KnownImage[] = [
  known("qcow2-two-backing-formats", {
    shows: "two extensions name a format of the backing file, first raw and then qcow2",
    happened: "a reader took the first of them, and read another disk",
    flags: ["wrong-data"],
    base: qcow2({
      backing: { name: "base", format: "raw" },
      unknownExtensions: [{ type: 1, length: 5, seed: 1 }],
    }),
    edits: [
      set("/extension[1]/type", extensionTypes.backingFormat),
      bytes("/extension[1]/data", [...utf8("qcow2")]),
    ],
    files: { base: qcow2({ clusters: [compressed(1)] }) },
  }),
  known("qcow2-extension-length-0x7fffffff", {
    shows: "an extension has a length of 2^31 - 1",
    happened: "a small image made readers allocate 2 GiB: a reconstruction of CVE-2014-0144",
    flags: ["allocation", "security"],
    edits: [set("/extension[0]/type", 0x12345678), set("/extension[0]/length", 0x7fffffff)],
  }),
  known("qcow2-extension-length-0xfffffff0", {
    shows: "an extension has a length of 2^32 - 16, which wraps when it is rounded up and added",
    happened: "the sum of offset and length wrapped: a reconstruction of CVE-2014-0144",
    flags: ["overflow", "over-read", "security"],
    edits: [set("/extension[0]/type", 0x12345678), set("/extension[0]/length", 0xfffffff0)],
  }),
  known("qcow2-extension-longer-than-4096", {
    shows: "an unknown extension of 5000 bytes is in front of the backing format",
    happened: "an inspector gave up on the extension, and so did not see those after it",
    flags: ["missed-reference", "security"],
    base: qcow2({
      clusterBits: 16,
      unknownExtensions: [5000, 3].map((length, seed) => ({
        type: 0x12345678 + seed,
        length,
        seed,
      })),
      backing: { name: "base" },
    }),
    edits: [
      bytes("/extension[0]/data", new Array(5000).fill(0x41)),
      set("/extension[1]/type", extensionTypes.backingFormat),
      bytes("/extension[1]/data", "raw"),
    ],
    files,
  }),
  known("qcow2-extension-end-length", {
    shows: "the end marker of the extensions has a length of 70000",
    happened: "QEMU checks the length of the end marker, too",
    flags: ["specification"],
    edits: [set("/extension[0]/length", 70000)],
  }),
  known("qcow2-compatible-bit-unknown", {
    shows: "an unknown compatible feature bit is set",
    happened: "a reader that rejects it rejects valid images: the bit can be ignored",
    flags: ["false-rejection"],
    edits: [set("/header/compatible_features", 2n ** 62n)],
  }),
  known("qcow2-incompatible-bits-unknown", {
    shows: "all undefined incompatible feature bits are set",
    happened: "a reader ignored the bits and would have read wrong data",
    flags: ["false-acceptance", "wrong-data"],
    edits: [set("/header/incompatible_features", 2n ** 64n - 32n)],
  }),
  known("qcow2-incompatible-bits-unknown-and-type", {
    shows: "all incompatible feature bits are set, and the compression type is 0",
    happened: "QEMU reports the compression type before the bits that it does not know",
    flags: ["specification"],
    edits: [set("/header/incompatible_features", 0xff)],
  }),
  known("qcow2-feature-bit-read-backwards", {
    shows: "incompatible feature bit 56 is set, which is bit 0 to a reader of the wrong byte order",
    happened: "an inspector read the feature bits in the wrong byte order",
    flags: ["false-acceptance"],
    edits: [set("/header/incompatible_features", 2n ** 56n)],
  }),
  known("qcow2-feature-name-of-bit-84", {
    shows: "the feature name table names bit 84",
    happened: "QEMU shifts by the number of the bit modulo 64",
    flags: ["shift"],
    base: qcow2({ featureTable: true }),
    edits: [set("/feature[0]/bit", 84)],
  }),
  known("qcow2-feature-name-of-46-bytes", {
    shows: "a feature name fills its field, without a NUL byte at its end",
    happened: "a reader that looks for the end of the name leaves the field",
    flags: ["over-read"],
    base: qcow2({ featureTable: true }),
    edits: [text("/feature[0]/name", "n".repeat(46))],
  }),
  known("qcow2-compression-type-lost", {
    shows:
      "clusters are compressed with zstd, and the compression type is 0 although its bit is set",
    happened: "a program resized the image, rewrote the header and lost the compression type",
    flags: ["wrong-data"],
    base: qcow2({ compression: "zstd", clusters: [compressed(0)] }),
    edits: [set("/header/compression_type", 0)],
  }),
  known("qcow2-lazy-refcounts-dirty", {
    shows: "lazy refcounts are on and the dirty bit is set",
    happened: "a program cleared the bit when it opened the image, without a repair",
    flags: ["wrong-data"],
    base: qcow2({ lazyRefcounts: true, dirty: true }),
  }),
];

const names: readonly KnownImage[] = [
  known("qcow2-backing-name-2000-bytes", {
    shows: "backing_file_size is 2000, of at most 1023",
    happened: "QEMU cut the name to 1023 bytes, and so opened another file",
    flags: ["wrong-file"],
    base: named,
    edits: [set("/header/backing_file_size", 2000)],
    files,
  }),
  known("qcow2-backing-offset-in-second-cluster", {
    shows: "the backing file name is in the second cluster",
    happened: "a reader followed a name outside the header cluster",
    flags: ["false-acceptance", "security"],
    base: named,
    edits: [
      set("/header/backing_file_offset", CLUSTER_SIZE + 8),
      overwrite(CLUSTER_SIZE + 8, utf8("base")),
    ],
    files,
  }),
  known("qcow2-backing-offset-2-to-60", {
    shows: "backing_file_offset is 2^60",
    happened:
      "QEMU read extensions up to the name, wherever it was: a reconstruction of CVE-2014-0144",
    flags: ["allocation", "loop", "security"],
    base: named,
    edits: [set("/header/backing_file_offset", 2n ** 60n)],
    files,
  }),
  known("qcow2-backing-name-inside-header", {
    shows: "the backing file name is at offset 4, inside the header",
    happened: "a reader treated bytes of the header as a path",
    flags: ["specification", "security"],
    edits: [set("/header/backing_file_offset", 4), set("/header/backing_file_size", 4)],
  }),
  known("qcow2-backing-size-without-offset", {
    shows: "backing_file_offset is 0, and backing_file_size, which has no meaning then, is 10^6",
    happened: "a library and a hypervisor rejected the image, which has no backing file",
    flags: ["false-rejection"],
    edits: [set("/header/backing_file_size", 1_000_000)],
  }),
  known("qcow2-backing-offset-without-size", {
    shows: "backing_file_offset is set, and backing_file_size is 0",
    happened: "a hypervisor did not expect a name of length 0",
    flags: ["specification"],
    base: named,
    edits: [set("/header/backing_file_size", 0)],
    files,
  }),
  known("qcow2-backing-name-ends-cluster", {
    shows: "the backing file name ends with the first cluster",
    happened: "a check of bounds that is off by one rejects the last place of a name",
    flags: ["false-rejection"],
    base: tiny,
    edits: [
      set("/header/backing_file_offset", 508),
      overwrite(508, utf8("base")),
    ],
    files,
  }),
  known("qcow2-backing-name-with-folder", {
    shows: "the backing file name has a folder in it",
    happened: "a reader resolved the name against the current directory, not that of the image",
    flags: ["wrong-file"],
    base: qcow2({ backing: { name: "./base", format: "raw" }, clusters: [] }),
    files,
  }),
  known("qcow2-backing-name-with-nul", {
    shows: "the backing file name has a NUL byte, and letters after it",
    happened: "QEMU opens the name up to the byte; a check of the whole name sees another file",
    flags: ["wrong-file", "security"],
    base: qcow2({ backing: { name: "base!link", format: "raw" }, clusters: [] }),
    edits: [{ op: "bytes", at: "/backing_name", skip: 4, bytes: Uint8Array.of(0) }],
    files: { ...files, "base!link": filled(SIZE) },
  }),
  known("qcow2-backing-name-with-colon", {
    shows: "the backing file name has a colon, and a file of that name exists",
    happened: "QEMU treats the text before the colon as a protocol, and other readers as a path",
    flags: ["wrong-file"],
    base: qcow2({ backing: { name: "co:lon", format: "raw" }, clusters: [] }),
    files: { "co:lon": filled(SIZE) },
  }),
  known("qcow2-backing-file-missing", {
    shows: "the backing file does not exist",
    happened: "a reader that returns zeros for the missing file reads wrong data",
    flags: ["wrong-data"],
    base: qcow2({ backing: { name: "nowhere", format: "raw" } }),
  }),
];

/** Known defects in reading the header of qcow2. */
export const qcow2HeaderKnown: readonly KnownImage[] = [
  ...shifts,
  ...lengths,
  ...extensions,
  ...names,
];
