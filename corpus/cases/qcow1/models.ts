/** The model that cases of qcow version 1 start from. */

import { normaliseQcow1, type Placement, type Qcow1Model } from "../../../src/qcow1/mod.ts";

/** The parts that differ from the default model of {@link modelOf}. */
export interface ImageOptions extends Partial<Omit<Qcow1Model, "placement">> {
  readonly placement?: Partial<Placement>;
}

/** Compressed as by QEMU. */
export const AS_QEMU = { level: -1, gap: 0, aligned: true } as const;

/**
 * Two clusters of data around a compressed one, each of 4 KiB; the disk ends 512 bytes into the third.
 */
export function modelOf(options: ImageOptions = {}): Qcow1Model {
  const { placement, ...rest } = options;
  return normaliseQcow1({
    format: "qcow",
    clusterBits: 12,
    l2Bits: 9,
    size: 8704n,
    mtime: 0,
    padding: 0,
    clusters: [
      { index: 0, kind: "data", pattern: { kind: "text", seed: 1 } },
      { index: 1, kind: "compressed", pattern: { kind: "fill", seed: 7 }, ...AS_QEMU },
      { index: 2, kind: "data", pattern: { kind: "ramp", seed: 3 } },
    ],
    ...rest,
    placement: {
      seed: 0,
      holes: [],
      l1Skew: 0,
      l2Skews: [],
      clusterSkews: [],
      cutTail: false,
      ...placement,
    },
  });
}
