import { assertEquals } from "@std/assert";
import { legacyAes, legacyAesKey, sectorCipher } from "../../src/crypto/mod.ts";

const text = (string: string) => new TextEncoder().encode(string);

Deno.test("legacyAesKey() pads or cuts the passphrase, and ends it at a zero byte", () => {
  const key = (passphrase: string) => legacyAesKey(text(passphrase)).toHex();
  assertEquals(key("abc"), "61626300000000000000000000000000");
  assertEquals(key(""), "00000000000000000000000000000000");
  assertEquals(key("0123456789abcdef"), "30313233343536373839616263646566");
  assertEquals(key("0123456789abcdefg"), "30313233343536373839616263646566");
  assertEquals(key("ab\0cd"), "61620000000000000000000000000000");
  assertEquals(key("é"), "c3a90000000000000000000000000000");
});

Deno.test("legacyAes() is AES-128 in CBC mode with plain64 vectors", () => {
  const legacy = new Uint8Array(1024);
  const reference = new Uint8Array(1024);
  legacyAes(text("abc")).encrypt(legacy, 7n);
  sectorCipher({ cipher: "aes", mode: "cbc", ivGenerator: "plain64" }, legacyAesKey(text("abc")))
    .encrypt(reference, 7n);
  assertEquals(legacy, reference);
});
