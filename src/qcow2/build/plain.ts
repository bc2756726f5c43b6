import type { Qcow2Model } from "../model.ts";

/** A model of an image of version 3 with an empty disk, without options, in QEMU's order. */
export const plainQcow2: Qcow2Model = Object.freeze({
  format: "qcow2",
  version: 3,
  clusterBits: 16,
  size: 0n,
  refcountOrder: 4,
  extendedL2: false,
  compression: "deflate",
  headerLength: 112,
  dirty: false,
  corrupt: false,
  lazyRefcounts: false,
  unknownCompatible: 0n,
  unknownAutoclear: 0n,
  featureTable: false,
  unknownExtensions: [],
  clusters: [],
  snapshots: [],
  bitmaps: [],
  placement: { seed: 0, holes: [], leaks: 0, spareL1: 0, spareReftable: 0, cutTail: false },
});
