/**
 * qcow2, versions 2 and 3: its structures and rules, and a writer that builds an image from a model.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeImage, MemorySource, openBytes } from "@diskproof/diskproof";
 * import {
 *   buildQcow2,
 *   fileBytes,
 *   guestContent,
 *   normaliseQcow2,
 * } from "@diskproof/diskproof/formats/qcow2";
 *
 * const model = normaliseQcow2({
 *   format: "qcow2",
 *   version: 3,
 *   clusterBits: 16,
 *   size: 1048576n,
 *   refcountOrder: 4,
 *   extendedL2: false,
 *   compression: "deflate",
 *   headerLength: 112,
 *   dirty: false,
 *   corrupt: false,
 *   lazyRefcounts: false,
 *   unknownCompatible: 0n,
 *   unknownAutoclear: 0n,
 *   featureTable: true,
 *   unknownExtensions: [],
 *   clusters: [{ index: 3, kind: "data", pattern: { kind: "fill", seed: 7 } }],
 *   snapshots: [],
 *   bitmaps: [],
 *   placement: { seed: 0, holes: [], leaks: 0, spareL1: 0, spareReftable: 0, cutTail: false },
 * });
 * const image = openBytes(new MemorySource(fileBytes(buildQcow2(model).image)));
 *
 * assertEquals(judgeImage(image).spec.verdict, "valid");
 * assertEquals(guestContent(model).at(3).bytes[0], 7);
 * ```
 *
 * @module
 */

export {
  type BuiltFiles,
  type BuiltImage,
  type ClusterView,
  type FarHole,
  fileBytes,
  type GuestContent,
  type Pattern,
  type Placed,
  type View,
} from "../src/format/mod.ts";
export {
  type BackingModel,
  type BitmapModel,
  type ClusterContent,
  type EncryptionModel,
  type GuestCluster,
  type LegacyEncryption,
  type LuksEncryption,
  type Placement,
  type Qcow2Model,
  qcow2Rules,
  qcow2Structures,
  type SnapshotModel,
  type UnknownExtension,
  type ZstdFrames,
} from "../src/qcow2/mod.ts";
export {
  buildQcow2,
  guestContent,
  type NormaliseLimits,
  normaliseQcow2,
} from "../src/qcow2/build/mod.ts";
