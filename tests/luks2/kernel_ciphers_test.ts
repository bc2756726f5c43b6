import { assertEquals } from "@std/assert";
import { hexOf } from "../../src/bytes/mod.ts";
import { sectorCipher } from "../../src/crypto/mod.ts";
import { luks2Content } from "../../src/luks2/mod.ts";
import { isUnimplemented } from "../../src/luks2/encryption.ts";
import { openVolume, readAll } from "./ours.ts";
import { modelOf, volumeOf } from "./volumes.ts";

/** Ciphers that only the kernel has, and the lengths of their keys: no tool here can make a volume. */
const CIPHERS = [
  ["aes-lrw-benbi", 32],
  ["aes-lrw-plain64", 48],
  ["twofish-lrw-benbi", 40],
  ["aes-cbc-essiv:wp256", 32],
  ["xchacha12,aes-adiantum-plain64", 32],
  ["xchacha20,aes-adiantum-plain64", 32],
] as const;

Deno.test("a volume with a cipher of the kernel is read", () => {
  for (const [encryption, keyBytes] of CIPHERS) {
    const options = { encryption, keyBytes, sectorSize: 4096 };
    const { layer, findings } = openVolume({ ...volumeOf(options), passphrase: "first" });
    assertEquals(findings.rules(), [], encryption);
    assertEquals(layer && readAll(layer), luks2Content(modelOf(options)), encryption);
  }
});

Deno.test("sectors of 512 and of 4096 bytes have other ciphertexts in Adiantum", () => {
  const options = { cipher: "xchacha12,aes", mode: "adiantum", ivGenerator: "plain64" };
  const [small, large] = [512, 4096].map((sectorSize) => {
    const bytes = new Uint8Array(4096);
    sectorCipher({ ...options, sectorSize }, new Uint8Array(32)).encrypt(bytes, 0n);
    return hexOf(bytes);
  });
  assertEquals(small === large, false);
});

Deno.test("ciphers that are known by name only are told from unknown ones", () => {
  const named = ["aes-hctr2-plain64", "aegis128-random", "aes-gcm-random", "aes-ccm-random"];
  for (const encryption of named) {
    assertEquals(isUnimplemented({ encryption, sectorSize: 512 }), true);
  }
  for (const encryption of ["aes-rot-plain64", "rot13-cbc-plain64", "aes-xts-plain64"]) {
    assertEquals(isUnimplemented({ encryption, sectorSize: 512 }), false, encryption);
  }
});
