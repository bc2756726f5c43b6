/** The models that cases of LUKS version 2 start from, and the offsets in their files. */

import { type Luks2Model, normaliseLuks2 } from "../../../src/luks2/mod.ts";

/** The UUID of the volumes. */
export const UUID = "7c1e6f0a-2b7d-4a53-9d55-61b1a0f3c2de";

/** Bytes of a copy of the header. */
export const HEADER_SIZE = 0x4000;
/** The offset of the area of the first key slot. */
export const FIRST = 2 * HEADER_SIZE;
/** Bytes of the area of a key slot. */
export const AREA = 258048;
/** Bytes of all areas, with two free pages after those of the two keys. */
export const KEYSLOTS = 2 * AREA + 8192;
/** The offset of the payload. */
export const DATA: number = FIRST + KEYSLOTS;

/** Two keys, one of each kind of key derivation, and a payload of 8 KiB in AES-256-XTS. */
export function modelOf(options: Partial<Luks2Model> = {}): Luks2Model {
  return normaliseLuks2({
    format: "luks2",
    seed: 1,
    uuid: UUID,
    label: "",
    subsystem: "",
    seqid: 5,
    headerSize: HEADER_SIZE,
    spare: 8192,
    primary: "sound",
    secondary: "sound",
    encryption: "aes-xts-plain64",
    keyBytes: 64,
    sectorSize: 512,
    ivTweak: 0,
    hash: "sha256",
    checksum: "sha256",
    digestIterations: 3,
    keys: [
      {
        slot: 0,
        passphrase: "first",
        kdf: { type: "pbkdf2", hash: "sha256", iterations: 2 },
        priority: 1,
      },
      {
        slot: 3,
        passphrase: "second",
        kdf: { type: "argon2id", time: 1, memory: 32, cpus: 1 },
        priority: 1,
      },
    ],
    tokens: 1,
    detached: false,
    fixed: false,
    size: 8192,
    pattern: { kind: "text", seed: 1 },
    // A pattern that compresses, because these volumes are part of the corpus.
    material: "sparse",
    ...options,
  });
}

/** The volume of most cases. */
export const base: Luks2Model = modelOf();

/** A volume with one key. */
export const oneKey: Luks2Model = modelOf({
  keys: [{
    slot: 0,
    passphrase: "first",
    kdf: { type: "pbkdf2", hash: "sha256", iterations: 2 },
    priority: 1,
  }],
});
