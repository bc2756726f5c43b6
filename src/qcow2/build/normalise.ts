import { clamp, roundDown } from "../../bytes/mod.ts";
import { soundHole } from "../../format/mod.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import type { Placement, Qcow2Model } from "../model.ts";
import { features, l1Entry, limits as formatLimits } from "../structures.ts";
import { normaliseBitmaps } from "./normalise_bitmaps.ts";
import { normaliseClusters } from "./normalise_clusters.ts";
import { normaliseEncryption } from "./normalise_encryption.ts";
import { normaliseFirstCluster } from "./normalise_header.ts";
import { normaliseSnapshots } from "./normalise_snapshots.ts";
import { l1EntriesOf, sizeMaxOf, virtualSizeOf, wrapSize } from "./sizes.ts";

/** Limits on sizes. */
export interface NormaliseLimits {
  /** The largest L1 table in bytes; 1 MiB by default, and at most QEMU's limit of 32 MiB. */
  readonly l1Bytes?: number;
}

const L1_BYTES_DEFAULT = 1 << 20;
const REFCOUNT_ORDER_V2 = 4;
/** File systems support files of at most 16 TiB, and a data file is as long as the disk. */
const DATA_FILE_MAX = 2n ** 43n;

const HOLES_MAX = 256;
const HOLE_MAX = 4096;
const LEAKS_MAX = 64;
const SPARE_L1_MAX = 1 << 16;
const SPARE_REFTABLE_MAX = 16;

/**
 * Turns any value of the type into a model that can be built. Parts that conflict are changed as
 * little as possible, and dropped only if nothing similar is possible. Total, and idempotent for
 * the same limits.
 *
 * @example
 * ```ts
 * import type { Qcow2Model } from "../model.ts";
 *
 * function asVersion2(model: Qcow2Model): Qcow2Model {
 *   return normaliseQcow2({ ...model, version: 2 }); // refcounts of 16 bits, no zero clusters …
 * }
 * ```
 */
export function normaliseQcow2(model: Qcow2Model, limits: NormaliseLimits = {}): Qcow2Model {
  const basics = normaliseBasics(model);
  const geometry = geometryOf(basics);
  const external = basics.version === 3 && model.dataFile !== undefined;
  const { l1Entries, sizeMax } = sizeLimits(limits, { geometry, external });
  const size = wrapSize(model.size, sizeMax);
  const virtualSize = virtualSizeOf(size);
  const bitmaps = basics.version === 3
    ? normaliseBitmaps(model.bitmaps, virtualSize, geometry)
    : [];
  const first = normaliseFirstCluster({ ...model, ...basics, bitmaps });
  const { dataFile, backing, ...firstCluster } = first;
  const encryption = normaliseEncryption(model);
  const count = Math.ceil(virtualSize / geometry.clusterSize);
  const rules = { ...basics, ...(dataFile === undefined ? {} : { dataFile }) };
  const clusters = normaliseClusters(model.clusters, rules, count);
  const snapshots = normaliseSnapshots(
    model.snapshots,
    { ...rules, size, clusters, count, sizeMax },
    geometry,
  );
  return {
    format: "qcow2",
    ...basics,
    ...firstCluster,
    size,
    clusters,
    snapshots,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(encryption === undefined ? {} : { encryption }),
    placement: normalisePlacement(model.placement, {
      spareL1: l1Entries - l1EntriesOf(size, geometry),
      spareReftable: formatLimits.refcountTable / geometry.clusterSize - 1,
      offset: addressable({ ...model, clusters, snapshots }, geometry),
    }, geometry),
  };
}

/** The largest number of entries of an L1 table, and the largest virtual size. */
function sizeLimits(
  limits: NormaliseLimits,
  { geometry, external }: { geometry: Geometry; external: boolean },
): { l1Entries: number; sizeMax: bigint } {
  const l1Bytes = clamp(limits.l1Bytes ?? L1_BYTES_DEFAULT, l1Entry.size, Number.MAX_SAFE_INTEGER);
  const l1Entries = Math.floor(Math.min(formatLimits.l1Table, l1Bytes) / l1Entry.size);
  const diskMax = sizeMaxOf(l1Entries, geometry);
  const sizeMax = external && diskMax > DATA_FILE_MAX ? DATA_FILE_MAX : diskMax;
  return { l1Entries, sizeMax };
}

type Basics = Pick<
  Qcow2Model,
  | "version"
  | "clusterBits"
  | "refcountOrder"
  | "extendedL2"
  | "compression"
  | "dirty"
  | "corrupt"
  | "lazyRefcounts"
  | "unknownCompatible"
  | "unknownAutoclear"
>;

/**
 * The version, the geometry and the features. Features that version 2 lacks are off in version 2.
 */
function normaliseBasics(model: Qcow2Model): Basics {
  const v3 = model.version === 3;
  const extendedL2 = v3 && model.extendedL2;
  const bitsMin = extendedL2 ? formatLimits.extendedClusterBits : formatLimits.clusterBits.min;
  return {
    version: v3 ? 3 : 2,
    clusterBits: clamp(model.clusterBits, bitsMin, formatLimits.clusterBits.max),
    refcountOrder: v3
      ? clamp(model.refcountOrder, 0, formatLimits.refcountOrder)
      : REFCOUNT_ORDER_V2,
    extendedL2,
    compression: v3 ? model.compression : "deflate",
    dirty: v3 && model.dirty,
    corrupt: v3 && model.corrupt,
    lazyRefcounts: v3 && model.lazyRefcounts,
    unknownCompatible: v3 ? model.unknownCompatible & features.unknownCompatible : 0n,
    unknownAutoclear: v3 ? model.unknownAutoclear & features.unknownAutoclear : 0n,
  };
}

/** From here on, an offset in a number is exact only if it is aligned. */
const EXACT_MAX = 2 ** 53;

/** The first offset that an entry of the image cannot name. */
function addressable(
  { clusters, snapshots, bitmaps, encryption }: Pick<
    Qcow2Model,
    "clusters" | "snapshots" | "bitmaps" | "encryption"
  >,
  { compressedShift }: Geometry,
): number {
  const compressed = [...clusters, ...snapshots.flatMap((it) => it.clusters)]
    .some(({ kind }) => kind === "compressed");
  if (compressed) return Math.min(EXACT_MAX, 2 ** compressedShift);
  const unaligned = snapshots.length + bitmaps.length > 0 || encryption?.kind === "luks";
  return unaligned ? EXACT_MAX : formatLimits.offsetEnd;
}

/** Bytes for all parts behind a far hole; three times as many if some are alike. */
const FAR_ROOM = 2 ** 33;

/** The farthest offset of a part that leaves room for all others, in the refcount table too. */
function farthest(
  { holes, spareReftable, far }: Pick<Placement, "holes" | "spareReftable" | "far">,
  { clusterSize, tableEntries, refblockEntries }: Geometry,
  addressable: number,
): number {
  const tableClusters = formatLimits.refcountTable / clusterSize - spareReftable;
  const counted = tableClusters * tableEntries * refblockEntries * clusterSize;
  const skipped = holes.reduce((sum, hole) => sum + hole, 0) * clusterSize;
  return Math.min(counted, addressable) - skipped - (far?.alike === true ? 3 : 1) * FAR_ROOM;
}

function normalisePlacement(
  model: Placement,
  most: { spareL1: number; spareReftable: number; offset: number },
  geometry: Geometry,
): Placement {
  const { seed, holes, leaks, spareL1, spareReftable, cutTail, far } = model;
  const placement = {
    seed: seed >>> 0,
    holes: holes.slice(0, HOLES_MAX).map((hole) => clamp(hole, 0, HOLE_MAX)),
    leaks: clamp(leaks, 0, LEAKS_MAX),
    spareL1: clamp(spareL1, 0, Math.min(SPARE_L1_MAX, most.spareL1)),
    spareReftable: clamp(spareReftable, 0, Math.min(SPARE_REFTABLE_MAX, most.spareReftable)),
    cutTail,
  };
  if (far === undefined) return placement;
  const offset = Math.min(far.offset, farthest({ ...placement, far }, geometry, most.offset));
  if (!(offset >= geometry.clusterSize)) return placement;
  return { ...placement, far: soundHole(far, roundDown(offset, geometry.clusterSize)) };
}
