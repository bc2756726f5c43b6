import type { Json } from "../../src/format/mod.ts";
import type { Qcow1Model } from "../../src/qcow1/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import type { ChainModel, ImageModel } from "../formats/mod.ts";

/**
 * What is special about a model: names that models share. A member of it with another value than the
 * simplest one is a trait by its path, text by its value too, a number without its value.
 */
export function modelTraits(kit: string, model: unknown): string[] {
  if (kit !== "chain") return [...namesIn(model, kit)];
  const [top, ...below] = model as ChainModel;
  if (top === undefined) return [];
  return [
    ...[top, ...below].flatMap(imageTraits),
    ...shortBacking(top, below[0]),
  ];
}

function shortBacking(top: ImageModel, below: ImageModel | undefined): string[] {
  if (below === undefined) return [];
  return BigInt(below.size) < BigInt(top.size) ? ["short-backing"] : [];
}

/** Members with values that make no difference to a reader, or that a feature names. */
const IGNORED: readonly string[] = [
  "format",
  "version",
  "extendedL2",
  "compression",
  "clusters.index",
  "clusters.level",
  "clusters.pattern",
  "clusters.aligned",
  "clusters.gap",
  "snapshots.clusters",
  "snapshots.pattern",
  "placement.seed",
  "dirty",
  "corrupt",
  "size",
  "seed",
  "uuid",
  "pattern",
  "backing",
  "dataFile.name",
  "encryption",
  "snapshots.id",
  "snapshots.name",
  "snapshots.size",
  "bitmaps.name",
  "luks.format",
  "luks.spec",
  "luks.uuid",
  "luks.size",
  "luks.pattern",
  "luks.keys.passphrase",
  "luks2.format",
  "luks2.uuid",
  "luks2.size",
  "luks2.pattern",
  "luks2.keys.passphrase",
];

/** Members of the simplest model. Those that are not here are false, zero, empty or absent. */
const USUAL: Readonly<Record<string, Json>> = {
  refcountOrder: 4,
  headerLength: 112,
  clusterBits: 9,
  l2Bits: 6,
};

/** Traits of the simplest images. */
const LEAST = "least-cluster-size";
const USUAL_TRAITS: readonly string[] = [
  "qcow2.v3",
  LEAST,
  "data-cluster",
  "luks",
  "luks2",
  "qcow",
];

/** Whether the simplest images have a trait. */
export function isUsualTrait(trait: string): boolean {
  return USUAL_TRAITS.includes(trait) ||
    /^luks2?[.](aes|iv[.]plain64|hash[.]sha256)/.test(trait);
}

/** What traits of qcow and qcow2 images mean. Features and rules have texts of their own. */
const MEANINGS: Readonly<Record<string, string>> = {
  "partial-last-cluster": "the virtual size is not a multiple of the cluster size",
  "partial-last-sector": "the virtual size is not a multiple of 512",
  "empty-disk": "the virtual size is 0",
  "short-backing": "the backing file is shorter than the image",
  "zero-flag": "clusters with the zero flag",
  l2Bits: "another number of entries in L2 tables than 2^6 (the field l2_bits)",
  mtime: "a modification time in the header (the field mtime)",
  padding: "a nonzero padding field in the header",
  headerLength: "another header length than 112 bytes",
  unknownCompatible: "compatible feature bits that the specification does not define",
  unknownAutoclear: "autoclear feature bits that the specification does not define",
  lazyRefcounts: "the lazy refcounts bit",
  refcountOrder: "another width of refcounts than 16 bits",
  created: "the implementation has made the image",
  killed: "the implementation is killed",
  "step.zero": "zeros are written without their bytes",
  "step.discard": "a range is discarded",
  "step.resize": "the size of the disk is changed",
  "step.snapshot": "a snapshot is made",
  "step.apply": "a snapshot is applied",
  "step.delete": "a snapshot is deleted",
  "step.read": "a range is read",
  "placement.holes": "unused space between tables and clusters",
  "placement.leaks": "leaked clusters",
  "placement.spareL1": "more L1 entries than the virtual size needs",
  "placement.spareReftable": "a refcount table with spare clusters",
  "placement.cutTail": "a file that ends within its last cluster",
  "placement.l1Skew": "an L1 table that is not at a multiple of 8",
  "placement.l2Skews": "L2 tables that are not at multiples of the cluster size",
  "placement.clusterSkews": "clusters that are not at multiples of the cluster size",
};

/** What a trait of a model means; nothing for what its name says. */
export function meaningOf(trait: string): string | undefined {
  return MEANINGS[trait];
}

/** An image fails as a backing file for the same reasons as at the top. */
function imageTraits(image: ImageModel): string[] {
  if (image.format === "raw") return [];
  const clusterSize = 2n ** BigInt(image.clusterBits);
  const size = BigInt(image.size);
  return [
    ...namesIn(
      image.format === "qcow2" && image.version === 2 ? { ...image, headerLength: 112 } : image,
      "",
    ),
    ...(size % clusterSize === 0n ? [] : ["partial-last-cluster"]),
    ...(size % 512n === 0n ? [] : ["partial-last-sector"]),
    ...(size === 0n ? ["empty-disk"] : []),
    ...(size >= 2n ** 32n ? ["disk-from-4-GiB"] : []),
    clusterTrait(image),
    ...image.clusters.flatMap(({ kind }) => kindTraits(kind)),
    ...snapshotClusters(image).flatMap(({ kind }) => kindTraits(kind)),
  ];
}

/** The cluster size; the least one is the usual one. */
function clusterTrait(image: Qcow1Model | Qcow2Model): string {
  const least = image.format === "qcow2" && image.extendedL2 ? 14 : 9;
  return image.clusterBits === least ? LEAST : `cluster-bits-${image.clusterBits}`;
}

function snapshotClusters(image: Qcow1Model | Qcow2Model): readonly { readonly kind: string }[] {
  return image.format === "qcow" ? [] : image.snapshots.flatMap(({ clusters }) => clusters);
}

/** Kinds of clusters; that of compressed ones is the name of a feature. */
function kindTraits(kind: string): string[] {
  if (kind === "subclusters") return [];
  if (kind.startsWith("zero")) return ["zero-flag"];
  return [kind === "compressed" ? kind : `${kind}-cluster`];
}

function* namesIn(value: unknown, path: string): Generator<string> {
  if (IGNORED.includes(path) || path.endsWith(".seed") || path === "clusterBits") return;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object") yield* namesIn(item, path);
    }
    if (value.length > 0 && path !== "clusters") yield path;
    return;
  }
  if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      yield* namesIn(member, path === "" ? name : `${path}.${name}`);
    }
    return;
  }
  if (value === USUAL[path] || value === 0 || value === 0n || value === false || value === "") {
    return;
  }
  if (path.startsWith("clusters.kind")) return;
  if (value !== undefined) yield typeof value === "string" ? `${path}=${value}` : path;
}

/** Names of findings are made of traits, so a trait is a part of such a name. */
export function slugOf(trait: string): string {
  return trait.replaceAll(/[^\w.-]+/g, "-");
}
