import { SECTOR } from "../../../src/bytes/mod.ts";
import { limits, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import type { ModelClass } from "../kit.ts";
import { FAR_SECTOR, numbersIn } from "../qcow.ts";

/** What models of qcow version 1 have to be. */
export const qcow1Classes: readonly ModelClass<Qcow1Model>[] = [
  ...numbersIn(limits.clusterBits).map((bits) => ({
    name: `clusters of ${2 ** bits} bytes`,
    share: 0.02,
    has: ({ clusterBits }: Qcow1Model) => clusterBits === bits,
  })),
  ...numbersIn(limits.l2Bits).map((bits) => ({
    name: `L2 tables of ${2 ** bits} entries`,
    share: 0.05,
    has: ({ l2Bits }: Qcow1Model) => l2Bits === bits,
  })),
  { name: "a backing file", share: 0.2, has: ({ backing }) => backing !== undefined },
  { name: "legacy encryption", share: 0.05, has: ({ encryption }) => encryption !== undefined },
  {
    name: "a cluster of a sector beyond 2^32",
    share: 0.01,
    has: isFar,
  },
  {
    name: "legacy encryption of a sector beyond 2^32",
    share: 0.002,
    has: (model) => model.encryption !== undefined && isFar(model),
  },
  {
    name: "a disk that ends in the last cluster of the file",
    share: 0.01,
    has: ({ clusters, clusterBits, size, placement: { cutTail } }) => {
      const last = clusters.at(-1);
      return cutTail && last?.kind === "data" &&
        last.index === Math.floor(Number(size) / 2 ** clusterBits) &&
        Number(size) % 2 ** clusterBits >= SECTOR;
    },
  },
  {
    name: "an L2 table off a cluster",
    share: 0.1,
    has: ({ placement }) => placement.l2Skews.some((skew) => skew > 0),
  },
  {
    name: "a cluster off a cluster",
    share: 0.05,
    has: ({ placement }) => placement.clusterSkews.some((skew) => skew > 0),
  },
  {
    name: "a compressed cluster",
    share: 0.3,
    has: ({ clusters }) => clusters.some(({ kind }) => kind === "compressed"),
  },
  ...[[32, 0.05], [48, 0.02]].map(([bits = 0, share = 0]) => ({
    name: `a part beyond 2^${bits} bytes`,
    share,
    has: ({ placement: { far } }: Qcow1Model) => (far?.offset ?? 0) >= 2 ** bits,
  })),
  {
    name: "parts whose offsets are equal in 32 bits",
    share: 0.02,
    has: ({ placement: { far } }) => far?.alike === true,
  },
];

function isFar({ clusters, clusterBits }: Qcow1Model): boolean {
  return clusters.some(({ index }) => index * 2 ** clusterBits >= FAR_SECTOR);
}
