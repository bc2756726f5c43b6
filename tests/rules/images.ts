/** The images of a row, built. */

import { applyEdits, describeEdit, type Edit, Places } from "../../fuzz/mutate/mod.ts";
import { type ByteSource, type Patch, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, patternBytes } from "../../src/format/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import { buildQcow1 } from "../../src/qcow1/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { Change, Model, RuleRow } from "./row.ts";

/** An image and the files beside it. */
export interface RowImage {
  readonly image: ByteSource;
  /** Bytes of it that are written; the rest is a hole. */
  readonly stored: number;
  readonly files: Readonly<Record<string, ByteSource | Uint8Array>>;
  /** What the image is opened as; probed where absent. */
  readonly format?: FormatName;
}

/** Tables as long as QEMU takes them. */
const LIMITS = { l1Bytes: 32 << 20 };
const REFCOUNT_BYTES = 2;
const SECTOR = 512;

/** The image of a row that breaks its rule. */
export function brokenImage(row: RuleRow): RowImage {
  return imageOf(row, row.base, row.breaks);
}

/** The image of a row that keeps its rule. */
export function keptImage(row: RuleRow): RowImage {
  return imageOf(row, row.kept ?? row.base, row.keeps);
}

function imageOf(row: RuleRow, model: Model, changes: readonly Change[]): RowImage {
  const { image, files, clusterSize } = built(model);
  const source = changed(image, changes, clusterSize);
  const sparse = changes.some(({ op }) => op === "lengthen");
  return {
    image: source,
    stored: sparse ? image.size : source.size,
    files: { ...files, ...row.files },
    ...(row.probed ? {} : { format: "qcow2" }),
  };
}

interface Built {
  readonly image: BuiltImage;
  readonly files: Readonly<Record<string, ByteSource>>;
  readonly clusterSize: number;
}

function built(model: Model): Built {
  switch (model.format) {
    case "raw": {
      const bytes = patternBytes(model.pattern, model.size);
      const segments = [{ offset: 0, bytes }];
      return { image: { segments, size: model.size, placed: [] }, files: {}, clusterSize: SECTOR };
    }
    case "qcow":
      return { image: buildQcow1(model), files: {}, clusterSize: 2 ** model.clusterBits };
    case "qcow2": {
      const normal = normaliseQcow2(model, LIMITS);
      const { image, dataFile } = buildQcow2(normal);
      const files = normal.dataFile === undefined || dataFile === undefined
        ? {}
        : { [normal.dataFile.name]: new SegmentSource(dataFile.segments, dataFile.size) };
      return { image, files, clusterSize: 2 ** normal.clusterBits };
    }
  }
}

/** A built image after changes: the edits first, in their order, and then the bytes. */
function changed(
  image: BuiltImage,
  changes: readonly Change[],
  clusterSize: number,
): ByteSource {
  const edits: Edit[] = [];
  const patches: Patch[] = [];
  let { size } = image;
  for (const change of changes) {
    switch (change.op) {
      case "bytes":
        patches.push({ offset: offsetIn(image, change.at) + change.skip, bytes: change.bytes });
        break;
      case "refcount":
        patches.push(refcountPatch(image, change, clusterSize));
        break;
      case "lengthen":
        ({ size } = change);
        break;
      case "end":
        edits.push({
          op: "set",
          path: change.path,
          value: BigInt(wholeClusters(size, clusterSize)) + change.delta,
        });
        break;
      case "cut":
        size = offsetIn(image, change.at) + change.delta;
        edits.push({ op: "resize", size });
        break;
      case "grow":
        size = wholeClusters(size, clusterSize) + change.clusters * clusterSize;
        edits.push({ op: "resize", size });
        break;
      case "resize":
        ({ size } = change);
        edits.push(change);
        break;
      default:
        assertApplies(image, change);
        edits.push(change);
    }
  }
  const edited = applyEdits(image, edits);
  return patches.length === 0 && edited.size === size
    ? edited
    : new PatchedSource(edited, patches, size);
}

function wholeClusters(size: number, clusterSize: number): number {
  return Math.ceil(size / clusterSize) * clusterSize;
}

function offsetIn(image: BuiltImage, path: string | undefined): number {
  if (path === undefined) return 0;
  const place = new Places(image.placed).place(path);
  if (place === undefined) throw new Error(`Cannot find ${path} in the image`);
  return place.offset;
}

/** An edit whose path is not there would do nothing, and the row would test nothing. */
function assertApplies(image: BuiltImage, edit: Edit): void {
  const places = new Places(image.placed);
  if ("path" in edit && (places.field(edit.path) ?? places.place(edit.path)) === undefined) {
    throw new Error(`Cannot find ${edit.path} in the image`);
  }
  if ("at" in edit) offsetIn(image, edit.at);
}

function refcountPatch(
  image: BuiltImage,
  change: Extract<Change, { op: "refcount" }>,
  clusterSize: number,
): Patch {
  const cluster = Math.floor(offsetIn(image, change.of) / clusterSize);
  const offset = offsetIn(image, "/refblock[0]") + cluster * REFCOUNT_BYTES;
  return { offset, bytes: Uint8Array.of(change.value >> 8, change.value) };
}

/** What a row is about, for the name of its test. */
export function aboutRow(row: RuleRow): string {
  return row.about ?? row.breaks.map(describe).join(", ");
}

function describe(change: Change): string {
  switch (change.op) {
    case "end":
      return `${change.path} := the end of the file+${change.delta}`;
    case "cut":
      return `the file ends at ${change.at}+${change.delta}`;
    case "grow":
      return `the file is ${change.clusters} clusters longer`;
    case "lengthen":
      return `the file is ${change.size} bytes long`;
    case "bytes":
      return `other bytes at ${change.at ?? "offset"}+${change.skip}`;
    case "refcount":
      return `the refcount of ${change.of} := ${change.value}`;
    default:
      return describeEdit(change);
  }
}
