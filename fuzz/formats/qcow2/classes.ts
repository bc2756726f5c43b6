import {
  geometryOf,
  type GuestCluster,
  NO_ICOUNT,
  type Qcow2Model,
  zstdFrames,
} from "../../../src/qcow2/mod.ts";
import type { ModelClass } from "../kit.ts";

type Holds = (model: Qcow2Model) => boolean;

const some = (kind: GuestCluster["kind"]): Holds => ({ clusters }) =>
  clusters.some((cluster) => cluster.kind === kind);
const isPowerOfTwo = (size: bigint): boolean => size > 0n && (size & (size - 1n)) === 0n;
/** Host offsets behind a hole. */
const farAt = (bits: number): Holds => ({ placement: { far } }) => (far?.offset ?? 0) >= 2 ** bits;

/** Guest clusters that one cluster of the L1 table covers. */
function coveredBy(model: Qcow2Model): number {
  const { tableEntries, l2Entries } = geometryOf(model);
  return tableEntries * l2Entries;
}

/** Bytes of the file that one cluster of the refcount table counts. */
function countedBy(model: Qcow2Model): number {
  const { tableEntries, refblockEntries, clusterSize } = geometryOf(model);
  return tableEntries * refblockEntries * clusterSize;
}

type Share = readonly [name: string, share: number, has: Holds];

const SHARES: readonly Share[] = [
  ["version 2", 0.1, ({ version }) => version === 2],
  ["extended L2", 0.1, ({ extendedL2 }) => extendedL2],
  ["zstd", 0.2, ({ compression }) => compression === "zstd"],
  ["data", 0.5, some("data")],
  ["compressed", 0.1, some("compressed")],
  ...zstdFrames.map((frames): Share => [
    `zstd frames that are ${frames}`,
    0.003,
    ({ clusters }) =>
      clusters.some((cluster) => cluster.kind === "compressed" && cluster.frames === frames),
  ]),
  ["zero", 0.05, some("zero")],
  ["zero-allocated", 0.05, some("zero-allocated")],
  ["subclusters", 0.05, some("subclusters")],
  ["snapshots", 0.1, ({ snapshots }) => snapshots.length > 0],
  [
    "a snapshot that shares clusters",
    0.05,
    ({ snapshots }) => snapshots.some(({ shared }) => shared.length > 0),
  ],
  [
    "a snapshot whose name is the id of another",
    0.01,
    ({ snapshots }) =>
      snapshots.some(({ name }, index) => snapshots.slice(index + 1).some(({ id }) => id === name)),
  ],
  [
    "a snapshot without an icount",
    0.05,
    ({ snapshots }) => snapshots.some(({ icount }) => icount === NO_ICOUNT),
  ],
  ["VM state", 0.03, ({ snapshots }) => snapshots.some(({ vmState }) => vmState.length > 0)],
  [
    "a snapshot larger than the disk",
    0.05,
    ({ snapshots, size }) => snapshots.some((snapshot) => snapshot.size > size),
  ],
  [
    "a snapshot smaller than the disk",
    0.005,
    ({ snapshots, size }) => snapshots.some((snapshot) => snapshot.size < size - size % 512n),
  ],
  ["bitmaps", 0.1, ({ bitmaps }) => bitmaps.length > 0],
  ["several bitmaps", 0.1, ({ bitmaps }) => bitmaps.length > 1],
  ["a backing file", 0.2, ({ backing }) => backing !== undefined],
  ["a data file", 0.05, ({ dataFile }) => dataFile !== undefined],
  ["unknown extensions", 0.1, ({ unknownExtensions }) => unknownExtensions.length > 0],
  [
    "unknown extensions among known ones in another order",
    0.01,
    (model) =>
      model.unknownExtensions.length > 0 && model.placement.seed !== 0 &&
      [model.featureTable, model.bitmaps.length > 0, model.backing?.format !== undefined]
          .filter(Boolean).length > 1,
  ],
  ["feature names", 0.05, ({ featureTable }) => featureTable],
  ["a header of 104 bytes", 0.01, ({ headerLength }) => headerLength === 104],
  ["a header of more than 112 bytes", 0.03, ({ headerLength }) => headerLength > 112],
  [
    "a header to the end of the first cluster",
    0.005,
    ({ headerLength, clusterBits }) => headerLength > 2 ** clusterBits - 64,
  ],
  ["parts in another order", 0.1, ({ placement }) => placement.seed !== 0],
  ["leaks", 0.03, ({ placement }) => placement.leaks > 0],
  ["a disk of more than 1 GiB", 0.03, ({ size }) => size > 1n << 30n],
  ["no disk", 0.01, ({ size }) => size === 0n],
  ["a size off a sector", 0.1, ({ size }) => size % 512n !== 0n],
  [
    "a size of a power of two from 1 MiB on",
    0.005,
    ({ size }) => size >= 1n << 20n && isPowerOfTwo(size),
  ],
  [
    "a size next to a power of two from 1 MiB on",
    0.01,
    ({ size }) =>
      size > 1n << 20n && [1n, -1n, 512n, -512n].some((off) => isPowerOfTwo(size + off)),
  ],
  ["narrow refcounts", 0.05, ({ refcountOrder }) => refcountOrder < 3],
  ["refcounts of 64 bits", 0.02, ({ refcountOrder }) => refcountOrder === 6],
  [
    "a cluster past the first cluster of the L1 table",
    0.01,
    (model) => model.clusters.some(({ index }) => index >= coveredBy(model)),
  ],
];

const FAR: readonly Share[] = [
  ["a part beyond 2^32 bytes", 0.05, farAt(32)],
  ["a part beyond 2^48 bytes", 0.005, farAt(48)],
  ["a part beyond 2^53 bytes", 0.001, farAt(53)],
  [
    "parts whose offsets are equal in 32 bits",
    0.02,
    ({ placement: { far } }) => far?.alike === true,
  ],
  [
    "a part past the first cluster of the refcount table",
    0.01,
    (model) => (model.placement.far?.offset ?? 0) >= countedBy(model),
  ],
];

const asClass = ([name, share, has]: Share): ModelClass<Qcow2Model> => ({
  name,
  share,
  has,
});

/** What models of qcow2 have to be. */
export const qcow2Classes: readonly ModelClass<Qcow2Model>[] = SHARES.map(asClass);

/** What they have to be where parts may be behind a hole. */
export const farClasses: readonly ModelClass<Qcow2Model>[] = FAR.map(asClass);
