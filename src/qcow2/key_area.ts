import type { ByteSource } from "../bytes/mod.ts";
import type { KeyArea } from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import { keyAreaIn } from "../luks1/mod.ts";
import { Findings } from "../rules/mod.ts";
import { decodeQcow2, extensionData, extensionOf, has } from "./decode.ts";
import { qcow2Driver } from "./driver.ts";
import { cryptMethods, encryptionPointer, extensionTypes, header } from "./structures.ts";

/**
 * Finds the LUKS header inside an image and its key material.
 *
 * @returns the location, or the reason why it cannot be written to, as the end of a sentence;
 * `undefined` if the file is not qcow2
 */
export function keyAreaOf(source: ByteSource): KeyArea | string | undefined {
  if (!qcow2Driver.probe(source.read(0, header.size))) return undefined;
  const findings = new Findings();
  qcow2Driver.open(source, findings);
  const refusal = findings.refusal("info");
  if (refusal !== undefined) return `it cannot be opened: ${refusal.message}`;
  const pointed = luksAreaOf(source);
  return typeof pointed === "string" ? pointed : keyAreaIn(source, pointed, "inside");
}

/** The region that the encryption header pointer points to. */
export function luksAreaOf(source: ByteSource): KeyArea | string {
  const file = decodeQcow2(source);
  const { crypt_method: method } = file.header;
  if (method === cryptMethods.none) return "it is not encrypted";
  if (method === cryptMethods.aes) return "the legacy AES has no key slots";
  if (has(file, "corrupt")) return "it is marked as corrupt";
  const extension = extensionOf(file, extensionTypes.encryptionHeader);
  if (extension === undefined || extension.length !== encryptionPointer.size) {
    return "it has no encryption header pointer";
  }
  const { offset, length } = decode(encryptionPointer, extensionData(file, extension));
  if (offset === 0n || offset + length > BigInt(source.size)) {
    return "its LUKS header is outside the file";
  }
  return { offset: Number(offset), length: Number(length) };
}
