import { SECTOR } from "../../bytes/mod.ts";
import { type CipherSpec, type Luks1Header, specOf } from "../decode.ts";
import {
  cipherKeyBytes,
  essivFits,
  nettleHasMode,
  qemuHasCipher,
  qemuHasHash,
  qemuHasIvGenerator,
  qemuHasMode,
} from "../qemu_ciphers.ts";
import { type AddFinding, inHeader, must } from "../findings.ts";
import { STRIPES } from "../structures.ts";
import { notAsDmCrypt } from "../volume.ts";

/** Judges the names in a header, in the order in which QEMU does (parse_header). */
export function judgeCipher(header: Luks1Header, add: AddFinding): void {
  const spec = specOf(header);
  const { mode, ivHash, hash } = spec;
  const place = inHeader("cipher_mode");
  must(spec.ivGenerator !== undefined, add, {
    rule: "luks.cipher.mode-dash",
    place,
    message: () => `cipher_mode is ${quoted(mode)}, which has no '-' and IV generator`,
  });
  must(ivHash === undefined || qemuHasHash(ivHash), add, {
    rule: "luks.cipher.ivhash-known",
    place,
    message: () => `QEMU does not support ${quoted(ivHash ?? "")}, the hash of the IV generator`,
  });
  must(qemuHasMode(mode), add, {
    rule: "luks.cipher.mode-known",
    place,
    message: () => `QEMU does not support the mode ${quoted(mode)}`,
  });
  const known = must(qemuHasCipher(spec), add, {
    rule: "luks.cipher.name-and-size",
    place: inHeader("cipher_name"),
    message: () =>
      `QEMU does not support the cipher ${quoted(spec.cipher)} with keys of ` +
      `${cipherKeyBytes(spec)} bytes`,
  });
  must(qemuHasHash(hash), add, {
    rule: "luks.hash.known",
    place: inHeader("hash_spec"),
    message: () => `QEMU does not support the hash ${quoted(hash)}`,
  });
  judgeIv(spec, add);
  const elsewhere = notAsDmCrypt(spec);
  if (elsewhere !== undefined) add("luks.cipher.dm-crypt", place, () => elsewhere);
  if (known) judgeBackend(spec, add);
}

function judgeIv(spec: CipherSpec, add: AddFinding): void {
  const { ivGenerator, ivHash } = spec;
  if (ivGenerator === undefined) return;
  const place = inHeader("cipher_mode");
  must(qemuHasIvGenerator(ivGenerator), add, {
    rule: "luks.cipher.ivgen-known",
    place,
    message: () => `QEMU does not support the IV generator ${quoted(ivGenerator)}`,
  });
  if (ivGenerator !== "essiv") return;
  const named = must(ivHash !== undefined, add, {
    rule: "luks.cipher.essiv-hash-present",
    place,
    message: () => "The IV generator essiv has no hash",
  });
  // A hash that QEMU does not support has already been reported.
  if (!named || !qemuHasHash(ivHash ?? "") || !qemuHasCipher(spec)) return;
  must(essivFits(spec), add, {
    rule: "luks.cipher.essiv-key-size",
    place,
    message: () => `The digest length of ${ivHash} is not a key length of ${spec.cipher}`,
  });
}

/** Judges the properties that cause a failure only when a key is attempted. */
function judgeBackend(spec: CipherSpec, add: AddFinding): void {
  const { cipher, mode, keyBytes } = spec;
  must(nettleHasMode(spec), add, {
    rule: "luks.key.cipher-supported",
    place: inHeader("cipher_mode"),
    message: () => `QEMU does not support ${cipher} in mode ${mode}`,
  });
  const even = must(mode !== "xts" || keyBytes % 2 === 0, add, {
    rule: "luks.key.xts-even",
    place: inHeader("key_bytes"),
    message: () => `The key of ${keyBytes} bytes does not consist of two keys of the same length`,
  });
  must(!even || (keyBytes * STRIPES) % SECTOR === 0, add, {
    rule: "luks.key.material-sector-multiple",
    place: inHeader("key_bytes"),
    message: () =>
      `${STRIPES} stripes of ${keyBytes} bytes are not a multiple of ${SECTOR} bytes: QEMU aborts`,
  });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
