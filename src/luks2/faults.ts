import { SECTOR } from "../bytes/mod.ts";
import { canonicalHash, hashTable } from "../crypto/mod.ts";
import { isKnownCipher, whyNoCipher } from "./cipher.ts";
import { materialBytes, SALT_BYTES } from "./geometry.ts";
import { kdfFault } from "./keyslots/kdf.ts";
import type { Digest, Keyslot } from "./keyslots/keyslots.ts";
import type { Metadata } from "./metadata.ts";
import { member } from "./json/access.ts";
import { type Luks2Broken, placeOf, shown } from "./findings.ts";
import type { Luks2Rule } from "./rules.ts";

/** Why a slot cannot be used. */
export interface SlotFault extends Luks2Broken {
  /** Other slots are tried all the same. */
  readonly passedOver?: true;
}

/**
 * Why a slot cannot be used, whatever the passphrase.
 *
 * @param headerBytes length in bytes of the file that starts with the header
 */
export function slotFault(
  { copy }: Metadata,
  slot: Keyslot,
  { headerBytes }: { headerBytes: number },
): SlotFault | undefined {
  const { name, node, keyBytes, kdf, af, area } = slot;
  const place = placeOf(copy, `/keyslots/${name}`, node);
  const broken = (rule: Luks2Rule, message: string): SlotFault => ({
    rule,
    place,
    message: `Key slot ${name}: ${message}`,
  });
  if (keyBytes === 0) return broken("luks2.keyslot.key-size", "its key has no bytes");
  const derivation = kdfFault(kdf);
  if (derivation !== undefined) {
    return broken(`luks2.kdf.${derivation.rule}`, derivation.message);
  }
  const use = { encryption: area.encryption, sectorSize: SECTOR };
  const unusable = whyNoCipher(use, area.keyBytes);
  if (unusable !== undefined) {
    const fault = broken("luks2.area.cipher", unusable);
    return isKnownCipher(use) ? fault : { ...fault, passedOver: true };
  }
  const end = materialStart(slot) + materialBytes(keyBytes);
  if (end > headerBytes) {
    const message = `its key material ends at byte ${end}, and the file at ${headerBytes}`;
    return broken("luks2.area.readable", message);
  }
  if (canonicalHash(af.hash) !== undefined) return undefined;
  return broken("luks2.af.hash", `the hash ${shown(af.hash)} is not known`);
}

/** Where the key material of a slot starts, in bytes: with the sector that its area starts in. */
export function materialStart({ area }: Keyslot): number {
  // The area starts in a file, as its rule says: the number is exact.
  return Math.floor(Number(area.offset) / SECTOR) * SECTOR;
}

const DIGEST_MIN = 20;
const ITERATIONS_MAX = 2 ** 31 - 1;

/** Why a digest tells nothing of a key. */
export function digestFault({ copy }: Metadata, digest: Digest): SlotFault | undefined {
  const place = placeOf(copy, `/digests/${digest.name}`, digest.node);
  if (digest.type !== "pbkdf2") {
    const message = `The type of digest ${digest.name} is ${JSON.stringify(digest.type)}`;
    return { rule: "luks2.digest.type", place, message };
  }
  const { node, hash, iterations } = digest;
  const digestSize = hashTable[canonicalHash(hash) ?? ""]?.digestSize;
  const lengths = (["salt", "digest"] as const).map((field) => {
    const stored = member(node, field);
    return stored?.kind === "string" ? digest[field]?.length : 0;
  });
  const [salt = 0, sum = 0] = lengths;
  const missing = ["hash", "iterations", "salt"].some((field) => member(node, field) === undefined);
  if (missing || lengths.includes(undefined)) {
    const message = `Digest ${digest.name} lacks a value, or has one that is no base64`;
    return { rule: "luks2.digest.values", place, message };
  }
  if (salt !== SALT_BYTES || sum !== DIGEST_MIN && (sum !== digestSize || sum < DIGEST_MIN)) {
    const message = `Digest ${digest.name} has ${salt} bytes of salt and ${sum} of digest`;
    return { rule: "luks2.digest.lengths", place, message };
  }
  if (digestSize !== undefined && iterations >= 1 && iterations <= ITERATIONS_MAX) return undefined;
  const message = `Digest ${digest.name} has ${iterations} iterations of ${shown(hash)}`;
  return { rule: "luks2.digest.values", place, message };
}
