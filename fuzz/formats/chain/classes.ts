import { limits, type Qcow2Model } from "../../../src/qcow2/mod.ts";
import type { ModelClass } from "../kit.ts";
import { FAR_SECTOR, numbersIn } from "../qcow.ts";
import { farClasses } from "../qcow2/classes.ts";
import type { ChainModel, ImageModel } from "./models.ts";
import { namingOf } from "./names.ts";

const COMPRESSIONS = ["deflate", "zstd"] as const;

type Holds = (chain: ChainModel) => boolean;

const anyQcow2 = (has: (image: Qcow2Model) => boolean): Holds => (chain) =>
  chain.some((image) => image.format === "qcow2" && has(image));
const sizes = (chain: ChainModel): number[] => chain.map(({ size }) => Number(size));

/** Whether a cluster of the top image reads as zeros, in part or whole, over a backing file with data. */
function hidesData([top, below]: ChainModel): boolean {
  if (top?.format !== "qcow2" || below === undefined) return false;
  return top.clusters.some((cluster) => {
    const zeros = cluster.kind === "zero" || cluster.kind === "zero-allocated" ||
      cluster.kind === "subclusters" && cluster.zero !== 0;
    return zeros && hasData(below, cluster.index * 2 ** top.clusterBits, 2 ** top.clusterBits);
  });
}

function hasData(image: ImageModel, from: number, length: number): boolean {
  if (image.format === "raw") return image.pattern.kind !== "zero" && from < image.size;
  const size = 2 ** image.clusterBits;
  return image.clusters.some((cluster) =>
    (cluster.kind === "data" || cluster.kind === "compressed") && cluster.pattern.kind !== "zero" &&
    cluster.index * size < from + length && (cluster.index + 1) * size > from
  );
}

const isCompressed = ({ clusters }: Qcow2Model): boolean =>
  clusters.some(({ kind }) => kind === "compressed");

/** What chains have to be. */
export const chainClasses: readonly ModelClass<ChainModel>[] = [
  {
    name: "a part of a qcow image beyond 2^56 bytes",
    share: 0.005,
    has: (chain) =>
      chain.some((image) =>
        image.format === "qcow" && (image.placement.far?.offset ?? 0) >= 2 ** 56
      ),
  },
  ...farClasses.map(({ name, share, has }) => ({ name, share, has: anyQcow2(has) })),
  ...numbersIn(limits.clusterBits).flatMap((bits) =>
    COMPRESSIONS.map((compression) => ({
      name: `${compression} of clusters of ${2 ** bits} bytes`,
      share: bits < 17 ? 0.0015 : 0.0005,
      has: anyQcow2((image) =>
        image.clusterBits === bits && image.compression === compression && isCompressed(image)
      ),
    }))
  ),
  { name: "several images", share: 0.25, has: (chain) => chain.length > 1 },
  { name: "more than three images", share: 0.01, has: (chain) => chain.length > 3 },
  { name: "more than five images", share: 0.001, has: (chain) => chain.length > 5 },
  {
    name: "a backing file shorter than the image",
    share: 0.1,
    has: (chain) => sizes(chain).some((size, index, all) => size > (all[index + 1] ?? Infinity)),
  },
  {
    name: "a backing file longer than the image",
    share: 0.03,
    has: (chain) => sizes(chain).some((size, index, all) => size < (all[index + 1] ?? 0)),
  },
  ...["file", "json", "part"].map((form) => ({
    name: `a backing file named by ${form}`,
    share: 0.01,
    has: (chain: ChainModel) =>
      chain.some((image) =>
        image.format !== "raw" && image.backing !== undefined &&
        namingOf(image.backing.name).form.endsWith(form)
      ),
  })),
  {
    name: "a backing file named with another driver than its format",
    share: 0.003,
    has: (chain) =>
      chain.some((image, index) =>
        image.format === "qcow2" && image.backing !== undefined &&
        namingOf(image.backing.name, chain[index + 1]?.format).form === "overruled"
      ),
  },
  {
    name: "a raw backing file with the driver of another name",
    share: 0.003,
    has: (chain) =>
      chain.some((image, index) =>
        image.format === "qcow2" && chain[index + 1]?.format === "raw" &&
        (image.backing?.format ?? "raw") !== "raw"
      ),
  },
  { name: "zeros over data of a backing file", share: 0.01, has: hidesData },
  {
    name: "a compressed cluster over a backing file",
    share: 0.02,
    has: ([top, below]) => top?.format === "qcow2" && below !== undefined && isCompressed(top),
  },
  {
    name: "a data file over a backing file",
    share: 0.005,
    has: ([top, below]) =>
      top?.format === "qcow2" && below !== undefined && top.dataFile !== undefined,
  },
  {
    name: "LUKS with sectors beyond 2^32",
    share: 0.001,
    has: anyQcow2(({ encryption, placement: { far } }) =>
      encryption?.kind === "luks" && (far?.offset ?? 0) >= FAR_SECTOR
    ),
  },
];
