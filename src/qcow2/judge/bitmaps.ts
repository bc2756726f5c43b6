import type { Place } from "../../rules/mod.ts";
import {
  type Bitmap,
  BITMAP_ALIGNMENT,
  type BitmapDirectory,
  bitmapFlags,
  bitmapsFields,
  decodeBitmaps,
} from "../bitmaps.ts";
import type { Qcow2File } from "../decode.ts";
import { roundUp } from "../geometry.ts";
import { type Findings, hex, lengthToNul, must, requestable } from "../findings.ts";
import { bitmapHead } from "../structures.ts";
import {
  type BitmapAt,
  bitmapField,
  type BitmapImage,
  judgeBitmapTable,
  MAX_BITMAP_BYTES,
} from "./bitmap_tables.ts";

/** QEMU's limits; each is a `limit` rule of the catalogue. */
const MAX_BITMAPS = 65535;
const MAX_DIRECTORY_BYTES = 1024 * 65535;
const MAX_TABLE_ENTRIES = 0x8000000;
const MAX_NAME = 1023;

/** The bitmap directory where it is used and within QEMU's limits. */
export function readBitmaps(file: Qcow2File): BitmapDirectory | undefined {
  const fields = bitmapsFields(file);
  if (fields === undefined || fields.reserved !== 0) return undefined;
  const { nb_bitmaps: count, bitmap_directory_offset: offset, bitmap_directory_size: size } =
    fields;
  if (count === 0 || count > MAX_BITMAPS || size > MAX_DIRECTORY_BYTES) return undefined;
  if (!requestable(offset, size)) return { fields, bitmaps: [] };
  return decodeBitmaps(file, fields, count + 1);
}

/** Judges the bitmap directory, the tables and the data that an open reads (bitmap_list_load). */
export function judgeBitmaps(
  file: Qcow2File,
  image: BitmapImage & { directory: BitmapDirectory | undefined },
  findings: Findings,
): void {
  const { directory } = image;
  if (directory === undefined) return;
  const { fields, bitmaps } = directory;
  const place = { path: "/bitmaps", offset: fields.bitmap_directory_offset };
  const sized = must(fields.bitmap_directory_size !== 0n, findings, {
    rule: "qcow2.bitmap.dir-size-nonzero",
    place,
    message: () => "The bitmap directory is empty",
  });
  if (!sized) return;
  const readable = must(
    requestable(fields.bitmap_directory_offset, fields.bitmap_directory_size),
    findings,
    {
      rule: "qcow2.bitmap.dir-readable",
      place,
      message: () => `The bitmap directory lies at ${hex(fields.bitmap_directory_offset)}`,
    },
  );
  if (!readable) return;
  judgeCounts(directory, place, findings);
  const names = new Set<string>();
  for (const [index, bitmap] of bitmaps.slice(0, fields.nb_bitmaps).entries()) {
    if (!bitmap.fits) break;
    judgeEntry({ bitmap, index }, image, findings);
    judgeName({ bitmap, index, names }, findings);
    judgeBitmapTable(file, { bitmap, index, image }, findings);
  }
  judgeRewriting(directory, place, findings);
}

/**
 * An open for writing marks the bitmaps that it loads as in use, and writes the directory anew with the
 * names as it has read them.
 */
function judgeRewriting(
  { bitmaps }: BitmapDirectory,
  place: Place,
  findings: Findings,
): void {
  if (bitmaps.every(({ flags }) => (flags & bitmapFlags.inUse) !== 0)) return;
  const length = bitmaps.reduce((sum, bitmap) => {
    const name = lengthToNul(bitmap.name);
    return sum + roundUp(bitmapHead.size + bitmap.extra_data_size + name, BITMAP_ALIGNMENT);
  }, 0);
  const whole = bitmaps.reduce((sum, bitmap) => sum + bitmap.length, 0);
  must(length === whole, findings, {
    rule: "qcow2.bitmap.name-rewritten",
    place,
    message: () => `With its names cut at NUL, the bitmap directory is ${length} bytes long`,
  });
}

function judgeCounts({ fields, bitmaps }: BitmapDirectory, place: Place, findings: Findings): void {
  const broken = bitmaps.find((bitmap) => !bitmap.fits);
  const whole = must(broken === undefined, findings, {
    rule: "qcow2.bitmap.dir-entry-fits",
    place: { path: `/bitmap[${bitmaps.length - 1}]`, ...placeOf(broken) },
    message: () => "A bitmap directory entry runs past the end of the directory",
  });
  must(bitmaps.length <= fields.nb_bitmaps, findings, {
    rule: "qcow2.bitmap.count-not-more",
    place,
    message: () => `The directory has more entries than nb_bitmaps, ${fields.nb_bitmaps}`,
  });
  must(!whole || bitmaps.length >= fields.nb_bitmaps, findings, {
    rule: "qcow2.bitmap.count-not-less",
    place,
    message: () =>
      `The directory has ${bitmaps.length} entries; nb_bitmaps is ${fields.nb_bitmaps}`,
  });
}

function placeOf(bitmap: Bitmap | undefined): { offset?: number } {
  return bitmap === undefined ? {} : { offset: bitmap.offset };
}

/** The checks of check_dir_entry, and the few that QEMU leaves out. */
function judgeEntry(entry: BitmapAt, image: BitmapImage, findings: Findings): void {
  const { bitmap, index } = entry;
  must(bitmap.extra_data_size === 0, findings, {
    rule: "qcow2.bitmap.no-extra-data",
    place: bitmapField(entry, "extra_data_size"),
    message: () => `Bitmap ${index} has ${bitmap.extra_data_size} bytes of extra data`,
  });
  judgeTablePlace(entry, image, findings);
  const bits = bitmap.granularity_bits;
  const granularity = bitmapField(entry, "granularity_bits");
  must(bits <= 31, findings, {
    rule: "qcow2.bitmap.granularity-max",
    place: granularity,
    message: () => `granularity_bits of bitmap ${index} is ${bits}, more than QEMU's limit of 31`,
  });
  must(bits >= 9, findings, {
    rule: "qcow2.bitmap.granularity-min",
    place: granularity,
    message: () => `granularity_bits of bitmap ${index} is ${bits}, less than QEMU's limit of 9`,
  });
  must(bits <= 63, findings, {
    rule: "qcow2.bitmap.granularity-valid",
    place: granularity,
    message: () => `granularity_bits of bitmap ${index} is ${bits}, more than 63`,
  });
  const { inUse, auto, extraDataCompatible } = bitmapFlags;
  must((bitmap.flags & ~(inUse | auto)) === 0, findings, {
    rule: "qcow2.bitmap.flags-reserved",
    place: bitmapField(entry, "flags"),
    message: () =>
      `Bitmap ${index} has the flags ${hex(bitmap.flags)}; QEMU takes only bits 0 and 1`,
  });
  must((bitmap.flags & ~(inUse | auto | extraDataCompatible)) === 0, findings, {
    rule: "qcow2.bitmap.flags-defined",
    place: bitmapField(entry, "flags"),
    message: () => `Bitmap ${index} has the flags ${hex(bitmap.flags)}; bits 3 to 31 are reserved`,
  });
  must(bitmap.type === 1, findings, {
    rule: "qcow2.bitmap.type",
    place: bitmapField(entry, "type"),
    message: () => `Bitmap ${index} has the type ${bitmap.type}`,
  });
  must((bitmap.flags & inUse) === 0, findings, {
    rule: "qcow2.bitmap.in-use",
    place: bitmapField(entry, "flags"),
    message: () => `Bitmap ${index} is in use: its content was not saved`,
  });
}

function judgeTablePlace(entry: BitmapAt, image: BitmapImage, findings: Findings): void {
  const { bitmap, index } = entry;
  const { clusterSize } = image.geometry;
  const entries = bitmap.bitmap_table_size;
  must(entries !== 0, findings, {
    rule: "qcow2.bitmap.table-size-nonzero",
    place: bitmapField(entry, "bitmap_table_size"),
    message: () => `The table of bitmap ${index} is empty`,
  });
  must(bitmap.bitmap_table_offset !== 0n, findings, {
    rule: "qcow2.bitmap.table-offset-nonzero",
    place: bitmapField(entry, "bitmap_table_offset"),
    message: () => `The table of bitmap ${index} lies at offset 0`,
  });
  must(bitmap.bitmap_table_offset % BigInt(clusterSize) === 0n, findings, {
    rule: "qcow2.bitmap.table-aligned",
    place: bitmapField(entry, "bitmap_table_offset"),
    message: () =>
      `The table of bitmap ${index} lies at ${hex(bitmap.bitmap_table_offset)}, unaligned`,
  });
  must(entries <= MAX_TABLE_ENTRIES, findings, {
    rule: "qcow2.bitmap.table-size-max",
    place: bitmapField(entry, "bitmap_table_size"),
    message: () => `The table of bitmap ${index} has ${entries} entries, more than QEMU's limit`,
  });
  must(entries * clusterSize <= MAX_BITMAP_BYTES, findings, {
    rule: "qcow2.bitmap.phys-max",
    place: bitmapField(entry, "bitmap_table_size"),
    message: () => `Bitmap ${index} takes ${entries} clusters, more than QEMU's limit of 512 MiB`,
  });
  const covered = entries * clusterSize * 8 * 2 ** bitmap.granularity_bits;
  must((bitmap.flags & bitmapFlags.inUse) !== 0 || image.size <= covered, findings, {
    rule: "qcow2.bitmap.covers-disk",
    place: bitmapField(entry, "bitmap_table_size"),
    message: () => `Bitmap ${index} covers ${covered} bytes of a disk of ${image.size}`,
  });
}

function judgeName(entry: BitmapAt & { names: Set<string> }, findings: Findings): void {
  const { bitmap, index, names } = entry;
  const place = bitmapField(entry, "name_size");
  must(bitmap.name_size <= MAX_NAME, findings, {
    rule: "qcow2.bitmap.name-max",
    place,
    message: () => `The name of bitmap ${index} is ${bitmap.name_size} bytes long, more than 1023`,
  });
  must(bitmap.name_size >= 1, findings, {
    rule: "qcow2.bitmap.name-nonempty",
    place,
    message: () => `The name of bitmap ${index} is empty`,
  });
  must(bitmap.padding.every((byte) => byte === 0), findings, {
    rule: "qcow2.bitmap.dir-padding",
    place: { path: `/bitmap[${index}]`, offset: bitmap.offset },
    message: () => `The padding behind the name of bitmap ${index} is not zero`,
  });
  const length = lengthToNul(bitmap.name);
  must(length === bitmap.name_size, findings, {
    rule: "blk.name.nul",
    place,
    message: () => `The name of bitmap ${index} holds a NUL byte and ends there`,
  });
  const name = bitmap.name.subarray(0, length).join();
  // QEMU skips a later bitmap of the same name that is in use, though the format forbids it too.
  const skipped = (bitmap.flags & bitmapFlags.inUse) !== 0;
  must(!names.has(name), findings, {
    rule: skipped ? "qcow2.bitmap.name-unique-in-use" : "qcow2.bitmap.name-unique",
    place,
    message: () => `Bitmap ${index} has the name of an earlier one`,
  });
  names.add(name);
}
