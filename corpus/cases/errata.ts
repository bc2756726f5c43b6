/** Where documents and tools differ, and what readers get wrong, with the images that show it. */

/** A difference or a trap, and the images of the corpus or the golden images that show it. */
export interface Erratum {
  readonly says: string;
  readonly images?: readonly string[];
  /** Why no image shows it. */
  readonly because?: string;
}

const DOCUMENT = "it is about the text of a document alone";
const FOLDERS = "the files of a case are in one folder";
const REPAIR = "it is about a repair or a write, and a case is read";
const OPTION = "it depends on an option of the tool, or on several reads in one process";

/** From the documents of the formats. */
const documents: readonly Erratum[] = [
  {
    says: "AES in qcow2 has a key of 128 bits, the padded passphrase, not of 256",
    images: ["qcow2-aes", "pairs.qcow2-v3-4k-4-zlib-standard-aes"],
  },
  { says: "The text about the autoclear bits names another incompatible bit", because: DOCUMENT },
  { says: "header_length need not be a multiple of 8", images: ["known.qcow2-header-length-odd"] },
  {
    says: "The autoclear bit of bitmaps without their extension is accepted",
    images: ["qcow2.header.bitmaps-bit-without-ext-breaks"],
  },
  {
    says: "The flag of bitmaps with extra data is defined, and always rejected",
    images: ["qcow2.bitmap.flags-reserved-breaks", "qcow2.bitmap.no-extra-data-breaks"],
  },
  {
    says: "Empty bitmap names, padding, tail bits and repeated extensions are accepted",
    images: [
      "qcow2.bitmap.name-nonempty-breaks",
      "qcow2.bitmap.dir-padding-breaks",
      "qcow2.bitmap.tail-zero-breaks",
      "qcow2.ext.unique-breaks",
    ],
  },
  {
    says: "Two bitmaps of one name are rejected, but not if the second one is in use",
    images: ["qcow2.bitmap.name-unique-breaks", "qcow2.bitmap.name-unique-in-use-breaks"],
  },
  {
    says: "A raw data file beside a backing file is forbidden, and opens",
    images: ["qcow2.header.raw-without-backing-breaks"],
  },
  {
    says: "The raw bit without a data file passes info, and nothing else",
    images: ["qcow2.datafile.raw-needs-file-breaks"],
  },
  {
    says: "The raw bit does not make QEMU read the raw file",
    images: ["known.qcow2-data-file-raw-unallocated"],
  },
  {
    says: "Only check requires 16 bytes of extra data of a snapshot",
    images: ["qcow2.snap.extra-min-v3-breaks", "qcow2.check.snap-incomplete-breaks"],
  },
  {
    says: "Zero flags in version 2 are clean to check, and no read succeeds",
    images: ["qcow2.l2e.zero-v2-breaks", "known.qcow2-zero-flag-in-v2"],
  },
  {
    says: "Bits of a compressed entry above its offset are not checked",
    images: ["qcow2.comp.offset-bits-breaks", "known.qcow2-offset-with-descriptor-bit-58"],
  },
  {
    says: "Compressed entries with the copied flag or a bitmap read fine, and are corruptions",
    images: ["qcow2.comp.copied-breaks", "qcow2.comp.bitmap-zero-breaks"],
  },
  {
    says: "Bit 0 of an extended L2 entry is not checked",
    images: ["qcow2.l2e.reserved-3-breaks"],
  },
  {
    says: "check accepts entries of a data file at another offset than the guest's",
    images: ["qcow2.l2e.datafile-identity-breaks"],
  },
  {
    says: "With a data file, the zero flag with offset 0 is always a plain zero cluster",
    images: ["known.qcow2-data-file-zero-at-0"],
  },
  {
    says: "The window of 4 KiB of deflate is a rule for writers alone",
    images: ["known.qcow2-deflate-distance-of-32-kib"],
  },
  {
    says: "A deflate stream without its end is an error, although the cluster is complete",
    images: ["known.qcow2-deflate-unterminated"],
  },
  {
    says: "Several Zstandard frames are read, but no zeros between them",
    images: ["known.qcow2-zstd-two-frames", "known.qcow2-zstd-zeros-between-frames"],
  },
  {
    says: "Compressed clusters of encrypted images are stored in clear",
    images: ["pairs.qcow2-v3-4k-4-zlib-standard-aes", "pairs.qcow2-v3-4k-8-zstd-standard-luks"],
  },
  {
    says: "Snapshots beside a data file are hidden, and a corruption to check",
    images: ["qcow2.snap.with-datafile-breaks"],
  },
  {
    says: "Offsets of empty tables must be aligned",
    images: ["qcow2.snaptable.offset-breaks", "qcow2.l1.offset-breaks"],
  },
  {
    says: "The payload offset of LUKS inside qcow2 has no meaning, and is checked",
    images: ["known.qcow2-luks-payload-offset-7", "known.qcow2-luks-payload-offset-100000"],
  },
  { says: "The document about detached LUKS headers mixes up names", because: DOCUMENT },
  {
    says: "An encryption header without its method is rejected",
    images: ["qcow2.ext.crypto-method-breaks"],
  },
];

/** For those who write a reader. */
const traps: readonly Erratum[] = [
  {
    says: "The end of the file is no error",
    images: ["known.qcow2-header-without-tables", "truncated.qcow2-v2-header"],
  },
  {
    says: "Sizes are rounded down to 512 in qcow and qcow2, and up in LUKS",
    images: [
      "qcow2.header.size-512-breaks",
      "qcow1.header.size-512-breaks",
      "luks.size.512-breaks",
    ],
  },
  {
    says: "l1_size is compared with the size before rounding",
    images: ["qcow2.l1.covers-size-breaks"],
  },
  {
    says: "A size of 2^64 - 1 wraps, and 2^63 is too big",
    images: ["known.qcow2-size-2-to-64", "known.qcow2-size-2-to-63"],
  },
  {
    says: "The length of the end marker is checked",
    images: ["known.qcow2-extension-end-length"],
  },
  {
    says: "Extensions end before the backing file name, with or without an end marker",
    images: ["qcow2.ext.header-in-area-breaks", "qcow2.ext.end-required-breaks"],
  },
  {
    says: "The backing file name may be inside the header, or empty at its end",
    images: ["known.qcow2-backing-name-inside-header", "qcow2.header.backing-offset-keeps"],
  },
  {
    says: "backing_file_size has no meaning without an offset, and a NUL byte is no name",
    images: ["known.qcow2-backing-size-without-offset", "qcow2.backing.empty-2-breaks"],
  },
  {
    says: "Feature names may be of bits above 63, and fill their field",
    images: ["known.qcow2-feature-name-of-bit-84", "known.qcow2-feature-name-of-46-bytes"],
  },
  {
    says: "The compression type is checked before unknown features",
    images: ["known.qcow2-incompatible-bits-unknown-and-type"],
  },
  { says: "Names of data files and backing files have different folders", because: FOLDERS },
  {
    says: "The extension of a data file has no effect without its bit",
    images: ["qcow2.ext.data-file-any-breaks"],
  },
  {
    says: "An entry of the copied flag alone is unallocated, but data with a data file",
    images: ["known.qcow2-l2-entry-copied-only", "known.qcow2-data-file-entry-copied-only"],
  },
  {
    says: "Subclusters are valid or not for the whole entry",
    images: ["qcow2.l2e.subcluster-alloc-zero-breaks"],
  },
  {
    says: "A read of several clusters fails for an invalid one behind them",
    images: ["qcow2.l2e.subcluster-neighbour-breaks"],
  },
  {
    says: "Offsets that are not aligned are fatal for zero clusters, too",
    images: ["qcow2.check.prealloc-aligned-breaks"],
  },
  { says: "ESSIV hashes all of an XTS key", images: ["known.luks-xts-essiv"] },
  { says: "An XTS key of 48 bytes is AES-192", images: ["known.luks-xts-192"] },
  {
    says: "Sectors of key material are counted from 0 for each slot",
    images: ["known.luks-slot-1-beside-slot-0"],
  },
  { says: "The last chunk of the diffuser is shorter", images: ["known.luks-xts-512-sha1"] },
  {
    says: "Sectors are numbered in the payload, the disk or the file, depending on the format",
    images: ["luks-defaults", "qcow-aes", "qcow2-aes", "qcow2-luks-cluster-64k"],
  },
  {
    says: "A known hash is required after a colon, and names are in lower case",
    images: ["luks.cipher.ivhash-known-breaks", "luks.cipher.mode-known-2-breaks"],
  },
  {
    says: "All eight key slots are checked, disabled ones as well",
    images: ["luks.slot.stripes-breaks", "luks.slot.iterations-keeps"],
  },
  {
    says: "Texts of LUKS end at their first NUL byte",
    images: ["known.luks-mode-with-letters-after-nul"],
  },
  {
    says: "A snapshot is read with the size of the disk",
    images: ["qcow2-snapshots-grown-and-shrunk", "qcow2.snap.size-differs-breaks"],
  },
  {
    says: "L1 tables of snapshots are checked only when they are used",
    images: ["qcow2.snap.l1-valid-breaks"],
  },
  {
    says: "A snapshot table behind the end of the file has empty snapshots",
    images: ["known.qcow2-snapshots-behind-end"],
  },
  {
    says: "Reads stop at the end of a backing file, even if a deeper one is longer",
    images: ["known.qcow2-backing-middle-shorter", "qcow2-middle-shorter-than-base"],
  },
  {
    says: "A backing format has at most 15 bytes",
    images: ["qcow2.ext.backing-format-length-breaks"],
  },
  {
    says: "Fields of 32 bits must not overflow a shift",
    images: ["known.qcow2-cluster-bits-4294967295"],
  },
  {
    says: "Refcounts below a byte are packed from the lowest bit on",
    images: [
      "qcow2-v3-cluster-512-refcount-1-lazy-refcounts-zlib-zero-on-qcow2",
      "known.qcow2-refcount-one-bit-overflow",
    ],
  },
  {
    says: "Bytes after the header of version 2 are extensions, whatever they look like",
    images: ["known.qcow2-v2-with-v3-fields"],
  },
  {
    says: "PBKDF2 may have 2^32 - 1 iterations",
    images: [
      "known.luks-iterations-2-to-32-in-slot",
      "known.luks-iterations-2-to-32-of-master-key",
    ],
  },
];

/** Bugs and oddities of QEMU. */
const oddities: readonly Erratum[] = [
  { says: "A failed decompression of qcow spoils the cached cluster", because: OPTION },
  { says: "The cache of qcow knows a compressed cluster by its offset alone", because: OPTION },
  {
    says: "map of qcow is wrong inside a cluster that is not aligned",
    images: ["qcow1.l2e.cluster-aligned-breaks"],
  },
  {
    says: "map of qcow succeeds where reads fail",
    images: ["qcow1.l2e.sector-aligned-breaks", "qcow1.comp.inflate-breaks"],
  },
  {
    says: "check reads the header as an L2 table for an L1 entry without an offset",
    images: ["known.qcow2-l1-entry-copied-only"],
  },
  { says: "A repair keeps a reserved bit of the refcount table", because: REPAIR },
  {
    says: "An unaligned refcount block is as many errors as there are clusters",
    images: ["known.qcow2-refcount-block-unaligned"],
  },
  {
    says: "check keeps the dirty and the corrupt bit of an image without errors",
    images: ["qcow2.header.dirty-repair-breaks", "qcow2.header.corrupt-rw-breaks"],
  },
  {
    says: "check aborts on a bad table entry of a bitmap in use",
    images: ["qcow2.check.bitmap-table-breaks"],
  },
  {
    says: "A key of 24 bytes outside XTS is an assertion",
    images: ["luks.key.material-sector-multiple-breaks"],
  },
  { says: "An odd length of an XTS key passes info", images: ["luks.key.xts-even-2-breaks"] },
  {
    says: "The end of key material is computed modulo 2^32",
    images: ["known.luks-slot-end-wraps"],
  },
  {
    says: "LUKS without its extension crashes info of older versions",
    images: ["qcow2.crypt.luks-ext-present-breaks"],
  },
  { says: "A backing file that is the image itself", images: ["blk.backing.no-loop-breaks"] },
  { says: "Each write of the header reverses unknown extensions", because: REPAIR },
  { says: "map depends on the holes of a file", because: "cases are written without holes" },
  {
    says: "An encryption header of 2^64 - 1 bytes unlocks, and its clusters are leaks",
    images: ["known.qcow2-luks-header-length-2-to-64"],
  },
  { says: "A repair counts its first run twice", because: REPAIR },
  {
    says: "check reports a snapshot table at 2^63, and then aborts",
    images: ["qcow2.check.l2-io-2-breaks"],
  },
  { says: "The creation of LUKS fails on some clocks", because: REPAIR },
  {
    says: "Complaints about a short LUKS header are in another order since version 9",
    images: ["truncated.luks-header", "truncated.luks-key-slots"],
  },
  {
    says: "A shared cluster is an overflow with refcounts of one bit",
    images: ["known.qcow2-refcount-one-bit-overflow"],
  },
  {
    says: "The size of a VM state above 2^63 is printed as a negative number",
    images: ["known.qcow2-snapshot-vm-state-2-to-64"],
  },
  {
    says: "map prints an offset of a cluster whose subclusters are unallocated",
    images: ["known.qcow2-subclusters-unallocated-with-offset"],
  },
  {
    says: "A last data cluster of which one byte is in the file is no error",
    images: ["known.qcow2-data-ends-after-first-byte", "truncated.qcow2-last-data-cluster-before"],
  },
];

/** All of them. */
export const errata: readonly Erratum[] = [...documents, ...traps, ...oddities];
