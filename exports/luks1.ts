/**
 * LUKS version 1: its structures and rules, new volumes, key slots, and a writer that builds a volume
 * from a model.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { randomBytes } from "node:crypto";
 * import { MemorySource, openBytes } from "@diskproof/diskproof";
 * import { createLuks1, decodeLuks1, unlock } from "@diskproof/diskproof/formats/luks1";
 *
 * const passphrase = new TextEncoder().encode("correct horse");
 * const { header, masterKey } = createLuks1({
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
 * const keyMaterial = new MemorySource(header);
 * const unlocked = unlock(decodeLuks1(keyMaterial), { keyMaterial, passphrase });
 * assertEquals(unlocked, { slot: 0, masterKey });
 *
 * // The payload starts behind the header.
 * const volume = new Uint8Array(header.length + 4096);
 * volume.set(header);
 * const image = openBytes(new MemorySource(volume), "luks", { passphrases: [passphrase] });
 * assertEquals(image.layer?.virtualSize, 4096);
 * ```
 *
 * @module
 */

export { KeptKeys, type KeySource, type MaterialKind } from "../src/crypto/mod.ts";
export {
  type BuiltFiles,
  type BuiltImage,
  fileBytes,
  type Pattern,
  type Placed,
} from "../src/format/mod.ts";
export {
  addKey,
  type AddKeyOptions,
  buildLuks1,
  type ChangedKeys,
  changeKey,
  type ChangeKeyOptions,
  type Changing,
  type CipherSpec,
  type CreatedLuks1,
  createLuks1,
  decodeLuks1,
  eraseKey,
  type EraseKeyOptions,
  type KeyModel,
  type KeySlot,
  type Luks1Broken,
  Luks1Error,
  type Luks1Header,
  type Luks1Model,
  type Luks1Options,
  type Luks1Rule,
  luks1Rules,
  luks1RuleTable,
  luks1Structures,
  type NewKey,
  normaliseLuks1,
  type RandomBytes,
  specOf,
  unlock,
  type Unlocked,
  type UnlockOptions,
} from "../src/luks1/mod.ts";
