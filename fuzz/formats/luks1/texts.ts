import { cipherModes, cipherNames, hashNames, ivGenerators } from "../../../src/crypto/mod.ts";
import type { Field } from "../../../src/layout/mod.ts";

/** Longer than any text field. */
const LONG = "a".repeat(64);

const CIPHERS: readonly string[] = [
  ...cipherNames,
  ...["", "des", "3des", "AES", "aes ", "aes-256", "aes\0serpent", LONG],
];

const HASHES: readonly string[] = [
  ...hashNames,
  ...["", "SHA256", "sha-256", "sha256 ", "crc32", "sha256\0sha1", LONG],
];

const MODES: readonly string[] = [
  ...cipherModes.flatMap((mode) => ivGenerators.map((generator) => `${mode}-${generator}`)),
  ...hashNames.map((hash) => `cbc-essiv:${hash}`),
  ...["xts-plain64:sha1", "xts-plain64:nothing", "xts-essiv:sha256", "cbc-plain:"],
  ...["", "-", "cbc", "cbc-", "-plain64", "cbc-essiv", "cbc-essiv:", "cbc-essiv:sha256:sha256"],
  ...["XTS-plain64", "xts-PLAIN64", "lrw-benbi", "cbc-plain64\0cbc", LONG],
];

const UUIDS: readonly string[] = ["", "not a uuid", "é", "\xff", LONG];

/** By the name of the field: those of a LUKS header are the only texts of a known length. */
const TEXTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["cipher_name", CIPHERS],
  ["cipher_mode", MODES],
  ["hash_spec", HASHES],
  ["uuid", UUIDS],
]);

/**
 * Texts for a field that are likely to reveal bugs: known names, near misses of them, and texts that
 * leave no room for a NUL byte. None for a field without text.
 */
export function luksTexts(field: Field): readonly string[] {
  return field.kind === "bytes" ? TEXTS.get(field.name) ?? [] : [];
}
