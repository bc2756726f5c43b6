import type { Mutant } from "../mutant.ts";

/** Bugs of the reader of LUKS version 1. */
export const luks1: readonly Mutant[] = [
  {
    name: "slot-order",
    what: "key slots are attempted from the last to the first",
    file: "src/luks1/keyslots/unlock.ts",
    text: "for (const [index, candidate] of header.slots.entries()) {",
    by: "for (const [index, candidate] of [...header.slots.entries()].toReversed()) {",
    names: "slot",
  },
  {
    name: "disabled-slots",
    what: "disabled key slots are attempted, too",
    file: "src/luks1/keyslots/iterations.ts",
    text: "return isEnabled(slot) && slot.iterations > 0",
    by: "return slot.iterations > 0",
    names: "active",
  },
  {
    name: "digest-iterations",
    what: "the iterations of the master key digest are one too many",
    file: "src/luks1/keyslots/unlock.ts",
    text:
      "mk_digest_salt: salt, mk_digest_iter: iterations } = header;\n  return iterations > 0 && " +
      "hasDigest(key, { hash: specOf(header).hash, salt, iterations, digest });",
    by:
      "mk_digest_salt: salt, mk_digest_iter: iterations } = header;\n  return iterations > 0 && " +
      "hasDigest(key, { hash: specOf(header).hash, salt, iterations: iterations + 1, digest });",
    names: "mk_digest",
  },
  {
    name: "payload-offset-31-bits",
    what: "a payload that starts at 2 GiB or later is searched at a negative offset",
    file: "src/luks1/layer.ts",
    text: "return payload_offset * SECTOR;",
    by: "return Math.max(0, (payload_offset * SECTOR) | 0);",
    names: "payload_offset",
  },
  {
    name: "sector-numbers-of-the-file",
    what: "sector numbers count from the start of the file, not of the payload",
    file: "src/luks1/layer.ts",
    text: "volume.decryptSectors(sectors, BigInt(at / SECTOR)),",
    by: "volume.decryptSectors(sectors, BigInt((offset + at) / SECTOR)),",
    names: "payload",
  },
  {
    name: "last-sector",
    what: "a last sector that the end of the file cuts is not part of the disk",
    file: "src/luks1/layer.ts",
    text: "virtualSize: Math.max(0, roundUp(payload.size, SECTOR) - offset),",
    by: "virtualSize: Math.max(0, Math.floor(payload.size / SECTOR) * SECTOR - offset),",
    names: "payload",
  },
  {
    name: "first-passphrase",
    what: "only the first passphrase is attempted",
    file: "src/luks1/keyslots/access.ts",
    text: "for (const passphrase of passphrases) {",
    by: "for (const passphrase of passphrases.slice(0, 1)) {",
    names: "passphrase",
  },
  {
    name: "key-material-31-bits",
    what: "key material past 2^31 bytes is read at a wrong place",
    file: "src/luks1/keyslots/unlock.ts",
    text: "read: (target) => keyMaterial.readInto(slot.key_material_offset * SECTOR, target),",
    by: "read: (target) =>\n" +
      "      keyMaterial.readInto((slot.key_material_offset * SECTOR) % 2 ** 31, target),",
    names: "key_material_offset",
  },
  {
    name: "unknown-hash",
    what: "an unknown hash is not noticed before it is used",
    file: "src/luks1/volume.ts",
    text: "if (canonicalHash(spec.hash) === undefined) {",
    by: 'if (canonicalHash(spec.hash) === undefined && spec.hash === "") {',
    names: "hash_spec",
  },
  {
    name: "detached-payload-not-empty",
    what: "a payload that starts at the end of its file is outside of it",
    file: "src/luks1/driver.ts",
    text: "const inside = header.payload_offset * SECTOR <= roundUp(payload.size, SECTOR);",
    by: "const inside = header.payload_offset * SECTOR < roundUp(payload.size, SECTOR);",
    names: "payload_offset",
  },
  {
    name: "slot-overlap-of-one-sector",
    what: "key material that overlaps by one sector is not reported",
    file: "src/luks1/judge/slots.ts",
    text: "return lastOf(second) >= first.start && lastOf(first) >= second.start;",
    by: "return lastOf(second) > first.start && lastOf(first) > second.start;",
    names: "key_material_offset",
  },
];
