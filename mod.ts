/**
 * diskproof: a test oracle for the disk-image formats qcow (version 1), qcow2 and LUKS.
 *
 * An image is opened, whatever is wrong with it; what is wrong with it are findings, each of them one
 * rule of a catalogue, broken at one place. What public qemu-img would make of the image and what the
 * format says of it are told apart.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeImage, MemorySource, openBytes } from "@diskproof/diskproof";
 *
 * // A qcow2 header of version 3 that claims clusters of 2^8 bytes, and nothing else.
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
 * An image can be made as well, from a model that says everything about it, and read:
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import {
 *   buildQcow1,
 *   infoOf,
 *   layersOf,
 *   openBytes,
 *   readContent,
 *   SegmentSource,
 * } from "@diskproof/diskproof";
 *
 * const { segments, size } = buildQcow1({
 *   format: "qcow",
 *   clusterBits: 12,
 *   l2Bits: 9,
 *   size: 65536n,
 *   mtime: 0,
 *   padding: 0,
 *   clusters: [{ index: 3, kind: "data", pattern: { kind: "fill", seed: 7 } }],
 *   placement: { seed: 0, holes: [], l1Skew: 0, l2Skews: [], clusterSkews: [], cutTail: false },
 * });
 * const image = openBytes(new SegmentSource(segments, size));
 *
 * assertEquals(infoOf(image)["virtual-size"], 65536);
 * assertEquals(readContent(layersOf(image), 12288n, 1)[0], 7);
 * ```
 *
 * An encrypted one is opened with passphrases, each of which is tried on every encrypted image of a
 * chain:
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { randomBytes } from "node:crypto";
 * import { createLuks1, layersOf, MemorySource, openBytes, readContent } from "@diskproof/diskproof";
 *
 * const passphrase = new TextEncoder().encode("correct horse");
 * const { header } = createLuks1({
 *   cipher: "aes",
 *   keyBytes: 32,
 *   mode: "xts",
 *   ivGenerator: "plain64",
 *   hash: "sha256",
 *   passphrase,
 *   iterations: 1000,
 *   uuid: crypto.randomUUID(),
 *   random: (length) => new Uint8Array(randomBytes(length)),
 * });
 * const volume = new Uint8Array(header.length + 4096);
 * volume.set(header);
 * const image = openBytes(new MemorySource(volume), "luks", { passphrases: [passphrase] });
 *
 * assertEquals(image.layer?.unlocked, true);
 * assertEquals(readContent(layersOf(image), 0n, 4096).length, 4096);
 * ```
 *
 * @module
 */

export {
  type ByteSource,
  FileSource,
  MemorySource,
  type Patch,
  PatchedSource,
  type Segment,
  SegmentSource,
} from "./src/bytes/mod.ts";
export {
  AccessError,
  type Anatomy,
  type AnatomyOptions,
  type BuiltFiles,
  type BuiltImage,
  type CheckCounts,
  type Format,
  type FormatDriver,
  type GuestContent,
  type InfoReport,
  type Json,
  type Layer,
  type LayerInfo,
  type LazyJson,
  type MapEntry,
  Marks,
  type Pattern,
  patternBytes,
  type Placed,
  type Run,
} from "./src/format/mod.ts";
export { catalogue, type FormatName, formatNamed, formats } from "./src/formats.ts";
export type { RawModel } from "./src/raw/mod.ts";
export {
  decode,
  type Decoded,
  encode,
  type Field,
  type Row,
  type Struct,
} from "./src/layout/mod.ts";
export {
  type Effect,
  type Finding,
  Findings,
  isRuleId,
  type Level,
  type Opening,
  type Rule,
  type RuleClass,
  type RuleId,
  ruleOf,
  type SpecVerdict,
} from "./src/rules/mod.ts";
export {
  anatomyOf,
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
  readContent,
} from "./src/image/mod.ts";
export {
  addKey,
  buildLuks1,
  changeKey,
  type CipherSpec,
  type CreatedLuks1,
  createLuks1,
  decodeLuks1,
  eraseKey,
  Luks1Error,
  type Luks1Header,
  type Luks1Model,
  type Luks1Options,
  luks1Structures,
  Luks1Volume,
  normaliseLuks1,
  unlock,
} from "./src/luks1/mod.ts";
export {
  buildLuks2,
  luks2Content,
  type Luks2Model,
  luks2Structures,
  normaliseLuks2,
} from "./src/luks2/mod.ts";
export { buildQcow1, normaliseQcow1, type Qcow1Model, qcow1Structures } from "./src/qcow1/mod.ts";
export { type Qcow2Model, qcow2Structures } from "./src/qcow2/mod.ts";
export { buildQcow2, guestContent, normaliseQcow2 } from "./src/qcow2/build/mod.ts";
export {
  type CheckReport,
  CryptsetupPeer,
  type DigestReport,
  type DigestScope,
  ExecPeer,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  QemuImgPeer,
  ReferencePeer,
  type Subject,
} from "./src/peers/mod.ts";
export { verifyRecords } from "./src/recorded/mod.ts";
export {
  excerptOf,
  type Inspection,
  inspectionLines,
  type Note,
  qemuJson,
} from "./src/report/mod.ts";
