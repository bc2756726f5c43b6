import type { ByteSource } from "../../bytes/mod.ts";
import type { WorkBudget } from "../../format/mod.ts";
import { type Luks1Header, specOf } from "../decode.ts";
import { inHeader, type Luks1Broken } from "../findings.ts";
import { unlock } from "./unlock.ts";
import { Luks1Volume, whyUnusable } from "../volume.ts";
import { ITERATIONS_BUDGET } from "./iterations.ts";

/** What the content of a volume is reached with. */
export interface AccessOptions {
  /** What key_material_offset counts from. */
  readonly keyMaterial: ByteSource;
  /** Each is tried, in this order. */
  readonly passphrases?: readonly Uint8Array[] | undefined;
  /** Work that is done for all of them at most, in iterations with SHA-256. */
  readonly iterationsMax?: number | undefined;
  /** What is left of that, where it is for more than this volume. */
  readonly budget?: WorkBudget | undefined;
  /** Length in bytes of the region that key material has to be in, where there is one. */
  readonly regionBytes?: number;
}

/** The content for the first passphrase that opens a key slot, or why there is none. */
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

/** Nothing to open a key slot with. */
export const noKey: Luks1Broken = Object.freeze({
  rule: "luks.open.key-present",
  place: inHeader("magic"),
  message: "The volume is encrypted, and no passphrase is given",
});
