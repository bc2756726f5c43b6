import { assert, assertEquals } from "@std/assert";
import { createCipheriv } from "node:crypto";
import { MemorySource } from "../../src/bytes/mod.ts";
import { damageText, type MaterialDamage, materialDamage } from "../../src/crypto/mod.ts";

const SECTOR = 512;

/** Random bytes that are the same in each run: zeros, encrypted with a counter. */
function random(length: number, seed: number): Uint8Array {
  const cipher = createCipheriv("aes-128-ctr", new Uint8Array(16).fill(seed), new Uint8Array(16));
  return new Uint8Array(cipher.update(new Uint8Array(length)));
}

function damageIn(bytes: Uint8Array): MaterialDamage[] {
  return materialDamage(new MemorySource(bytes), { offset: 0, length: bytes.length });
}

Deno.test("no sector of 64 MiB of random bytes is damaged", () => {
  for (let seed = 0; seed < 64; seed++) assertEquals(damageIn(random(2 ** 20, seed)), []);
});

Deno.test("each kind of damage is found where it is", () => {
  const sound = random(16 * SECTOR, 1);
  const damaged = (fill: (bytes: Uint8Array) => void): MaterialDamage[] => {
    const bytes = sound.slice();
    fill(bytes);
    return damageIn(bytes);
  };
  const from = 4 * SECTOR;
  const to = 6 * SECTOR;
  const one = (what: string, end = to) => [{ what, from, to: end }];
  assertEquals(damaged((bytes) => bytes.fill(0, from, to)), one("zero"));
  assertEquals(damaged((bytes) => bytes.fill(0xff, from, to)), one("filled with 0xff"));
  const text = new TextEncoder().encode(
    "The quick brown fox jumps over the lazy dog.\n".repeat(30),
  );
  assertEquals(damaged((bytes) => bytes.set(text.subarray(0, to - from), from)), one("text"));
  const low = (bytes: Uint8Array): void => {
    for (let at = from; at < to; at++) bytes[at] = (bytes[at] as number) & 0x7f;
  };
  assertEquals(damaged(low), one("not random"));
  // Sixteen equal bytes in a row are damage, fifteen are not.
  const run = (count: number) => (bytes: Uint8Array): void => {
    bytes.fill((bytes[from + 99] as number) ^ 1, from + 100, from + 100 + count);
    bytes[from + 100 + count] = (bytes[from + 100] as number) ^ 1;
  };
  assertEquals(damaged(run(16)), one("not random", from + SECTOR));
  assertEquals(damaged(run(15)), []);
});

Deno.test("parts in a row are one part, and only some of many are listed", () => {
  const bytes = random(32 * SECTOR, 2);
  for (let sector = 0; sector < 16; sector += 2) {
    bytes.fill(0, sector * SECTOR, (sector + 1) * SECTOR);
  }
  const damage = damageIn(bytes);
  assertEquals(damage.length, 8);
  assertEquals(
    damageText(3, damage, 0x1000),
    "Key material of slot 3 is zero from 0x1000 to 0x1200, zero from 0x1400 to 0x1600, zero from " +
      "0x1800 to 0x1a00, zero from 0x1c00 to 0x1e00, damaged in 4 more places: erased or " +
      "overwritten; no passphrase can open it",
  );
});

Deno.test("bytes past the end of the file, and past a bound, are not looked at", () => {
  const bytes = new Uint8Array(3 * 2 ** 20);
  const damage = materialDamage(new MemorySource(bytes), { offset: 2 ** 20, length: 2 ** 40 });
  assertEquals(damage, [{ what: "zero", from: 2 ** 20, to: 2 ** 21 }]);
  assert(materialDamage(new MemorySource(bytes), { offset: 2 ** 42, length: 512 }).length === 0);
});
