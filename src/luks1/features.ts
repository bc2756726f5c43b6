import type { ByteSource } from "../bytes/mod.ts";
import type { FeatureTable } from "../format/mod.ts";
import { decodeLuks1, specOf } from "./decode.ts";

/** The features of LUKS version 1 that an implementation may lack. */
export const luks1Features = {
  "luks": "LUKS version 1",
  "luks.CIPHER-MODE": "a cipher in a mode, such as luks.aes-xts",
  "luks.iv.GENERATOR": "an IV generator, such as luks.iv.plain64",
  "luks.hash.HASH": "a hash, such as luks.hash.sha256",
} as const satisfies FeatureTable;

/** The features that a volume uses, according to its header. */
export function luks1FeaturesOf(source: ByteSource): string[] {
  const { cipher, mode, ivGenerator, hash } = specOf(decodeLuks1(source));
  return [
    "luks",
    `luks.${word(cipher)}-${word(mode)}`,
    ...(ivGenerator === undefined ? [] : [`luks.iv.${word(ivGenerator)}`]),
    `luks.hash.${word(hash)}`,
  ];
}

/** Text from a header is not to be trusted as part of a name. */
function word(text: string): string {
  return /^[\w-]{1,32}$/.test(text) ? text : "unknown";
}
