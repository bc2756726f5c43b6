import { assertEquals } from "@std/assert";
import { whyNotAsDmCrypt } from "../../src/crypto/mod.ts";

// Linux drivers/md/dm-crypt.c: crypt_iv_benbi_ctr takes log2 of crypto_skcipher_blocksize, which is 1 of
// what the kernel has as a stream cipher; crypt_iv_eboiv_ctr refuses such a mode, and crypt_iv_eboiv_gen
// encrypts with the cipher of the content.
const SAME = {
  benbi: { cbc: true, xts: true, ctr: false, cfb: false, ofb: false },
  eboiv: { cbc: true, xts: false, ctr: false, cfb: false, ofb: false },
  plain64: { cbc: true, xts: true, ctr: true, cfb: true, ofb: true, cfb8: false, cfb1: false },
};

Deno.test("whyNotAsDmCrypt() tells where dm-crypt makes other vectors than cryptsetup", () => {
  for (const [ivGenerator, modes] of Object.entries(SAME)) {
    for (const [mode, same] of Object.entries(modes)) {
      const which = { cipher: "aes", mode, ivGenerator };
      assertEquals(whyNotAsDmCrypt(which) === undefined, same, JSON.stringify(which));
    }
  }
});

Deno.test("whyNotAsDmCrypt() knows names as they are spelt in a header", () => {
  const spelt = { cipher: "AES", mode: "CTR", ivGenerator: "Benbi:2" };
  assertEquals(whyNotAsDmCrypt(spelt), whyNotAsDmCrypt({ ...spelt, cipher: "aes", mode: "ctr" }));
  assertEquals(typeof whyNotAsDmCrypt(spelt), "string");
  assertEquals(whyNotAsDmCrypt({ cipher: "aes", mode: "ecb", ivGenerator: "eboiv" }), undefined);
});
