/**
 * qcow version 1: its structures and rules, and a writer that builds an image from a model.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemorySource, openBytes, readContent, layersOf } from "@diskproof/diskproof";
 * import { buildQcow1, fileBytes, normaliseQcow1 } from "@diskproof/diskproof/formats/qcow1";
 *
 * const model = normaliseQcow1({
 *   format: "qcow",
 *   clusterBits: 12,
 *   l2Bits: 9,
 *   size: 65536n,
 *   mtime: 0,
 *   padding: 0,
 *   clusters: [{ index: 3, kind: "data", pattern: { kind: "fill", seed: 7 } }],
 *   placement: { seed: 0, holes: [], l1Skew: 0, l2Skews: [], clusterSkews: [], cutTail: false },
 * });
 * const image = openBytes(new MemorySource(fileBytes(buildQcow1(model))));
 *
 * assertEquals(image.format, "qcow");
 * assertEquals(readContent(layersOf(image), 12288, 1)[0], 7);
 * ```
 *
 * @module
 */

export {
  type BuiltImage,
  type FarHole,
  fileBytes,
  type Pattern,
  type Placed,
} from "../src/format/mod.ts";
export {
  buildQcow1,
  type ClusterContent,
  type GuestCluster,
  type LegacyEncryption,
  normaliseQcow1,
  type Placement,
  type Qcow1Model,
  qcow1Rules,
  qcow1Structures,
} from "../src/qcow1/mod.ts";
