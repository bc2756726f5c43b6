import { roundUp } from "../../bytes/mod.ts";
import { LazyList, requestable } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
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
import { type Findings, type FoundRule, lengthToNul, must } from "../findings.ts";
import { bitmapHead, bitmapsExtension, limits } from "../structures.ts";
import {
  type BitmapAt,
  bitmapField,
  type BitmapImage,
  bitmapJudge,
  judgeBitmapTable,
} from "./bitmap_tables.ts";

/** The bitmap directory, if it is used and within QEMU's limits. */
export function readBitmaps(file: Qcow2File): BitmapDirectory | undefined {
  const fields = bitmapsFields(file);
  if (fields === undefined || fields.reserved !== 0) return undefined;
  const { nb_bitmaps: count, bitmap_directory_offset: offset, bitmap_directory_size: size } =
    fields;
  if (count === 0 || count > limits.bitmaps || size > limits.bitmapDirectory) return undefined;
  if (!requestable(offset, size)) return { fields, bitmaps: LazyList.of<Bitmap>([]) };
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
  const judge = judgeOf(bitmapsExtension, fields, {
    context: { "bitmap directory": Number(fields.bitmap_directory_size) },
    place: () => place,
    findings,
  });
  if (!judge("qcow2.bitmap.dir-size-nonzero") || !judge("qcow2.bitmap.dir-readable")) return;
  judgeCounts(directory, place, findings);
  const names = new Set<string>();
  for (const [index, bitmap] of bitmaps.take(fields.nb_bitmaps).entries()) {
    if (!bitmap.fits) break;
    const judge = bitmapJudge({ bitmap, index }, image, findings);
    judgeEntry({ bitmap, index, judge }, image, findings);
    judgeName({ bitmap, index, judge, names }, findings);
    judgeBitmapTable(file, { bitmap, index, image }, findings);
  }
  judgeRewriting(directory, place, findings);
}

/**
 * An open for writing marks the bitmaps that it loads as in use, and writes the directory again with the
 * names as it has read them.
 */
function judgeRewriting(
  { bitmaps }: BitmapDirectory,
  place: Place,
  findings: Findings,
): void {
  if (bitmaps.findIndex(({ flags }) => (flags & bitmapFlags.inUse) === 0) < 0) return;
  const length = bitmaps.values().reduce((sum, bitmap) => {
    const name = lengthToNul(bitmap.name);
    return sum + roundUp(bitmapHead.size + bitmap.extra_data_size + name, BITMAP_ALIGNMENT);
  }, 0);
  const whole = bitmaps.values().reduce((sum, bitmap) => sum + bitmap.length, 0);
  must(length === whole, findings, {
    rule: "qcow2.bitmap.name-rewritten",
    place,
    message: () => `With its names cut at NUL, the bitmap directory is ${length} bytes long`,
  });
}

function judgeCounts({ fields, bitmaps }: BitmapDirectory, place: Place, findings: Findings): void {
  const broken = bitmaps.at(bitmaps.findIndex((bitmap) => !bitmap.fits));
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

/** A bitmap, and the judge of the constraints in the description of its entry. */
type Judged = BitmapAt & { readonly judge: (...rules: FoundRule[]) => boolean };

/** The checks of check_dir_entry, and a few that QEMU does not make. */
function judgeEntry(entry: Judged, image: BitmapImage, findings: Findings): void {
  const { bitmap, index, judge } = entry;
  const inUse = (bitmap.flags & bitmapFlags.inUse) !== 0;
  judge(
    "qcow2.bitmap.no-extra-data",
    "qcow2.bitmap.table-size-nonzero",
    "qcow2.bitmap.table-offset-nonzero",
    "qcow2.bitmap.table-aligned",
    "qcow2.bitmap.table-size-max",
    "qcow2.bitmap.phys-max",
  );
  const bits = bitmap.bitmap_table_size * image.geometry.clusterSize * 8;
  const covered = bits * 2 ** bitmap.granularity_bits;
  must(inUse || image.size <= covered, findings, {
    rule: "qcow2.bitmap.covers-disk",
    place: bitmapField(entry, "bitmap_table_size"),
    message: () => `Bitmap ${index} covers ${covered} bytes of a disk of ${image.size}`,
  });
  judge(
    "qcow2.bitmap.granularity-max",
    "qcow2.bitmap.granularity-min",
    "qcow2.bitmap.granularity-valid",
    "qcow2.bitmap.flags-reserved",
    "qcow2.bitmap.flags-defined",
    "qcow2.bitmap.type",
  );
  must(!inUse, findings, {
    rule: "qcow2.bitmap.in-use",
    place: bitmapField(entry, "flags"),
    message: () => `Bitmap ${index} is in use: its content was not saved`,
  });
}

function judgeName(entry: Judged & { names: Set<string> }, findings: Findings): void {
  const { bitmap, index, names, judge } = entry;
  const place = bitmapField(entry, "name_size");
  judge("qcow2.bitmap.name-max", "qcow2.bitmap.name-nonempty");
  must(bitmap.padding.every((byte) => byte === 0), findings, {
    rule: "qcow2.bitmap.dir-padding",
    place: { path: `/bitmap[${index}]`, offset: bitmap.offset },
    message: () => `The padding after the name of bitmap ${index} is not zero`,
  });
  const length = lengthToNul(bitmap.name);
  must(length === bitmap.name_size, findings, {
    rule: "blk.name.nul",
    place,
    message: () => `The name of bitmap ${index} contains a NUL byte and ends there`,
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
