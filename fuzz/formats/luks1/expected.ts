import { SECTOR } from "../../../src/bytes/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import type { Luks1Model } from "../../../src/luks1/mod.ts";

/** Header and key materials start at multiples of this. */
const UNIT = 4096;
const SLOTS = 8;
const STRIPES = 4000;

/**
 * The expected `info` of a volume, derived from its model and not from the built image: the `data` of
 * qemu-img's format-specific information.
 */
export function expectedInfo(model: Luks1Model): { readonly [key: string]: Json } {
  const { spec, keys, detached, gap } = model;
  const bits = 8 * (spec.mode === "xts" ? spec.keyBytes / 2 : spec.keyBytes);
  const room = UNIT * Math.ceil(spec.keyBytes * STRIPES / UNIT);
  return {
    "cipher-alg": spec.cipher === "sm4" ? "sm4" : `${spec.cipher}-${bits}`,
    "cipher-mode": spec.mode,
    ...(spec.ivGenerator === undefined ? {} : { "ivgen-alg": spec.ivGenerator }),
    // QEMU names the hash if the IV generator uses one.
    ...(spec.ivGenerator === "essiv" ? { "ivgen-hash-alg": spec.ivHash ?? "" } : {}),
    "hash-alg": spec.hash,
    "payload-offset": detached ? 0 : UNIT + SLOTS * room + gap * SECTOR,
    "master-key-iters": model.digestIterations,
    uuid: model.uuid,
    "detached-header": detached,
    slots: Array.from({ length: SLOTS }, (_, index) => {
      const key = keys.find(({ slot }) => slot === index);
      const place = { active: key !== undefined, "key-offset": UNIT + index * room };
      return key === undefined ? place : { ...place, iters: key.iterations, stripes: STRIPES };
    }),
  };
}
