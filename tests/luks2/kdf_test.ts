import { argon2i, argon2id } from "@noble/hashes/argon2.js";
import { assertEquals } from "@std/assert";
import { deriveKey, type Kdf, kdfFault } from "../../src/luks2/mod.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const of = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

// RFC 9106, 5.2 and 5.3.
const rfc9106 = {
  password: of(1, 32),
  salt: of(2, 16),
  options: { t: 3, m: 32, p: 4, dkLen: 32, key: of(3, 8), personalization: of(4, 12) },
  argon2i: "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
  argon2id: "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
};

Deno.test("Argon2i and Argon2id give the tags of RFC 9106", () => {
  const { password, salt, options } = rfc9106;
  assertEquals(hex(argon2i(password, salt, options)), rfc9106.argon2i);
  assertEquals(hex(argon2id(password, salt, options)), rfc9106.argon2id);
});

const kdf: Kdf = {
  type: "argon2id",
  hash: "",
  iterations: 0,
  time: 2,
  memory: 33,
  cpus: 4,
  salt: of(7, 32),
};

Deno.test("deriveKey() uses the costs as Argon2 does", () => {
  const password = new TextEncoder().encode("secret");
  const options = { t: 2, m: 33, p: 4, dkLen: 64 };
  assertEquals(deriveKey(kdf, password, 64), argon2id(password, of(7, 32), options));
  const other = deriveKey({ ...kdf, type: "argon2i" }, password, 16);
  assertEquals(other, argon2i(password, of(7, 32), { ...options, dkLen: 16 }));
});

Deno.test("kdfFault() finds what Argon2 and PBKDF2 cannot do", () => {
  const ruleOf = (changes: Partial<Kdf>) => kdfFault({ ...kdf, ...changes })?.rule;
  assertEquals(ruleOf({}), undefined);
  assertEquals(ruleOf({ memory: 32 }), undefined);
  assertEquals(ruleOf({ memory: 31 }), "costs");
  assertEquals(ruleOf({ time: 0 }), "costs");
  assertEquals(ruleOf({ cpus: 0 }), "costs");
  assertEquals(ruleOf({ cpus: 2 ** 24, memory: 2 ** 30 }), "costs");
  assertEquals(ruleOf({ salt: of(7, 31) }), "salt");
  assertEquals(ruleOf({ salt: undefined }), "salt");
  assertEquals(ruleOf({ type: "scrypt" }), "type");
  assertEquals(ruleOf({ type: "constructor" }), "type");
  assertEquals(ruleOf({ type: "pbkdf2", hash: "sha256", iterations: 1 }), undefined);
  assertEquals(ruleOf({ type: "pbkdf2", hash: "sha256", iterations: 0 }), "costs");
  assertEquals(ruleOf({ type: "pbkdf2", hash: "sha257", iterations: 1 }), "hash");
});
