import { assertEquals, assertThrows } from "@std/assert";
import {
  afMerge,
  canonicalHash,
  hash,
  hashAliases,
  hashNames,
  hashTable,
  pbkdf2,
} from "../../src/crypto/mod.ts";
import { numberedHash } from "../../src/crypto/hash.ts";
import {
  type DerivedKey,
  emptyPasswords,
  hashAnswers,
  longPasswords,
  rfc6070,
  rfc7914,
} from "./hash_vectors.ts";

const text = (string: string) => new TextEncoder().encode(string);

Deno.test("hash() gives the published digests, of the length that hashTable says", () => {
  assertEquals(hashAnswers.map((answers) => answers.hash), [...hashNames]);
  for (const { hash: name, empty, abc, digits } of hashAnswers) {
    assertEquals(hash(name).toHex(), empty);
    assertEquals(hash(name, text("abc")).toHex(), abc);
    assertEquals(hash(name, text("1234567890".repeat(8))).toHex(), digits);
    assertEquals(hash(name).length, hashTable[name]?.digestSize);
  }
});

/** FIPS 180-4's, RIPEMD-160's and Whirlpool's test of a million times the letter a. */
const MILLION = {
  sha1: "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
  sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  ripemd160: "52783243c1697bdbe16d37f97f68f08325dc1528",
  whirlpool: "0c99005beb57eff50a7cf005560ddf5d29057fd86b20bfd62deca0f1ccea4af5" +
    "1fc15490eddc47af32bb2b66c34ff9ad8c6008ad677f77126953b226e4ed8b01",
};

Deno.test("hash() gives the published digests of a long message", () => {
  const message = text("a".repeat(1_000_000));
  for (const [name, digest] of Object.entries(MILLION)) {
    assertEquals(hash(name, message).toHex(), digest);
  }
});

Deno.test("hash() gives the digest of GB/T 32905-2016, example 2, for sm3", () => {
  assertEquals(
    hash("sm3", text("abcd".repeat(16))).toHex(),
    "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
  );
});

Deno.test("hash() hashes its parts one after the other", () => {
  const parts = ["", "12345678901234567890", "", "123456789012345678901234567890", "1234567890"]
    .map(text);
  const last = text("12345678901234567890");
  for (const { hash: name, digits } of hashAnswers) {
    assertEquals(hash(name, ...parts, last).toHex(), digits);
  }
});

Deno.test("numberedHash() gives what hash() gives, again and again", () => {
  for (const name of hashNames) {
    const { digestSize, replace } = numberedHash(name);
    assertEquals(digestSize, hashTable[name].digestSize);
    for (const length of [digestSize, 1, digestSize - 1, 0, digestSize]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i + length);
      const expected = hash(name, Uint8Array.of(1, 2, 3, 4), bytes).subarray(0, length);
      replace(0x01020304, bytes);
      assertEquals(bytes.toHex(), expected.toHex(), `${name} of ${length} bytes`);
    }
  }
});

function assertDerived({ hash: name, password, salt, iterations, key }: DerivedKey): void {
  const derived = pbkdf2(name, text(password), text(salt), iterations, key.length / 2);
  assertEquals(derived.toHex(), key, name);
}

Deno.test("pbkdf2() gives the keys of RFC 6070", () => {
  for (const vector of rfc6070) assertDerived(vector);
});

Deno.test("pbkdf2() gives the keys of RFC 7914, section 11", () => {
  for (const vector of rfc7914) assertDerived(vector);
});

Deno.test("pbkdf2() gives the keys of cryptsetup's tests for long passwords", () => {
  for (const vector of longPasswords) assertDerived(vector);
});

Deno.test("pbkdf2() accepts every hash, and an empty password", () => {
  assertEquals(emptyPasswords.map((vector) => vector.hash), [...hashNames]);
  for (const vector of emptyPasswords) assertDerived(vector);
});

Deno.test("hash(), pbkdf2() and afMerge() accept every name that cryptsetup has for a hash", () => {
  const bytes = text("abc".repeat(40));
  let names = 0;
  for (const name of hashNames) {
    assertEquals(canonicalHash(name), name);
    for (const alias of hashAliases[name] ?? []) {
      for (const spelling of [alias, alias.toUpperCase()]) {
        assertEquals(canonicalHash(spelling), name);
        assertEquals(hash(spelling, bytes), hash(name, bytes));
        assertEquals(pbkdf2(spelling, bytes, bytes, 2, 70), pbkdf2(name, bytes, bytes, 2, 70));
        assertEquals(afMerge(bytes, 40, 3, spelling), afMerge(bytes, 40, 3, name));
        names++;
      }
    }
  }
  assertEquals(names, 2 * 35);
});

Deno.test("hash(), numberedHash() and pbkdf2() reject unusable arguments", () => {
  const none = new Uint8Array(0);
  for (
    const name of [
      "crc32",
      "SHA-265",
      "md5 ",
      "MD5",
      "blake2\u017f256",
      "constructor",
      "__proto__",
      "",
    ]
  ) {
    const message = `Cannot use the hash ${name}: it is not known`;
    assertThrows(() => hash(name, none), RangeError, message);
    assertThrows(() => numberedHash(name), RangeError, message);
    assertThrows(() => pbkdf2(name, none, none, 1, 1), RangeError, message);
  }
  for (const iterations of [0, -1, 1.5, NaN, 2 ** 31]) {
    assertThrows(
      () => pbkdf2("sha1", none, none, iterations, 1),
      RangeError,
      "Cannot derive a key",
    );
  }
  for (const length of [0, -1, 1.5, 2 ** 31]) {
    assertThrows(() => pbkdf2("sha1", none, none, 1, length), RangeError, "Cannot derive a key");
  }
});
