/**
 * The kit of backing chains of qcow, qcow2 and raw images, which are read as a whole.
 *
 * @module
 */

import * as fc from "fast-check";
import { extname } from "node:path";
import { formatOf } from "../../../src/formats.ts";
import { openFiles, probe } from "../../../src/image/mod.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import { normaliseQcow1, qcow1Format } from "../../../src/qcow1/mod.ts";
import { qcow2Format } from "../../../src/qcow2/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";
import type { ExpectedDisk } from "../../generate/mod.ts";
import type { Editable } from "../../mutate/mod.ts";
import { type Kit, NO_CHECKER, type ToolKit } from "../kit.ts";
import { describeQcow, FAR_SECTOR, qcowKeys, qcowKit } from "../qcow.ts";
import { brokenByQcow1 } from "../qcow1/broken.ts";
import { qcow1EntriesAt } from "../qcow1/entry_at.ts";
import { brokenByQcow2 } from "../qcow2/broken.ts";
import { qcow2EntriesAt } from "../qcow2/entry_at.ts";
import { chainClasses } from "./classes.ts";
import { expectedDisk } from "./disk.ts";
import { chainPassphrases, withOwnKeys } from "./keys.ts";
import {
  buildChain,
  type ChainModel,
  chainModels,
  type ImageModel,
  relinked,
  sourcesOf,
} from "./models.ts";
import { modestDisk } from "./modest.ts";
import { listedBitmaps, listedSnapshots } from "../qcow2/listed.ts";
import { qcow2Models } from "../qcow2/models.ts";
import { qcow2Slots } from "../qcow2/slots.ts";
import { chainTools } from "./tools.ts";

/** Large clusters and long tables cost time and find nothing that small ones do not. */
const SMALL = { clusterBitsMax: 16, limits: { l1Bytes: 4096 }, encryption: "some" } as const;
const CLUSTERS_MAX = 64;
const LEAKS_FOUND = 3;
/** Clusters of a file beyond which check gives up, with room for those behind a hole. */
const CHECKED_MAX = 2 ** 31 - 2 ** 24;
/** The cluster_bits from which on a first cluster has room for extensions that QEMU does not know. */
const ROOMY_BITS = 13;

/** The kit of chains. */
export const chains: Kit<ChainModel> & { readonly tools: ToolKit } = {
  ...qcowKit,
  format: qcow2Format,
  name: "",
  classes: chainClasses,
  weight: 2,
  models: (use) =>
    use === "differential"
      ? comparedChains()
      : chainModels({ encryption: "some", far: true, names: "sound", vast: true }),
  build: (chain) => {
    const built = buildChain(chain);
    const [top, ...others] = sourcesOf(built);
    const [image] = chain;
    return {
      image: built[0]?.built ?? { segments: [], size: 0, placed: [] },
      name: top?.[0] ?? "image-0.raw",
      others: others.map(([name, source]) => ({ name, source })),
      ...(image === undefined || image.format === "raw" ? {} : { unit: 2 ** image.clusterBits }),
    };
  },
  repair: (chain) => withOwnKeys(relinked(chain)),
  describe: (chain) => chain.map(describeImage).join("\n"),
  open: (files, options) => {
    // Images are called by their format: what an edit has left of one may look like another.
    const format = extname(files[0]?.name ?? "").slice(1);
    return openFiles(new Map(files.map(({ name, source }) => [name, source])), format, options);
  },
  keys: { ...qcowKeys, passphrases: chainPassphrases },
  formatOf: ([top]) => formatOf(top?.format ?? "raw"),
  entriesAt: (source, offset) =>
    (probe(source).name === "qcow" ? qcow1EntriesAt : qcow2EntriesAt)(source, offset),
  tools: chainTools,
  expected: {
    disk: (chain) => expectedDisk(chain),
    views: snapshotsOf,
    snapshots: ([top]) => top?.format === "qcow2" ? listedSnapshots(top) : [],
    bitmaps: ([top]) => top?.format === "qcow2" ? listedBitmaps(top) : [],
    check: ([top]) => {
      if (top?.format !== "qcow2") return NO_CHECKER;
      const { leaks, far } = top.placement;
      if ((far?.offset ?? 0) / 2 ** top.clusterBits >= CHECKED_MAX) return undefined;
      return { exitCode: leaks > 0 ? LEAKS_FOUND : 0, leaks };
    },
    broken: brokenByTop,
    opensInQemu: true,
  },
};

/** The kits of chains whose top image is changed, by the format of that image. */
export const changedChains: readonly Kit<ChainModel>[] = [
  {
    ...chains,
    models: () => writableChains("qcow2"),
    keys: { ...qcowKeys, passphrases: chainPassphrases, slots: qcow2Slots },
  },
  { ...chains, format: qcow1Format, name: qcow1Format.name, models: () => writableChains("qcow") },
];

function comparedChains(): fc.Arbitrary<ChainModel> {
  const clusters = fc.nat({ max: CLUSTERS_MAX });
  const usual = fc.tuple(chainModels({ ...SMALL, far: true, names: "any" }), fc.boolean(), clusters)
    .map(([chain, modest, clusters]) => withOwnKeys(modest ? chain : modestDisk(chain, clusters)));
  return fc.oneof({ weight: 23, arbitrary: usual }, { weight: 1, arbitrary: farSectors() });
}

/** The cluster_bits from which on a refcount table counts as far. */
const FAR_CLUSTER_BITS = 12;
/** The first part behind the tables and the header of LUKS, in QEMU's order. */
const FIRST_CONTENT = 4;

/**
 * Images whose LUKS sectors have numbers of more than 32 bits, or of 32 bits and more. Who encrypts
 * wrongly decrypts wrongly: only another implementation shows it.
 */
function farSectors(): fc.Arbitrary<ChainModel> {
  const images = qcow2Models({ ...SMALL, encryption: "all" })
    .filter(({ encryption }) => encryption?.kind === "luks");
  const bits = fc.nat(2);
  return fc.tuple(images, bits, fc.nat(3)).map(([image, bits, before]) => {
    const { backing: _, dataFile: __, ...alone } = image;
    const clusterBits = Math.max(FAR_CLUSTER_BITS, image.clusterBits);
    const offset = FAR_SECTOR * 2 ** bits - before * 2 ** clusterBits;
    const placement = { ...image.placement, seed: 0, far: { from: FIRST_CONTENT, offset } };
    return modestDisk([normaliseQcow2({ ...alone, clusterBits, placement }, SMALL.limits)], 3);
  });
}

/** Small disks that may be written to. */
function writableChains(format: "qcow" | "qcow2"): fc.Arbitrary<ChainModel> {
  // More than one refcount block counts, now and then.
  const clusters = fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: CLUSTERS_MAX }) },
    { weight: 1, arbitrary: fc.nat({ max: 10 * CLUSTERS_MAX }) },
  );
  const options = { ...SMALL, formats: [format] };
  // Opening an encrypted image takes longer than changing it a hundred times.
  const models = fc.oneof(
    { weight: 30, arbitrary: chainModels({ ...options, encryption: "none" }) },
    { weight: 2, arbitrary: chainModels(options) },
    ...(format === "qcow2"
      ? [lockedChains(), encryptedDataFiles()].map((arbitrary) => ({ weight: 1, arbitrary }))
      : []),
  );
  return fc.tuple(models, clusters).map(
    ([chain, clusters]) => {
      const [top, ...rest] = modestDisk(chain, clusters);
      return withOwnKeys(top === undefined ? [] : [writable(longer(top, clusters)), ...rest]);
    },
  );
}

/** Images with key slots. */
function lockedChains(): fc.Arbitrary<ChainModel> {
  return chainModels({ ...SMALL, formats: ["qcow2"], encryption: "all" })
    .filter(([top]) => top?.format === "qcow2" && top.encryption?.kind === "luks");
}

/** Encrypted images with a raw data file, which are rare otherwise. */
function encryptedDataFiles(): fc.Arbitrary<ChainModel> {
  const dataFile = { name: "d", raw: true };
  return qcow2Models({ ...SMALL, encryption: "all" })
    .map(({ backing: _, ...image }) => [normaliseQcow2({ ...image, version: 3, dataFile })]);
}

/** A qcow2 image of so many clusters, if that is many: one refcount block does not count as many. */
function longer(image: ImageModel, clusters: number): ImageModel {
  if (image.format !== "qcow2" || clusters <= CLUSTERS_MAX) return image;
  const size = BigInt(clusters) * (1n << BigInt(image.clusterBits));
  return image.size < size ? { ...image, size } : image;
}

/**
 * The image without what makes QEMU's writes go wrong, or what a model does not say all of:
 *
 * - An image that is marked as corrupt must not be written to.
 * - QEMU writes the names of all features into the first cluster, which has no room for much else if
 *   clusters are small.
 * - Of a snapshot of another size, the model says only what is seen with the size of the disk.
 * - QEMU puts a cluster of version 1 at the end of the file, and a table that starts there is overwritten
 *   (block/qcow.c, get_cluster_offset).
 * - QEMU reads a bitmap entry that stands for ones as ones past the end of the disk too. It writes them,
 *   and a disk that grows shows them (util/hbitmap.c, hbitmap_deserialize_ones).
 */
function writable(image: ImageModel): ImageModel {
  if (image.format === "raw") return image;
  if (image.format === "qcow") {
    return normaliseQcow1({ ...image, placement: { ...image.placement, cutTail: false } });
  }
  const size = Number(image.size);
  const bitmaps = image.bitmaps.map((bitmap) => ({
    ...bitmap,
    table: bitmap.table.map((kind) => kind === "ones" ? "data" : kind),
  }));
  const snapshots = image.snapshots.map((snapshot) => ({ ...snapshot, size }));
  const unknownExtensions = image.clusterBits < ROOMY_BITS ? [] : image.unknownExtensions;
  return normaliseQcow2({ ...image, corrupt: false, snapshots, bitmaps, unknownExtensions });
}

function describeImage(image: ImageModel): string {
  if (image.format !== "raw") return describeQcow(image);
  return `raw, ${image.size} bytes of ${image.pattern.kind}`;
}

function brokenByTop(
  [top, ...below]: ChainModel,
  image: Editable,
): ReadonlyMap<RuleId, boolean | undefined> {
  if (top === undefined || top.format === "raw") return new Map();
  const rules = top.format === "qcow" ? brokenByQcow1(top, image) : brokenByQcow2(top);
  const [next] = below;
  const isShort = next !== undefined && diskSize(next) < diskSize(top);
  return new Map([...rules, ["blk.backing.short", isShort]]);
}

function diskSize(image: ImageModel): number {
  return formatOf(image.format).writer.content(image).virtualSize;
}

function* snapshotsOf(chain: ChainModel): Iterable<[id: string, disk: ExpectedDisk]> {
  const [top] = chain;
  if (top?.format !== "qcow2") return;
  for (const [index, { id }] of top.snapshots.entries()) yield [id, expectedDisk(chain, index)];
}
