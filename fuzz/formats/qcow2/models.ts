import * as fc from "fast-check";
import {
  type GuestCluster,
  limits as qcow2Limits,
  type Qcow2Model,
  type SnapshotModel,
} from "../../../src/qcow2/mod.ts";
import { type NormaliseLimits, normaliseQcow2, plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import {
  compressedPattern,
  type EncryptionOptions,
  FAR_SHARE,
  fileNames,
  holeDrawOf,
  holeOf,
  longPath,
  mostly,
  shortPath,
  sometimes,
  word64,
} from "../../generate/mod.ts";
import { guestClusters } from "./clusters.ts";
import { encryptions } from "./encryption.ts";
import {
  bitmapModels,
  type FarDraw,
  farDraws,
  placements,
  type SnapshotDraw,
  snapshotDraws,
} from "./parts.ts";

/** Bounds of {@link qcow2Models}. */
export interface Qcow2ModelOptions extends EncryptionOptions {
  /** Largest cluster_bits; by default the largest there is, of which the large ones are rare. */
  readonly clusterBitsMax?: number;
  /** Names of backing files; by default of files in the image's directory. */
  readonly backingNames?: fc.Arbitrary<string>;
  readonly limits?: NormaliseLimits;
  /** Whether some files have a hole that reaches far; they are for readers of memory alone. */
  readonly far?: boolean;
}

/**
 * Features that are on or off in a whole model, so that what needs a feature to be absent is met as
 * often as what needs it. Each shrinks to off, except for version 3, which is the usual one.
 */
const SWITCHES = [
  "v3",
  "extendedL2",
  "zstd",
  "longHeader",
  "flags",
  "extensions",
  "backing",
  "dataFile",
  "snapshots",
  "bitmaps",
  "compressed",
  "zeros",
  "placement",
  "far",
] as const;
type Switches = Record<typeof SWITCHES[number], boolean>;

/** The draws behind a model, independent of each other, so that each shrinks by itself. */
interface Draws {
  readonly switches: Switches;
  readonly model: Omit<Qcow2Model, keyof Elsewhere>;
  readonly snapshots: readonly SnapshotDraw[];
  readonly backing: NonNullable<Qcow2Model["backing"]>;
  /** The name of the backing file is extended to this length, in bytes, if it fits. */
  readonly backingLength: number;
  readonly dataFile: NonNullable<Qcow2Model["dataFile"]>;
  readonly encryption: Qcow2Model["encryption"];
  readonly far: FarDraw;
  /** The size in clusters and further bytes. */
  readonly size: { readonly clusters: number; readonly bytes: bigint };
}

/** What of a model is drawn by itself, or follows from the switches alone. */
type Elsewhere = Pick<
  Qcow2Model,
  | "format"
  | "version"
  | "extendedL2"
  | "compression"
  | "size"
  | "snapshots"
  | "backing"
  | "dataFile"
  | "encryption"
>;

/**
 * Every sort of sound qcow2 image, small ones more often: version, geometry, features, what is stored
 * and where. All are as `normaliseQcow2` makes them.
 *
 * @example
 * ```ts
 * import * as fc from "fast-check";
 *
 * const [model] = fc.sample(qcow2Models({ clusterBitsMax: 12 }), { numRuns: 1, seed: 1 });
 * console.log(model?.format); // qcow2
 * ```
 */
export function qcow2Models(options: Qcow2ModelOptions = {}): fc.Arbitrary<Qcow2Model> {
  const { limits } = options;
  const backingNames = options.backingNames ?? fileNames("backé");
  return fc.record<Draws>({
    switches: switches(options),
    model: modelDraws(options.clusterBitsMax ?? qcow2Limits.clusterBits.max),
    snapshots: fc.array(snapshotDraws(), { maxLength: 3 }),
    backing: fc.record(
      { name: backingNames, format: fc.constant("raw") },
      { requiredKeys: ["name"] },
    ),
    backingLength: mostly(0, fc.nat(qcow2Limits.backingName)),
    dataFile: fc.record({ name: fileNames("dxyö"), raw: fc.boolean() }),
    encryption: sometimes(encryptions(options), options),
    far: farDraws(options.clusterBitsMax ?? qcow2Limits.clusterBits.max),
    size: sizes(),
  }).map((draws) => normaliseQcow2(modelOf(draws), limits), drawsOf);
}

function switches({ far = false }: Qcow2ModelOptions): fc.Arbitrary<Switches> {
  const share: Partial<Record<keyof Switches, fc.Arbitrary<boolean>>> = {
    v3: mostly(true, fc.constant(false)),
    extendedL2: mostly(false, fc.constant(true)),
    dataFile: mostly(false, fc.constant(true)),
    far: fc.oneof(
      { withCrossShrink: true },
      { weight: FAR_SHARE - 1, arbitrary: fc.constant(false) },
      { weight: far ? 1 : 0, arbitrary: fc.constant(true) },
    ),
  };
  return fc.record(
    Object.fromEntries(SWITCHES.map((name) => [name, share[name] ?? fc.boolean()])) as {
      [Name in keyof Switches]: fc.Arbitrary<boolean>;
    },
  );
}

const HEADER_MAX = 2 ** qcow2Limits.clusterBits.max;

function modelDraws(clusterBitsMax: number): fc.Arbitrary<Draws["model"]> {
  const upTo = (min: number, max: number): fc.Arbitrary<number> =>
    fc.integer({ min: Math.min(min, clusterBitsMax), max: Math.min(max, clusterBitsMax) });
  return fc.record({
    clusterBits: fc.oneof(
      { withCrossShrink: true },
      { weight: 22, arbitrary: upTo(qcow2Limits.clusterBits.min, 12) },
      { weight: 8, arbitrary: upTo(13, 16) },
      { weight: 2, arbitrary: upTo(17, qcow2Limits.clusterBits.max) },
    ),
    refcountOrder: mostly(4, fc.nat(qcow2Limits.refcountOrder), 1),
    // The largest does not fit: the header is then as long as the first cluster allows.
    headerLength: mostly(112, fc.oneof(fc.constant(104), fc.nat(600), fc.nat(HEADER_MAX))),
    dirty: mostly(false, fc.constant(true)),
    corrupt: mostly(false, fc.constant(true)),
    lazyRefcounts: fc.boolean(),
    unknownCompatible: word64(),
    unknownAutoclear: word64(),
    featureTable: fc.boolean(),
    unknownExtensions: fc.array(
      fc.record({
        type: fc.nat(0xffffffff),
        length: fc.oneof(fc.nat(30), fc.nat(3000)),
        seed: fc.nat(255),
      }),
      { maxLength: 3 },
    ),
    clusters: guestClusters(),
    bitmaps: fc.array(bitmapModels(), { maxLength: 3 }),
    placement: placements(),
  });
}

/** Most disks are a few clusters long; others end anywhere, or at a power of two or next to it. */
function sizes(): fc.Arbitrary<Draws["size"]> {
  const few = fc.record({
    clusters: fc.oneof(
      { withCrossShrink: true },
      { weight: 12, arbitrary: fc.nat(20) },
      { weight: 2, arbitrary: fc.nat(300) },
    ),
    bytes: fc.oneof(
      { withCrossShrink: true },
      { weight: 8, arbitrary: fc.constant(0n) },
      // The first is what the others shrink to, where a disk of no bytes will not do.
      { weight: 3, arbitrary: fc.constantFrom(512n, 1n, 511n, 513n, 1023n) },
    ),
  });
  const powers = fc.tuple(fc.nat(62), fc.constantFrom(0n, 1n, -1n, 512n, -512n))
    .map(([bits, off]) => (1n << BigInt(bits)) + off);
  const any = fc.bigInt({ min: 0n, max: 1n << 62n });
  const large = fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: powers },
    { weight: 1, arbitrary: any },
  );
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: few },
    { weight: 1, arbitrary: fc.record({ clusters: fc.constant(0), bytes: large }) },
  );
}

/** The model that the draws stand for, not yet normal. */
function modelOf(draws: Draws): Qcow2Model {
  const { switches: drawnSwitches, model, encryption, size, far: { clusterBits, ...far } } = draws;
  const on = possible(drawnSwitches, far);
  const drawn = on.far ? clusterBits : model.clusterBits;
  const bits = encryption === undefined ? drawn : Math.min(drawn, ENCRYPTED_BITS_MAX);
  const bytes = BigInt(size.clusters) * (1n << BigInt(bits)) + size.bytes;
  return {
    ...model,
    clusterBits: bits,
    ...(on.far && far.offset > EXACT_MAX ? { refcountOrder: 0 } : {}),
    format: "qcow2",
    version: on.v3 ? 3 : 2,
    size: bytes,
    extendedL2: on.extendedL2,
    compression: on.zstd ? "zstd" : "deflate",
    headerLength: on.longHeader ? model.headerLength : 112,
    ...(on.flags ? {} : NO_FLAGS),
    featureTable: on.extensions && model.featureTable,
    unknownExtensions: on.extensions ? model.unknownExtensions : [],
    clusters: keptClusters(model.clusters, on, bits),
    snapshots: on.snapshots ? snapshotsOf(draws, { on, bytes: Number(bytes), bits }) : [],
    bitmaps: on.bitmaps ? model.bitmaps : [],
    ...(on.backing ? { backing: backingOf(draws) } : {}),
    ...(on.dataFile ? { dataFile: draws.dataFile } : {}),
    ...(encryption === undefined ? {} : { encryption }),
    placement: {
      ...on.placement ? model.placement : plainQcow2.placement,
      ...(on.far ? { far: holeOf(far) } : {}),
    },
  };
}

/** Most bytes in the rest of the first cluster. */
const HEADER_ROOM = 200;

function backingOf({ backing, backingLength, model }: Draws): NonNullable<Qcow2Model["backing"]> {
  const room = 2 ** model.clusterBits - HEADER_ROOM;
  return { ...backing, name: longPath(backing.name, Math.min(backingLength, room)) };
}

function snapshotsOf(
  { model, snapshots }: Draws,
  { on, bytes, bits }: { on: Switches; bytes: number; bits: number },
): SnapshotModel[] {
  return snapshots.map(({ sharesAll, sameSize, namedAsNext, ...snapshot }, index) => ({
    ...snapshot,
    name: namedAsNext ? snapshots[index + 1]?.id ?? snapshot.name : snapshot.name,
    size: sameSize ? bytes : snapshot.size,
    clusters: keptClusters(snapshot.clusters, on, bits),
    shared: sharesAll ? model.clusters.map(({ index }) => index) : snapshot.shared,
  }));
}

/** Offsets above this are exact only if they are aligned. */
const EXACT_MAX = 2 ** 53;

/** What is not aligned to 8 bytes is not beyond 2^53 bytes. */
function possible(on: Switches, { offset }: Pick<FarDraw, "offset">): Switches {
  if (!on.far || offset <= EXACT_MAX) return on;
  return { ...on, snapshots: false, bitmaps: false, compressed: false };
}

/** Encrypting a larger cluster takes a second with some ciphers. */
const ENCRYPTED_BITS_MAX = 16;
/** Bytes of content of a view with large clusters, which find nothing that one of them does not. */
const CONTENT_MAX = 2 ** 21;

const LEVELS = [1, 6, 9, 19] as const;
const LARGE_LEVELS = [6, 19] as const;
const LARGE_BITS = 13;
/** Compressing a cluster of this size takes 10 ms, and one of 2 MiB takes 100 ms. */
const HUGE_BITS = 17;
const HUGE_LEVEL = 6;

/** A compressed cluster, or one like it that was probably compressed before. */
function cheaply(
  cluster: GuestCluster & { readonly kind: "compressed" },
  clusterBits: number,
): GuestCluster {
  const { pattern, level } = cluster;
  const levels = clusterBits < LARGE_BITS ? LEVELS : LARGE_LEVELS;
  return {
    ...cluster,
    pattern: compressedPattern(pattern, clusterBits),
    level: clusterBits < HUGE_BITS ? levels.find((most) => level <= most) ?? level : HUGE_LEVEL,
  };
}

function keptClusters(
  clusters: readonly GuestCluster[],
  on: Switches,
  clusterBits: number,
): GuestCluster[] {
  const most = CONTENT_MAX / 2 ** clusterBits;
  const isCompressed = ({ kind }: GuestCluster): boolean => kind === "compressed";
  const kept = clusters.length <= most ? clusters : [
    ...clusters.filter(isCompressed),
    ...clusters.filter((cluster) => !isCompressed(cluster)),
  ].slice(0, most);
  return kept.flatMap((cluster) => {
    if (cluster.kind === "zero") return on.zeros ? cluster : [];
    if (cluster.kind === "compressed" && on.compressed) return cheaply(cluster, clusterBits);
    const off = cluster.kind === "compressed" ||
      (cluster.kind === "zero-allocated" && !on.zeros);
    return off ? { index: cluster.index, kind: "data", pattern: cluster.pattern } : cluster;
  });
}

const NO_FLAGS = {
  dirty: false,
  corrupt: false,
  lazyRefcounts: false,
  unknownCompatible: 0n,
  unknownAutoclear: 0n,
} as const;

/** Draws that stand for a model: everything is on, and nothing is left to chance. */
function drawsOf(value: unknown): Draws {
  const { format, version, extendedL2, compression, size, snapshots, ...others } =
    value as Qcow2Model;
  const { backing, dataFile, encryption, ...rest } = others;
  const { far, ...placement } = rest.placement;
  const model = { ...rest, placement };
  const { clusterBits } = model;
  if (format !== "qcow2") throw new TypeError("Cannot unmap a model of another format");
  if (version === undefined || extendedL2 === undefined || compression === undefined) {
    throw new TypeError("Cannot unmap a model without all of its members");
  }
  const path = shortPath(backing?.name ?? "b");
  const on = Object.fromEntries(SWITCHES.map((name) => [name, true])) as Switches;
  return {
    switches: {
      ...on,
      v3: version === 3,
      extendedL2,
      zstd: compression === "zstd",
      backing: backing !== undefined,
      dataFile: dataFile !== undefined,
      far: far !== undefined,
    },
    model,
    snapshots: snapshots.map((snapshot) => ({
      ...snapshot,
      sharesAll: false,
      sameSize: false,
      namedAsNext: false,
    })),
    backing: { ...backing, name: path.name },
    backingLength: path.length,
    dataFile: dataFile ?? { name: "d", raw: false },
    encryption,
    far: { ...holeDrawOf(far), clusterBits },
    size: { clusters: 0, bytes: size },
  };
}
