/** As little of LUKS1 as it takes to make and to read a volume with one passphrase in its first slot. */

import {
  afMerge,
  afSplit,
  pbkdf2,
  sectorCipher,
  type SectorCipherOptions,
} from "../../src/crypto/mod.ts";
import { bytes, decode, encode, struct, u16, u32 } from "../../src/layout/mod.ts";

const text = { doc: "Text with a NUL byte at its end." };
const number = { doc: "A number." };

const volume = struct("test.luks1", { section: "LUKS1 On-Disk Format 1.2.3, 3.1", size: 256 }, [
  bytes("magic", 6, text),
  u16("version", number),
  bytes("cipher", 32, text),
  bytes("mode", 32, text),
  bytes("hash", 32, text),
  u32("payload", number),
  u32("key_bytes", number),
  bytes("digest", 20, text),
  bytes("digest_salt", 32, text),
  u32("digest_iterations", number),
  bytes("uuid", 40, text),
  u32("slot_state", number),
  u32("slot_iterations", number),
  bytes("slot_salt", 32, text),
  u32("slot_material", number),
  u32("slot_stripes", number),
]);

/** The other seven slots, which are not used. */
const slot = struct("test.luks1.slot", { section: "LUKS1 On-Disk Format 1.2.3, 3.1", size: 48 }, [
  u32("state", number),
  u32("iterations", number),
  bytes("salt", 32, text),
  u32("material", number),
  u32("stripes", number),
]);

const STRIPES = 4000;

/** The names of a volume, as its header has them. */
export interface Names {
  readonly cipher: string;
  /** With the IV generator and its hash. */
  readonly mode: string;
  readonly hash: string;
}

/** A volume without content: header, key material and what is before the payload. */
export function emptyVolume(
  names: Names,
  options: { keyLength: number; passphrase: string },
): Uint8Array {
  const { keyLength, passphrase } = options;
  const { cipher, mode, hash } = names;
  const random = (length: number) => Uint8Array.from({ length }, (_, i) => i * i + length);
  const key = random(keyLength);
  const [salt, digestSalt] = [random(32), random(32).reverse()] as const;
  const slotKey = pbkdf2(hash, new TextEncoder().encode(passphrase), salt, 1000, keyLength);
  const material = new Uint8Array(Math.ceil((keyLength * STRIPES) / 512) * 512);
  material.set(afSplit(key, STRIPES, hash, random));
  sectorCipher(optionsOf(cipher, mode), slotKey).encrypt(material, 0n);
  const step = Math.ceil(material.length / 4096) * 8;
  const file = new Uint8Array((8 + 8 * step) * 512);
  file.set(encode(volume, {
    magic: Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe),
    version: 1,
    cipher: padded(cipher, 32),
    mode: padded(mode, 32),
    hash: padded(hash, 32),
    payload: file.length / 512,
    key_bytes: keyLength,
    digest: pbkdf2(hash, key, digestSalt, 1000, 20),
    digest_salt: digestSalt,
    digest_iterations: 1000,
    uuid: padded("6c1bdff6-5a4d-4b1b-8d4a-1c8f7a0d2f3e", 40),
    slot_state: 0x00ac71f3,
    slot_iterations: 1000,
    slot_salt: salt,
    slot_material: 8,
    slot_stripes: STRIPES,
  }));
  for (let i = 1; i < 8; i++) {
    const unused = { iterations: 0, salt: new Uint8Array(32), stripes: STRIPES };
    file.set(
      encode(slot, { ...unused, state: 0x0000dead, material: 8 + i * step }),
      volume.size + (i - 1) * slot.size,
    );
  }
  file.set(material, 8 * 512);
  return file;
}

function padded(name: string, length: number): Uint8Array {
  const field = new Uint8Array(length);
  new TextEncoder().encodeInto(name, field);
  return field;
}

/** Gives bytes of a file. */
export type Read = (offset: number, length: number) => Uint8Array;

/** An unlocked volume. */
export interface Unlocked {
  readonly names: Names;
  /** Decrypts sectors of the payload, of which the first is numbered from its start. */
  readPayload(firstSector: number, sectors: number): Uint8Array;
}

/** @throws {Error} when the passphrase does not open the first slot */
export function unlock(read: Read, passphrase: string): Unlocked {
  const header = decode(volume, read(0, 256));
  const [cipher, mode, hash] = [header.cipher, header.mode, header.hash].map(textOf);
  if (cipher === undefined || mode === undefined || hash === undefined) throw new Error("no text");
  const options = optionsOf(cipher, mode);
  const { key_bytes, slot_salt, slot_iterations, slot_stripes } = header;
  const password = new TextEncoder().encode(passphrase);
  const slotKey = pbkdf2(hash, password, slot_salt, slot_iterations, key_bytes);
  const sectors = Math.ceil((key_bytes * slot_stripes) / 512);
  const material = read(header.slot_material * 512, sectors * 512);
  sectorCipher(options, slotKey).decrypt(material, 0n);
  const key = afMerge(material, key_bytes, slot_stripes, hash);
  const digest = pbkdf2(hash, key, header.digest_salt, header.digest_iterations, 20);
  if (digest.toHex() !== header.digest.toHex()) throw new Error("the passphrase opens no slot");
  const payload = sectorCipher(options, key);
  return {
    names: { cipher, mode, hash },
    readPayload: (firstSector, sectors) => {
      const content = read((header.payload + firstSector) * 512, sectors * 512);
      payload.decrypt(content, BigInt(firstSector));
      return content;
    },
  };
}

function textOf(field: Uint8Array): string {
  return new TextDecoder().decode(field.subarray(0, field.indexOf(0)));
}

function optionsOf(cipher: string, text: string): SectorCipherOptions {
  const [, mode = "", ivGenerator = "null", ivHash] = /^(\w+)(?:-(\w+))?(?::(.+))?$/.exec(text) ??
    [];
  return { cipher, mode, ivGenerator, ivHash };
}
