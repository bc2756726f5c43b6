import { SECTOR } from "../bytes/mod.ts";
import { imageText, type Json } from "../format/mod.ts";
import { type Luks1Header, specOf } from "./decode.ts";
import { isEnabled } from "./judge/slots.ts";
import { cipherAlg } from "./qemu_ciphers.ts";

/**
 * The output of `info` for a header, without a passphrase: the `data` of qemu-img's format-specific
 * information for `luks` and, with `format: "luks"` added, the `encrypt` of that for `qcow2`.
 * `detached-header` is absent from the output of qemu-img before 9.0.
 */
export function luks1Info(header: Luks1Header): { readonly [key: string]: Json } {
  const spec = specOf(header);
  const hasIvHash = spec.ivGenerator === "essiv" && spec.ivHash !== undefined;
  return {
    "cipher-alg": cipherAlg(spec),
    "cipher-mode": spec.mode,
    ...(spec.ivGenerator === undefined ? {} : { "ivgen-alg": spec.ivGenerator }),
    ...(hasIvHash ? { "ivgen-hash-alg": spec.ivHash as string } : {}),
    "hash-alg": spec.hash,
    "payload-offset": header.payload_offset * SECTOR,
    "master-key-iters": header.mk_digest_iter,
    uuid: imageText(header.uuid),
    // QEMU uses the offset, not the way in which the header was opened.
    "detached-header": header.payload_offset === 0,
    slots: header.slots.map((slot) => ({
      active: isEnabled(slot),
      "key-offset": slot.key_material_offset * SECTOR,
      ...(isEnabled(slot) ? { iters: slot.iterations, stripes: slot.stripes } : {}),
    })),
  };
}
