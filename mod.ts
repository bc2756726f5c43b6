/**
 * Opens, judges and reads disk images: qcow (version 1), qcow2, LUKS and LUKS2.
 *
 * An image is opened, whatever is wrong with it. What is wrong with it are findings: each is one rule
 * of the catalogue, broken at one place. What public qemu-img does with the image and what the format
 * says of it are separate answers.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeImage, MemorySource, openBytes } from "@diskproof/diskproof";
 *
 * // A qcow2 header of version 3 with clusters of 2^8 bytes, and nothing else.
 * const bytes = new Uint8Array(112);
 * bytes.set([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]);
 * bytes[23] = 8;
 *
 * const judgement = judgeImage(openBytes(new MemorySource(bytes)));
 * assertEquals(judgement.spec.verdict, "invalid");
 * assertEquals(judgement.qemu.open, "reject");
 * assertEquals(judgement.findings[0]?.rule, "qcow2.header.cluster-bits-min");
 * ```
 *
 * `openImage` opens a file with its backing chain. The content is read as a guest sees it:
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { digestOf, infoOf, layersOf, openImage, readContent } from "@diskproof/diskproof";
 *
 * const image = openImage("LICENSE", { format: "raw" });
 * const layers = layersOf(image);
 * assertEquals(readContent(layers, 0, 2), new TextEncoder().encode("MI"));
 * assertEquals(digestOf(layers).length, 64);
 * assertEquals(infoOf(image).format, "raw");
 * image.close();
 * ```
 *
 * Offsets and sizes are byte counts in a `number`: below 2^53, or multiples of 512 below 2^63. Only
 * decoded structures and models have a `bigint`, for fields of 64 bits.
 *
 * Other entry points: `./rules`, `./layout`, `./formats`, `./formats/qcow1`, `./formats/qcow2`, `./formats/luks1`,
 * `./formats/luks2`, `./edit`, `./peers`, `./fuzz` and `./cli`.
 *
 * @module
 */

export {
  type ByteSource,
  type ByteStore,
  FileSource,
  type Hole,
  MemorySource,
  MemoryStore,
} from "./src/bytes/mod.ts";
export {
  AccessError,
  type BackingReference,
  type BitmapSummary,
  type Broken,
  type ByteRange,
  type CheckCounts,
  type Damage,
  type DamageCause,
  type DamageSummary,
  type DataFileReference,
  type Dialect,
  type FoldedRanges,
  type InfoReport,
  type Json,
  type Layer,
  type LayerInfo,
  type LazyJson,
  type MapEntry,
  type Run,
  type RunKind,
  type SnapshotSummary,
  type Watch,
} from "./src/format/mod.ts";
export { type Finding, Findings, type Opening, type Place } from "./src/rules/mod.ts";
export {
  type CheckJson,
  type ContentRange,
  detect,
  digestOf,
  type Extent,
  extentsOf,
  infoOf,
  judgeImage,
  type Judgement,
  type JudgeOptions,
  type KeyOptions,
  layersOf,
  mapOf,
  type MapReport,
  openBytes,
  openDetachedBytes,
  type OpenedImage,
  openFiles,
  openImage,
  type OpenOptions,
  type Piece,
  pieces,
  type ProbeOptions,
  readContent,
  type ReadOptions,
} from "./src/image/mod.ts";
export { qemuJson } from "./src/report/mod.ts";
