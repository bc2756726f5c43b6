import { assertEquals } from "@std/assert";
import { hash, hashNames } from "../../src/crypto/mod.ts";
import { canonicalEssivHash, essivHash } from "../../src/crypto/essiv_hash.ts";

const digestOf = (name: string, text: string) =>
  essivHash(name)?.digest(new TextEncoder().encode(text)).toHex();

Deno.test("essivHash() gives the answers of RFC 1320, appendix A.5, for md4", () => {
  assertEquals(digestOf("md4", ""), "31d6cfe0d16ae931b73c59d7e0c089c0");
  assertEquals(digestOf("md4", "abc"), "a448017aaf21d8525fc10ae87aa6729d");
  assertEquals(digestOf("md4", "1234567890".repeat(8)), "e33b4ddc9c38f2199c3e7b164fcc0536");
});

Deno.test("essivHash() gives the beginning of NIST's examples of SHAKE, as OpenSSL cuts it", () => {
  assertEquals(digestOf("shake128", ""), "7f9c2ba4e88f827d616045507605853e");
  assertEquals(
    digestOf("shake256", ""),
    "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f",
  );
});

Deno.test("essivHash() gives the answers of OpenSSL 3.0 for the Keccak of KMAC128", () => {
  assertEquals(
    digestOf("keccak-kmac-128", "abc"),
    "3bcfe6e0471a2168f61c444843e32aea0a09ec15bd9155f169189147f98c11fc",
  );
});

Deno.test("essivHash() has hashes of the kernel: Whirlpool cut to 256 bits, and BLAKE2", () => {
  // ISO/IEC 10118-3, and the reference implementation of BLAKE2: digests of nothing.
  assertEquals(
    digestOf("wp256", ""),
    "19fa61d75522a4669b44e39c1d2e1726c530232130d407f89afee0964997f7a7",
  );
  assertEquals(
    digestOf("blake2b-256", ""),
    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
  );
  assertEquals(digestOf("blake2s-128", ""), "64550d6ffe2c0a01a14aba1eade0200c");
});

Deno.test("essivHash() has every hash of a header, and no other", () => {
  for (const name of hashNames) {
    assertEquals(digestOf(name, "abc"), hash(name, new TextEncoder().encode("abc")).toHex());
    assertEquals(essivHash(name)?.digestSize, hash(name).length);
  }
  for (const name of ["", "MD4", "shake-128", "crc32", "constructor", "__proto__"]) {
    assertEquals(essivHash(name), undefined);
  }
});

Deno.test("canonicalEssivHash() only lowers the case of unknown names", () => {
  assertEquals(canonicalEssivHash("Tiger"), "tiger");
  assertEquals(canonicalEssivHash("__proto__"), "__proto__");
});
