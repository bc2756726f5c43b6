import type { ByteSource } from "../../bytes/mod.ts";
import { decode, fieldOf } from "../../layout/mod.ts";
import { decodeQcow2, extensionData, extensionOf, has } from "../decode.ts";
import { encryptionPointer, extensionTypes, header } from "../structures.ts";

/** Where a LUKS header and its key material lie in an image, in bytes. */
export interface LuksArea {
  readonly offset: number;
  readonly length: number;
}

/**
 * Finds the LUKS header inside an image whose header is sound.
 *
 * @returns the place, or why there is none to write to, as the end of a sentence
 */
export function luksAreaOf(source: ByteSource): LuksArea | string {
  const file = decodeQcow2(source);
  const { none, aes } = fieldOf(header, "crypt_method").values ?? {};
  const { crypt_method: method } = file.header;
  if (method === Number(none)) return "it is not encrypted";
  if (method === Number(aes)) return "the legacy AES has no key slots";
  if (has(file, "corrupt")) return "it is marked as corrupt";
  const extension = extensionOf(file, extensionTypes.encryptionHeader);
  if (extension === undefined || extension.length !== encryptionPointer.size) {
    return "it says nowhere where its LUKS header lies";
  }
  const { offset, length } = decode(encryptionPointer, extensionData(file, extension));
  if (offset === 0n || offset + length > BigInt(source.size)) {
    return "its LUKS header lies outside of the file";
  }
  return { offset: Number(offset), length: Number(length) };
}
