/**
 * LUKS version 2: its structures and rules, and a writer that builds a volume from a model.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { layersOf, MemorySource, openBytes, readContent } from "@diskproof/diskproof";
 * import {
 *   buildLuks2,
 *   fileBytes,
 *   luks2Content,
 *   normaliseLuks2,
 * } from "@diskproof/diskproof/formats/luks2";
 *
 * const model = normaliseLuks2({
 *   format: "luks2",
 *   seed: 1,
 *   uuid: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10",
 *   label: "",
 *   subsystem: "",
 *   seqid: 1,
 *   headerSize: 0x4000,
 *   spare: 0,
 *   primary: "sound",
 *   secondary: "sound",
 *   encryption: "aes-xts-plain64",
 *   keyBytes: 64,
 *   sectorSize: 512,
 *   ivTweak: 0,
 *   hash: "sha256",
 *   checksum: "sha256",
 *   digestIterations: 1000,
 *   keys: [{
 *     slot: 0,
 *     passphrase: "correct horse",
 *     kdf: { type: "pbkdf2", hash: "sha256", iterations: 1000 },
 *     priority: 1,
 *   }],
 *   tokens: 0,
 *   detached: false,
 *   fixed: false,
 *   size: 4096,
 *   pattern: { kind: "fill", seed: 7 },
 * });
 * const passphrases = [new TextEncoder().encode("correct horse")];
 * const source = new MemorySource(fileBytes(buildLuks2(model).image));
 * const image = openBytes(source, "luks2", { passphrases });
 *
 * assertEquals(readContent(layersOf(image), 0, 4096), luks2Content(model));
 * ```
 *
 * @module
 */

export type { MaterialKind } from "../src/crypto/mod.ts";
export {
  type BuiltFiles,
  type BuiltImage,
  fileBytes,
  type Pattern,
  type Placed,
} from "../src/format/mod.ts";
export {
  buildLuks2,
  type CopyState,
  type KdfModel,
  luks2Content,
  type Luks2KeyModel,
  type Luks2Model,
  luks2Rules,
  luks2Structures,
  normaliseLuks2,
} from "../src/luks2/mod.ts";
