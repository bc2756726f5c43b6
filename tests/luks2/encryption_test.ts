import { assertEquals } from "@std/assert";
import { liveTest } from "../live.ts";
import { atOnce, differences } from "./live.ts";
import { type AnyJson, changedVolume } from "./volumes.ts";
import { cipherOptions, isKnownCipher, whyNoCipher } from "../../src/luks2/encryption.ts";

const optionsOf = (encryption: string) => cipherOptions({ encryption, sectorSize: 512 });

Deno.test("an encryption is parsed as by cryptsetup, and `capi:` as by dm-crypt", () => {
  const alike = [
    ["capi:xts(aes)-plain64", "aes-xts-plain64"],
    ["capi:cbc(serpent)-essiv:sha256", "serpent-cbc-essiv:sha256"],
    ["capi:ctr(camellia)-benbi", "camellia-ctr-benbi"],
    ["aes-plain", "aes-cbc-plain"],
    ["aes", "aes-cbc-plain"],
    ["aes-xts-plain64 ", "aes-xts-plain64"],
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

const SPELLINGS = [
  ...["aes-xts-plain64 ", "aes-xts-plain64\t\n", "aes-xts-plain64 x", "aes- xts-plain64"],
  ...["aes -xts-plain64", " aes-xts-plain64", "aes-xts -plain64", "aes-xts-plain64\u00a0"],
  ...["aes--xts-plain64", "-xts-plain64", "xts-", `aes-xts-plain64${" ".repeat(40)}`],
];

liveTest(
  { needs: ["cryptsetup"] },
  "spaces in the encryption of a key slot are read as by cryptsetup",
  async (directory) => {
    const found: string[] = [];
    await atOnce(SPELLINGS, async (encryption, worker) => {
      const json = (root: AnyJson) => root.keyslots[0].area.encryption = encryption;
      const volume = changedVolume({}, { json: (root) => void json(root) });
      const differing = await differences(volume, `${directory}/${worker}`);
      found.push(...differing.map((text) => `${JSON.stringify(encryption)}: ${text}`));
    });
    assertEquals(found, []);
  },
);
