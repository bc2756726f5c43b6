import { SECTOR } from "../../bytes/mod.ts";
import { canonicalHash, hashTable } from "../../crypto/mod.ts";
import type { Metadata } from "../metadata.ts";
import { isKnownCipher, whyNoCipher } from "../encryption.ts";
import { brokenAt, type Luks2Broken, shown } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { materialBytes, SALT_BYTES } from "../geometry.ts";
import type { Digest, Keyslot } from "../json/description.ts";
import { member } from "../json/value.ts";
import { kdfFault } from "./kdf.ts";

/** Why a slot cannot be used. */
export interface SlotFault extends Luks2Broken {
  /** Other slots are still attempted. */
  readonly skipped?: true;
}

/**
 * Why a slot cannot be used, whatever the passphrase.
 *
 * @param headerBytes length in bytes of the file that starts with the header
 */
export function slotFault(
  metadata: Metadata,
  slot: Keyslot,
  { headerBytes }: { headerBytes: number },
): SlotFault | undefined {
  const { name, key_size, kdf, af, area } = slot;
  const broken = (rule: Luks2Rule, why: string): SlotFault =>
    brokenAt(metadata, rule, `/keyslots/${name}`, `Key slot ${name} cannot be used: ${why}`);
  if (key_size === 0) return broken("luks2.keyslot.key-size", "its key is empty");
  const derivation = kdfFault(kdf);
  if (derivation !== undefined) return broken(`luks2.kdf.${derivation.rule}`, derivation.message);
  const use = { encryption: area.encryption, sectorSize: SECTOR };
  const unusable = whyNoCipher(use, area.key_size);
  if (unusable !== undefined) {
    const fault = broken("luks2.area.cipher", unusable);
    return isKnownCipher(use) ? fault : { ...fault, skipped: true };
  }
  const end = materialStart(slot) + materialBytes(key_size);
  if (end > headerBytes) {
    const message =
      `its key material ends at byte ${end}, after the end of the file at byte ${headerBytes}`;
    return broken("luks2.area.readable", message);
  }
  if (canonicalHash(af.hash) !== undefined) return undefined;
  return broken("luks2.af.hash", `the hash ${shown(af.hash)} is not known`);
}

/** Where the key material of a slot starts, in bytes: at the sector that its area starts in. */
export function materialStart({ area }: Keyslot): number {
  // The area starts in a file, as its rule says: the number is exact.
  return Math.floor(Number(area.offset) / SECTOR) * SECTOR;
}

const DIGEST_MIN = 20;
const ITERATIONS_MAX = 2 ** 31 - 1;

/** Why a digest cannot verify a key. */
export function digestFault(metadata: Metadata, digest: Digest): SlotFault | undefined {
  const { name, node, type, hash, iterations } = digest;
  const broken = (rule: Luks2Rule, why: string): SlotFault =>
    brokenAt(metadata, rule, `/digests/${name}`, `Digest ${name} cannot be used: ${why}`);
  if (type !== "pbkdf2") return broken("luks2.digest.type", `its type is ${shown(type)}`);
  const digestSize = hashTable[canonicalHash(hash) ?? ""]?.digestSize;
  const missing = ["hash", "iterations", "salt"].find((field) => member(node, field) === undefined);
  if (missing !== undefined) return broken("luks2.digest.values", `${missing} is missing`);
  // Values that are not strings count as empty.
  const [salt, sum] = (["salt", "digest"] as const).map((field) =>
    member(node, field)?.kind === "string" ? digest[field]?.length : 0
  );
  const otherLength = (field: string, bytes: number): SlotFault =>
    broken("luks2.digest.lengths", `its ${field} has ${bytes} bytes`);
  // In the order of cryptsetup, which reads no digest after a salt of another length.
  if (salt === undefined) return broken("luks2.digest.values", "its salt is not base64");
  if (salt !== SALT_BYTES) return otherLength("salt", salt);
  if (sum === undefined) return broken("luks2.digest.values", "its digest is not base64");
  if (sum !== DIGEST_MIN && (sum !== digestSize || sum < DIGEST_MIN)) {
    return otherLength("digest", sum);
  }
  if (digestSize !== undefined && iterations >= 1 && iterations <= ITERATIONS_MAX) return undefined;
  return broken("luks2.digest.values", `it has ${iterations} iterations of ${shown(hash)}`);
}
