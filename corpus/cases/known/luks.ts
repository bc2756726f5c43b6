/** Known defects in reading LUKS. */

import type { Luks1Model } from "../../../src/luks1/mod.ts";
import { cut, json, set, text } from "../edit.ts";
import { modelOf } from "../luks1/models.ts";
import { DATA, modelOf as luks2Model } from "../luks2/models.ts";
import { known, type KnownImage, type KnownParts } from "./parts.ts";

const plain = modelOf({ material: "sparse", size: 512 });
const luks2 = luks2Model({ size: 1024 });
const MAX = 2 ** 32 - 1;

/** A volume of version 1 with another specification of its cipher. */
function withSpec(spec: Partial<Luks1Model["spec"]>, parts: Partial<Luks1Model> = {}): Luks1Model {
  return modelOf({ material: "sparse", size: 512, spec: { ...plain.spec, ...spec }, ...parts });
}

function luks(condition: string, parts: KnownParts): KnownImage {
  return known(`luks-${condition}`, { base: plain, ...parts });
}

const version1: readonly KnownImage[] = [
  luks("iterations-2-to-32-in-slot", {
    shows: "the second active key slot has 2^32 - 1 iterations; the passphrase opens the first",
    happened: "a reader that computes all keys, or the wrong one first, does not end for hours",
    flags: ["loop", "security"],
    edits: [set("/key_slots/2/iterations", MAX)],
  }),
  luks("iterations-2-to-32-in-all-slots", {
    shows: "all active key slots have 2^32 - 1 iterations, and there is no passphrase",
    happened: "a fuzzer without a limit hangs; the count is valid",
    flags: ["loop", "security"],
    passphrases: [],
    edits: [set("/key_slots/0/iterations", MAX), set("/key_slots/2/iterations", MAX)],
  }),
  luks("iterations-2-to-32-of-master-key", {
    shows: "the digest of the master key has 2^32 - 1 iterations, and there is no passphrase",
    happened: "a reader spends hours on the digest after it has opened a slot",
    flags: ["loop", "security"],
    passphrases: [],
    edits: [set("/header/mk_digest_iter", MAX)],
  }),
  luks("slot-end-wraps", {
    shows: "the key material of an active slot ends at sector 2^32, which wraps to 0",
    happened: "QEMU computes the end in 32 bits and sees no overlap with the payload",
    flags: ["overflow", "security"],
    edits: [set("/key_slots/2/key_material_offset", 2 ** 32 - 125)],
  }),
  luks("slot-1-beside-slot-0", {
    shows: "key slots 0 and 1 are active, and the passphrase opens slot 1",
    happened: "a reader that tries the first active slot only finds the passphrase wrong",
    flags: ["false-rejection"],
    base: modelOf({
      material: "sparse",
      size: 512,
      erased: [],
      keys: [
        { slot: 0, passphrase: "first", iterations: 2 },
        { slot: 1, passphrase: "second", iterations: 3 },
      ],
    }),
    passphrases: ["second"],
  }),
  luks("slot-3-alone", {
    shows: "the only active key slot is 3",
    happened: "a program read the key material of slot 0 for each slot",
    flags: ["false-rejection"],
    base: modelOf({
      material: "sparse",
      size: 512,
      erased: [],
      keys: [{ slot: 3, passphrase: "first", iterations: 2 }],
    }),
  }),
  luks("stripes-2", {
    shows: "the active key slots have 2 stripes",
    happened: "a program of Windows writes them; cryptsetup and QEMU require 4000",
    flags: ["specification"],
    edits: [set("/key_slots/0/stripes", 2), set("/key_slots/2/stripes", 2)],
  }),
  luks("key-bytes-1-stripes-1", {
    shows: "the key has one byte, and the active key slots have one stripe",
    happened: "a password cracker read behind its buffer",
    flags: ["over-read", "security"],
    edits: [
      set("/header/key_bytes", 1),
      set("/key_slots/0/stripes", 1),
      set("/key_slots/2/stripes", 1),
    ],
  }),
  luks("key-bytes-huge", {
    shows: "the key has 2^32 - 1 bytes",
    happened: "a reader that computes the length of key material in 32 bits accepts it",
    flags: ["overflow", "allocation", "security"],
    edits: [set("/header/key_bytes", MAX)],
  }),
  luks("key-material-truncated", {
    shows: "the file ends inside the key material of the first slot",
    happened: "a password cracker read behind the end of its input",
    flags: ["truncated", "over-read", "security"],
    edits: [cut("/key_material[0]", 1000)],
  }),
  luks("xts-512-sha1", {
    shows: "the key has 64 bytes, and the hash is SHA-1 with 20",
    happened:
      "a reader that does not cut the last chunk of the diffuser finds the passphrase wrong",
    flags: ["false-rejection"],
    base: withSpec({ mode: "xts", keyBytes: 64, hash: "sha1" }),
  }),
  luks("xts-192", {
    shows: "the key has 48 bytes in mode xts, which is AES-192",
    happened: "a reader that knows 32 and 64 bytes only rejects the volume",
    flags: ["false-rejection"],
    base: withSpec({ mode: "xts", keyBytes: 48 }),
  }),
  luks("essiv-of-128-bit-key", {
    shows: "the mode is cbc-essiv:sha256 with a key of 128 bits",
    happened:
      "a reader that uses AES-128 for the IV, whose key is a digest of 256 bits, reads wrong data",
    flags: ["wrong-data"],
    base: withSpec({ ivGenerator: "essiv", ivHash: "sha256" }),
  }),
  luks("xts-essiv", {
    shows: "the mode is xts-essiv:sha256",
    happened: "a reader that hashes one half of the key reads wrong data",
    flags: ["wrong-data"],
    base: withSpec({ mode: "xts", keyBytes: 64, ivGenerator: "essiv", ivHash: "sha256" }),
  }),
  luks("mode-with-letters-after-nul", {
    shows: "the cipher mode has letters after its NUL byte",
    happened: "a reader that compares the whole field rejects the volume",
    flags: ["false-rejection"],
    edits: [text("/header/cipher_mode", "cbc-plain64\0zzzz")],
  }),
  luks("hash-without-nul", {
    shows: "the name of the hash fills its field, without a NUL byte",
    happened: "a reader that looks for the end of the text leaves the field",
    flags: ["over-read", "security"],
    edits: [text("/header/hash_spec", "sha256".padEnd(32, "x"))],
  }),
  luks("payload-offset-before-slots", {
    shows: "the payload starts in the key material",
    happened: "a writer would overwrite the keys",
    flags: ["wrong-data"],
    edits: [set("/header/payload_offset", 8)],
  }),
];

function luks2Known(condition: string, parts: KnownParts): KnownImage {
  return known(`luks2-${condition}`, { base: luks2, ...parts });
}

const crypt = {
  type: "crypt",
  offset: String(DATA),
  iv_tweak: "0",
  encryption: "aes-xts-plain64",
  sector_size: 512,
};

const version2: readonly KnownImage[] = [
  luks2Known("segment-without-sector-size", {
    shows: "a crypt segment has no sector_size",
    happened: "cryptsetup before 2.3.4 did not check all members of segments",
    flags: ["over-read", "security"],
    edits: [json("/segments/0/sector_size")],
  }),
  luks2Known("many-segments", {
    shows: "there are 64 segments with gaps in their names",
    happened: "cryptsetup wrote behind a list of segments: a reconstruction of CVE-2020-14382",
    flags: ["over-read", "security"],
    edits: [
      json(
        "/segments",
        Object.fromEntries(
          Array.from({ length: 64 }, (_, i) => [
            String(2 * i),
            { ...crypt, offset: String(DATA + 512 * i), size: "512" },
          ]),
        ),
      ),
    ],
  }),
  luks2Known("reencryption-without-slot", {
    shows: "a reencryption is required, and no key slot describes it",
    happened: "a fake recovery decrypted a volume in silence: a reconstruction of CVE-2021-4122",
    flags: ["security"],
    edits: [json("/config/requirements", { mandatory: ["online-reencrypt-v2"] })],
  }),
  luks2Known("iterations-2-to-32", {
    shows: "a key slot that is ignored has 2^32 iterations, one more than its type has room for",
    happened: "cryptsetup converted the number without a check",
    flags: ["overflow", "loop", "security"],
    passphrases: ["second"],
    edits: [json("/keyslots/0/kdf/iterations", 2 ** 32), json("/keyslots/0/priority", 0)],
  }),
  luks2Known("header-size-0", {
    shows: "hdr_size is 0 in both copies",
    happened: "fuzzing of cryptsetup found that the field was not checked",
    flags: ["overflow", "security"],
    edits: [set("/primary/hdr_size", 0), set("/secondary/hdr_size", 0)],
  }),
  luks2Known("sector-size-0", {
    shows: "the sector size of the segment is 0",
    happened: "fuzzing of cryptsetup found a division by zero",
    flags: ["crash"],
    edits: [json("/segments/0/sector_size", 0)],
  }),
  luks2Known("keyslots-empty", {
    shows: "there are no key slots, but a digest refers to two",
    happened: "a program of systemd failed at JSON that it did not expect",
    flags: ["crash"],
    edits: [json("/keyslots", {})],
  }),
  luks2Known("keyring-description-long", {
    shows: "the key description of a keyring token has 4000 letters",
    happened: "cryptsetup scanned the text into a buffer of fixed length",
    flags: ["over-read", "security"],
    edits: [
      json("/tokens/0", {
        type: "luks2-keyring",
        keyslots: [],
        key_description: "k".repeat(4000),
      }),
    ],
  }),
  luks2Known("integrity-of-authenticated-cipher", {
    shows: "the segment has an integrity object",
    happened: "a reader that ignores it reads wrong data",
    flags: ["wrong-data"],
    edits: [
      json("/segments/0/integrity", {
        type: "aead",
        journal_encryption: "none",
        journal_integrity: "none",
      }),
    ],
  }),
  luks2Known("secondary-copy-alone", {
    shows: "the primary copy is zeros",
    happened: "a reader that knows the primary copy only rejects the volume",
    flags: ["false-rejection"],
    edits: [{ op: "bytes", skip: 0, bytes: new Uint8Array(4096) }],
  }),
];

/** Known defects in reading LUKS. */
export const luksKnown: readonly KnownImage[] = [...version1, ...version2];
