/** Images of files that end inside each kind of structure. */

import type { Files, Model, SingleImage } from "../case.ts";
import { cut } from "../edit.ts";
import { modelOf as luks1 } from "../luks1/models.ts";
import { modelOf as luks2 } from "../luks2/models.ts";
import { filledCluster } from "../known/parts.ts";
import { modelOf as qcow1 } from "../qcow1/models.ts";
import { bitmap, compressed, filled, small, snapshot } from "../qcow2/models.ts";

/** A file, and the structures in which it ends: each with its path and the number of bytes left. */
interface Truncation {
  readonly format: string;
  readonly base: Model;
  readonly files?: Files;
  readonly ends: readonly (readonly [structure: string, path: string, bytes: number])[];
}

const SIZE = 65536;

const clusters = [filledCluster(0), compressed(1), filledCluster(2)];
const files = { base: filled(SIZE) };

const TRUNCATIONS: readonly Truncation[] = [
  {
    format: "qcow2",
    base: small({ clusters, featureTable: true }),
    ends: [
      ["magic", "/header", 3],
      ["header", "/header", 71],
      ["header-v3", "/header", 103],
      ["header-tail", "/header", 108],
      ["feature-names", "/feature[0]", 20],
      ["refcount-table", "/reftable", 4],
      ["refcount-block", "/refblock[0]", 9],
      ["l1-table", "/l1", 4],
      ["l2-table-before", "/l2[0]", 0],
      ["l2-table", "/l2[0]", 12],
      ["data-cluster-before", "/data[0]", 0],
      ["data-cluster", "/data[0]", 2048],
      ["compressed-cluster", "/compressed[1]", 20],
      ["last-data-cluster-before", "/data[2]", 0],
      ["last-data-cluster", "/data[2]", 1000],
    ],
  },
  {
    format: "qcow2-v2",
    base: small({ version: 2, headerLength: 72, clusters }),
    ends: [["header", "/header", 71], ["header-before-end", "/header", 72]],
  },
  {
    format: "qcow2",
    base: small({ clusters, backing: { name: "base", format: "raw" } }),
    files,
    ends: [
      ["extension-header", "/extension[0]", 4],
      ["extension-data", "/extension[0]/data", 1],
      ["backing-name", "/backing_name", 2],
    ],
  },
  {
    format: "qcow2",
    base: small({ snapshots: [snapshot(1, SIZE, { clusters: [filledCluster(0, 9)] })], clusters }),
    ends: [
      ["snapshot-l1-table", "/snapshot[0]/l1", 4],
      ["snapshot-table", "/snapshots", 20],
      ["snapshot-extra-data", "/snapshot[0]/extra", 8],
      ["snapshot-name", "/snapshot[0]/name", 1],
    ],
  },
  {
    format: "qcow2",
    base: small({ bitmaps: [bitmap("one")], clusters }),
    ends: [
      ["bitmaps-extension", "/bitmaps", 12],
      ["bitmap-data", "/bitmap[0]/data[0]", 100],
      ["bitmap-table", "/bitmap[0]/table", 4],
      ["bitmap-directory", "/bitmap_directory", 12],
      ["bitmap-name", "/bitmap[0]/name", 1],
    ],
  },
  {
    format: "qcow1",
    base: qcow1({ backing: { name: "base" } }),
    files,
    ends: [
      ["magic", "/header", 3],
      ["header", "/header", 47],
      ["backing-name", "/backing_file_name", 2],
      ["l1-table", "/l1", 4],
      ["l2-table", "/l2[0]", 12],
      ["data-cluster", "/data[0]", 2048],
      ["compressed-cluster", "/data[1]", 10],
    ],
  },
  {
    format: "luks",
    base: luks1({ material: "sparse", size: 1024 }),
    ends: [
      ["magic", "/header", 5],
      ["header", "/header", 200],
      ["key-slots", "/key_slots", 100],
      ["key-material", "/key_material[0]", 1000],
      ["key-material-of-other-slot", "/key_material[2]", 1000],
      ["payload", "/payload", 700],
      ["payload-before", "/payload", 0],
    ],
  },
  {
    format: "luks2",
    base: luks2({ size: 1024 }),
    ends: [
      ["magic", "/primary", 5],
      ["header", "/primary", 500],
      ["json", "/primary/json", 1000],
      ["secondary-header", "/secondary", 500],
      ["secondary-json", "/secondary/json", 1000],
      ["key-material", "/key_material[0]", 1000],
      ["key-material-of-other-slot", "/key_material[3]", 1000],
      ["payload", "/payload", 512],
    ],
  },
];

/** The classes of places in which a file can end. */
export const truncationClasses: readonly string[] = TRUNCATIONS.flatMap(({ format, ends }) =>
  ends.map(([structure]) => nameOf(format, structure))
);

/** An image for each of these classes. */
export const truncatedImages: readonly SingleImage[] = TRUNCATIONS.flatMap(
  ({ format, base, files, ends }) =>
    ends.map(([structure, path, bytes]): SingleImage => ({
      name: nameOf(format, structure),
      shows: `the file ends ${bytes} bytes after the start of ${path}`,
      base,
      ...files === undefined ? {} : { files },
      edits: [cut(path, bytes)],
    })),
);

function nameOf(format: string, structure: string): string {
  return `truncated.${format}-${structure}`;
}
