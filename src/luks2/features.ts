import type { ByteSource } from "../bytes/mod.ts";
import type { FeatureTable } from "../format/mod.ts";
import { chooseCopy } from "./copies.ts";
import { decodeLuks2 } from "./decode.ts";
import { defaultSegment } from "./segments/segments.ts";

/** The features of LUKS version 2 that an implementation may lack. */
export const luks2Features = {
  "luks2": "LUKS version 2",
  "luks2.CIPHER": "a cipher, such as luks2.aes-xts-plain64",
  "luks2.reencryption": "an online reencryption in progress",
  "luks2.no-segment": "no segment of type crypt",
} as const satisfies FeatureTable;

/** The features that a volume uses, according to the copy of the header that counts. */
export function luks2FeaturesOf(source: ByteSource): string[] {
  const { metadata } = chooseCopy(decodeLuks2(source));
  if (metadata === undefined) return ["luks2"];
  const encryption = defaultSegment(metadata.json)?.encryption;
  const cipher = encryption === undefined
    ? "luks2.no-segment"
    : `luks2.${/^[\w:-]{1,64}$/.test(encryption) ? encryption : "unknown"}`;
  return ["luks2", cipher, ...(metadata.reencryption === undefined ? [] : ["luks2.reencryption"])];
}
