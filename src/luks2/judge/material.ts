import type { ByteSource } from "../../bytes/mod.ts";
import { damageText, materialDamage } from "../../crypto/mod.ts";
import { brokenAt, type Luks2Broken } from "../findings.ts";
import { materialBytes } from "../geometry.ts";
import { attemptsOf } from "../keyslots/attempts.ts";
import { materialStart } from "../keyslots/usable.ts";
import type { Metadata } from "../metadata.ts";

/**
 * The key slots that are attempted and whose key material is damaged, which tells them from a wrong
 * passphrase.
 *
 * @param only the only slot that is looked at
 */
export function damagedSlots(
  metadata: Metadata,
  keyMaterial: ByteSource,
  only?: number,
): Luks2Broken[] {
  const slots = new Set(attemptsOf(metadata, only).flatMap(({ slots }) => slots));
  return [...slots].flatMap((slot) => {
    const { name, key_size } = slot;
    const part = { offset: materialStart(slot), length: materialBytes(key_size) };
    const damage = materialDamage(keyMaterial, part);
    if (damage.length === 0) return [];
    const message = damageText(name, damage);
    return [brokenAt(metadata, "luks2.area.random", `/keyslots/${name}/area`, message)];
  });
}
