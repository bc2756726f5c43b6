import type { ByteSource } from "../../bytes/mod.ts";
import type { KeptKeys } from "../../crypto/mod.ts";
import type { WorkBudget } from "../../format/mod.ts";
import { type Luks1Header, specOf } from "../decode.ts";
import { inHeader, type Luks1Broken } from "../findings.ts";
import { unlock } from "./unlock.ts";
import { Luks1Volume, whyUnusable } from "../volume.ts";
import { ITERATIONS_BUDGET } from "./iterations.ts";

/** Options for opening the content of a volume. */
export interface AccessOptions {
  /** The source that key_material_offset is relative to. */
  readonly keyMaterial: ByteSource;
  /** The passphrases, attempted in this order. */
  readonly passphrases?: readonly Uint8Array[] | undefined;
  /** The maximum work for all of them, in iterations with SHA-256. */
  readonly iterationsMax?: number | undefined;
  /** The remaining work, if it is shared with other volumes. */
  readonly budget?: WorkBudget | undefined;
  /** Keys of slots that were opened before. */
  readonly keptKeys?: KeptKeys | undefined;
  /** Length in bytes of the region that must contain the key material, if there is one. */
  readonly regionBytes?: number;
}

/** The content for the first passphrase that opens a key slot, or the reason why there is none. */
export function accessTo(
  header: Luks1Header,
  { keyMaterial, passphrases, iterationsMax = ITERATIONS_BUDGET, regionBytes, ...shared }:
    AccessOptions,
): Luks1Volume | Luks1Broken {
  const spec = specOf(header);
  if (passphrases === undefined || passphrases.length === 0) return noKey;
  const reason = whyUnusable(spec);
  if (reason !== undefined) {
    const place = inHeader("cipher_mode");
    return { rule: "luks.key.cipher-supported", place, message: reason };
  }
  const bounds = {
    iterationsMax,
    budget: shared.budget ?? { left: iterationsMax },
    keptKeys: shared.keptKeys,
    ...(regionBytes === undefined ? {} : { regionBytes }),
  };
  let locked: Luks1Broken = noKey;
  for (const passphrase of passphrases) {
    const key = unlock(header, { keyMaterial, passphrase, ...bounds });
    if ("masterKey" in key) return new Luks1Volume(spec, key.masterKey);
    locked = key;
  }
  return locked;
}

/** There is no passphrase. */
export const noKey: Luks1Broken = Object.freeze({
  rule: "luks.open.key-present",
  place: inHeader("magic"),
  message: "The volume is encrypted, and no passphrase is given",
});
