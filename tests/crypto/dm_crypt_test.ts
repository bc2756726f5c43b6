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

Deno.test("whyNotAsDmCrypt() reports where the vectors of dm-crypt and cryptsetup differ", () => {
  for (const [ivGenerator, modes] of Object.entries(SAME)) {
    for (const [mode, same] of Object.entries(modes)) {
      const which = { cipher: "aes", mode, ivGenerator };
      assertEquals(whyNotAsDmCrypt(which) === undefined, same, JSON.stringify(which));
    }
  }
});

Deno.test("whyNotAsDmCrypt() accepts names as spelled in a header", () => {
  const spelled = { cipher: "AES", mode: "CTR", ivGenerator: "Benbi:2" };
  assertEquals(
    whyNotAsDmCrypt(spelled),
    whyNotAsDmCrypt({ ...spelled, cipher: "aes", mode: "ctr" }),
  );
  assertEquals(typeof whyNotAsDmCrypt(spelled), "string");
  assertEquals(whyNotAsDmCrypt({ cipher: "aes", mode: "ecb", ivGenerator: "eboiv" }), undefined);
});
