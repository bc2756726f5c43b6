/** What the images of known defects have in common. */

import type { GuestCluster, Qcow2Model } from "../../../src/qcow2/mod.ts";
import type { SingleImage } from "../case.ts";
import { small } from "../qcow2/models.ts";

/** An image of a known defect, with what happened to an implementation. */
export type KnownImage = SingleImage & Required<Pick<SingleImage, "happened" | "flags">>;

/** The parts of an image besides its name. */
export type KnownParts =
  & Pick<KnownImage, "shows" | "happened" | "flags">
  & Partial<Omit<KnownImage, "name">>;

/** A cluster of one repeated byte, which compresses well. */
export function filledCluster(index: number, seed = index + 1): GuestCluster {
  return { index, kind: "data", pattern: { kind: "fill", seed } };
}

/** A compressed cluster, with so many free bytes before its data. */
export function packedCluster(index: number, gap = 0): GuestCluster {
  return { index, kind: "compressed", pattern: { kind: "text", seed: 1 }, level: 6, gap };
}

/** An image of 16 clusters of 4 KiB, the first one with data. */
export function qcow2(parts: Parameters<typeof small>[0] = {}): Qcow2Model {
  return small({ clusters: [filledCluster(0)], ...parts });
}

const plain = qcow2();

/** An image of a known defect; without a `base`, of the plain qcow2 image. */
export function known(condition: string, parts: KnownParts): KnownImage {
  return { name: `known.${condition}`, base: plain, edits: [], ...parts };
}
