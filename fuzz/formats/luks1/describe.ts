import type { Luks1Model } from "../../../src/luks1/mod.ts";

/** Cipher, key and hash of a volume. */
export function cipherText({ spec }: Pick<Luks1Model, "spec">): string {
  const { cipher, mode, ivGenerator, ivHash, keyBytes, hash } = spec;
  const iv = ivGenerator === undefined ? "" : `-${ivGenerator}`;
  const by = ivHash === undefined ? "" : `:${ivHash}`;
  return `${cipher}-${mode}${iv}${by}, ${8 * keyBytes}-bit key, ${hash}`;
}

/** A volume in a line. */
export function describeLuks1(model: Luks1Model): string {
  const { keys, erased, detached, size } = model;
  const slots = keys.map(({ slot }) => slot).join(" and ");
  return [
    `LUKS, ${size} bytes, ${cipherText(model)}, keys in slots ${slots}`,
    ...(erased.length === 0 ? [] : [`slots ${erased.join(" and ")} erased`]),
    ...(detached ? ["header detached"] : []),
  ].join(", ");
}
