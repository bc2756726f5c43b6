import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import { damageText, materialDamage } from "../../crypto/mod.ts";
import type { Luks1Header } from "../decode.ts";
import { inSlot, type Luks1Broken } from "../findings.ts";
import { isTried } from "../keyslots/iterations.ts";

/**
 * The enabled key slots whose key material is damaged, which tells them from a wrong passphrase.
 *
 * @param options.keyMaterial the source that key_material_offset is relative to
 * @param options.base where that source starts in the file
 * @param options.only the only slot that is looked at
 */
export function damagedSlots(
  header: Luks1Header,
  { keyMaterial, base = 0, only }: {
    readonly keyMaterial: ByteSource;
    readonly base?: number;
    readonly only?: number | undefined;
  },
): Luks1Broken[] {
  return header.slots.flatMap((slot, index) => {
    if (!isTried(slot) || only !== undefined && only !== index) return [];
    const offset = slot.key_material_offset * SECTOR;
    const length = header.key_bytes * slot.stripes;
    const damage = materialDamage(keyMaterial, { offset, length });
    if (damage.length === 0) return [];
    const place = inSlot(index, "key_material_offset");
    return [{ rule: "luks.slot.material-random", place, message: damageText(index, damage, base) }];
  });
}
