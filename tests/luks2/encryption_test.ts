import { assertEquals } from "@std/assert";
import { cipherOptions, isKnownCipher, whyNoCipher } from "../../src/luks2/encryption.ts";

const optionsOf = (encryption: string) => cipherOptions({ encryption, sectorSize: 512 });

Deno.test("an encryption is parsed as by cryptsetup, and `capi:` as by dm-crypt", () => {
  const alike = [
    ["capi:xts(aes)-plain64", "aes-xts-plain64"],
    ["capi:cbc(serpent)-essiv:sha256", "serpent-cbc-essiv:sha256"],
    ["capi:ctr(camellia)-benbi", "camellia-ctr-benbi"],
    ["aes-plain", "aes-cbc-plain"],
    ["aes", "aes-cbc-plain"],
  ];
  for (const [written = "", read = ""] of alike) {
    assertEquals(optionsOf(written), optionsOf(read), written);
    assertEquals(isKnownCipher({ encryption: written, sectorSize: 512 }), true, written);
  }
});

Deno.test("anything but one mode of one cipher of the kernel's crypto interface is unknown", () => {
  const unknown = [
    "capi:essiv(cbc(aes),sha256)-plain64",
    "capi:adiantum(xchacha20,aes)-plain64",
    "capi:xts(aes-generic)-plain64",
    "capi:xts(aes)",
    "capi:aes-xts-plain64",
    "xts(aes)-plain64",
    "capi:gcm(aes)-random",
    "paes-xts-plain64",
    "cipher_null-ecb",
  ];
  for (const encryption of unknown) {
    assertEquals(isKnownCipher({ encryption, sectorSize: 512 }), false, encryption);
  }
  assertEquals(
    whyNoCipher({ encryption: "paes-xts-plain64", sectorSize: 512 }, 64),
    "Cannot use the cipher paes: it is not known",
  );
});
