import { assert, assertEquals } from "@std/assert";
import { pbkdf2Sync } from "node:crypto";
import { deriveElsewhere } from "../../src/crypto/pbkdf2_worker.ts";

const password = new TextEncoder().encode("correct horse");
const salt = new Uint8Array(32).fill(9);

for (const hash of ["sha256", "sha384", "sha512"] as const) {
  Deno.test(`deriveElsewhere() gives the key of ${hash} that the platform gives here`, () => {
    for (const length of [1, 20, 64, 65]) {
      const key = deriveElsewhere(hash, { password, salt, iterations: 80_000, length });
      assert(key !== undefined, "no other thread did it");
      assertEquals(key, new Uint8Array(pbkdf2Sync(password, salt, 80_000, length, hash)));
    }
  });
}

Deno.test("deriveElsewhere() does not handle few iterations or other hashes, where it is slower", () => {
  assertEquals(
    deriveElsewhere("sha1", { password, salt, iterations: 80_000, length: 20 }),
    undefined,
  );
  assertEquals(
    deriveElsewhere("sha256", { password, salt, iterations: 79_999, length: 20 }),
    undefined,
  );
});
