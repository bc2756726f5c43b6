import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  cipherModes,
  cipherNames,
  hash,
  ivGenerators,
  reasonUnusable,
  sectorCipher,
  type SectorCipherOptions,
  volumeKeyLengths,
} from "../../src/crypto/mod.ts";
import { ivVectorKey, ivVectors } from "./iv_vectors.ts";
import { ieee1619 } from "./xts_vectors.ts";

for (const { generator, hash: ivHash, firstSector, digests } of ivVectors) {
  const title = ivHash === undefined ? generator : `${generator}:${ivHash}`;
  Deno.test(`sectorCipher() has the vectors of cryptsetup for ${title}`, () => {
    for (const [size, digest] of Object.entries(digests)) {
      const options = { cipher: "aes", mode: "cbc", ivGenerator: generator, ivHash };
      const volume = sectorCipher(
        { ...options, sectorSize: Number(size) },
        Uint8Array.fromHex(ivVectorKey),
      );
      const content = new Uint8Array(8192);
      volume.encrypt(content, firstSector);
      assertEquals(hash("sha256", content).toHex(), digest, `sectors of ${size}`);
      volume.decrypt(content, firstSector);
      assertEquals(content, new Uint8Array(8192));
    }
  });
}

Deno.test("sectorCipher() numbers data units as IEEE Std 1619-2007 does", () => {
  const units = ieee1619.filter(({ plain }) => plain.length === 1024);
  assertEquals(units.length, 11);
  for (const { key, tweak, plain, cipher } of units) {
    const number = Uint8Array.fromHex(tweak).reduceRight(
      (sum, byte) => 256n * sum + BigInt(byte),
      0n,
    );
    const volume = sectorCipher(
      { cipher: "aes", mode: "xts", ivGenerator: "plain64" },
      Uint8Array.fromHex(key),
    );
    const unit = Uint8Array.fromHex(plain);
    volume.encrypt(unit, number);
    assertEquals(unit.toHex(), cipher);
    volume.decrypt(unit, number);
    assertEquals(unit.toHex(), plain);
  }
});

/** Every combination that there is, with a key of counting bytes. */
function* everyCipher(): Generator<{ options: SectorCipherOptions; key: Uint8Array }> {
  for (const cipher of cipherNames) {
    for (const mode of cipherModes) {
      for (const ivGenerator of ivGenerators) {
        for (const length of volumeKeyLengths(cipher, mode)) {
          const key = Uint8Array.from({ length }, (_, i) => 7 * i + 1);
          const options = { cipher, mode, ivGenerator, ivHash: "md5" };
          if (reasonUnusable(options, length) === undefined) yield { options, key };
        }
      }
    }
  }
}

Deno.test("sectorCipher() reverses its own encryption, in every combination", () => {
  let combinations = 0;
  for (const { options, key } of everyCipher()) {
    const volume = sectorCipher(options, key);
    const plain = Uint8Array.from({ length: 3 * 512 }, (_, i) => i * i);
    const content = plain.slice();
    volume.encrypt(content, 5n);
    assertNotEquals(content, plain);
    volume.decrypt(content, 5n);
    assertEquals(content, plain, JSON.stringify(options));
    combinations++;
  }
  assertEquals(combinations > 300, true, `only ${combinations}`);
});

Deno.test("sectorCipher() gives the same for one sector as for a sector among others", () => {
  for (const { options, key } of everyCipher()) {
    // It takes a block for each bit.
    if (options.mode === "cfb1" && key.length < 32) continue;
    const volume = sectorCipher({ ...options, sectorSize: 1024 }, key);
    const together = Uint8Array.from({ length: 4 * 1024 }, (_, i) => i % 251);
    const apart = together.slice();
    volume.encrypt(together, 2n ** 32n - 4n);
    for (let i = 0; i < 4; i++) {
      volume.encrypt(apart.subarray(1024 * i, 1024 * (i + 1)), 2n ** 32n - 4n + BigInt(2 * i));
    }
    assertEquals(together, apart, JSON.stringify(options));
  }
});

Deno.test("sectorCipher() gives the same across its batches as within one", () => {
  const key = new Uint8Array(32).fill(9);
  for (const mode of cipherModes) {
    const volume = sectorCipher({ cipher: "aes", mode, ivGenerator: "plain64" }, key);
    const long = new Uint8Array(700 * 1024);
    const short = new Uint8Array(4096);
    volume.encrypt(long, 100n);
    for (const at of [0, 256 * 1024 - 2048, 512 * 1024 - 512, 696 * 1024]) {
      volume.encrypt(short.fill(0), 100n + BigInt(at / 512));
      assertEquals(long.slice(at, at + 4096), short, `${mode} at ${at}`);
    }
    volume.decrypt(long, 100n);
    assertEquals(long.every((byte) => byte === 0), true);
  }
});

Deno.test("sectorCipher() accepts bytes from anywhere in their buffer, and leaves the others", () => {
  for (const mode of cipherModes) {
    const volume = sectorCipher(
      { cipher: "aes", mode, ivGenerator: "plain" },
      new Uint8Array(32),
    );
    const aligned = new Uint8Array(1024);
    volume.encrypt(aligned, 3n);
    for (const at of [1, 2, 3, 5]) {
      const around = new Uint8Array(1024 + 10).fill(0xee);
      around.fill(0, at, at + 1024);
      volume.encrypt(around.subarray(at, at + 1024), 3n);
      assertEquals(around.slice(at, at + 1024), aligned);
      assertEquals(
        around.filter((_, i) => i < at || i >= at + 1024).every((b) => b === 0xee),
        true,
      );
    }
  }
});

Deno.test("sectorCipher() counts sectors modulo 2^64, and plain modulo 2^32", () => {
  const first = (ivGenerator: string, number: bigint) => {
    const content = new Uint8Array(1024);
    sectorCipher({ cipher: "aes", mode: "cbc", ivGenerator }, new Uint8Array(16))
      .encrypt(content, number);
    return content.toHex();
  };
  for (const ivGenerator of ["plain64", "plain64be", "benbi", "eboiv"]) {
    const last = first(ivGenerator, 2n ** 64n - 1n);
    assertEquals(last.slice(1024), first(ivGenerator, 0n).slice(0, 1024));
  }
  assertEquals(first("plain", 2n ** 32n + 7n), first("plain", 7n));
  assertNotEquals(first("plain64", 2n ** 32n + 7n), first("plain64", 7n));
});

Deno.test("sectorCipher() ignores the generator in ecb mode", () => {
  const content = [{ ivGenerator: "null" }, { ivGenerator: "essiv" }, { ivGenerator: "no such" }]
    .map((generator) => {
      const sector = new Uint8Array(512);
      sectorCipher({ cipher: "aes", mode: "ecb", ...generator }, new Uint8Array(16))
        .encrypt(sector, 1n);
      return sector;
    });
  assertEquals(content[1], content[0]);
  assertEquals(content[2], content[0]);
});

/** Headers of cryptsetup 2.6.1, which opens what is encrypted in them, and what they stand for. */
const SPELLINGS: readonly (readonly [written: string, read: string])[] = [
  ["AES-cbc-plain64", "aes-cbc-plain64"],
  ["Camellia-CFB8-Plain64BE", "camellia-cfb8-plain64be"],
  ["aes-CTR-NULL", "aes-ctr-null"],
  ["aes-cbc-BENBI", "aes-cbc-benbi"],
  ["aes-cbc-benbix", "aes-cbc-benbi"],
  ["aes-cbc-EBOIVx", "aes-cbc-eboiv"],
  ["aes-cbc-ESSIV:SHA256", "aes-cbc-essiv:sha256"],
  ["aes-cbc-essiv:sha2-512/256", "aes-cbc-essiv:sha512-256"],
  ["aes-cbc-essiv:1.2.156.10197.1.401", "aes-cbc-essiv:sm3"],
  ["aes-cbc-essiv:blake2s256", "aes-cbc-essiv:blake2s-256"],
  ["aes-cbc-essiv:ssl3-md5", "aes-cbc-essiv:md5"],
  ["aes-cbc-essiv:MD5", "aes-cbc-essiv:md5"],
  ["aes-cbc-essiv:1.2.840.113549.2.5", "aes-cbc-essiv:md5"],
  ["aes-cbc-essiv:1.2.840.113549.2.4", "aes-cbc-essiv:md4"],
  ["aes-cbc-essiv:SHAKE-128", "aes-cbc-essiv:shake128"],
  ["aes-cbc-essiv:shake-256", "aes-cbc-essiv:shake256"],
  ["aes-cbc-essiv:keccak-kmac128", "aes-cbc-essiv:keccak-kmac-128"],
];

Deno.test("sectorCipher() accepts the spellings of cryptsetup", () => {
  const encrypted = (name: string) => {
    const [, cipher = "", mode = "", ivGenerator = "", ivHash] =
      /^(\w+)-(\w+)-(\w+)(?::(.+))?$/.exec(name) ?? [];
    const content = new Uint8Array(1024);
    sectorCipher({ cipher, mode, ivGenerator, ivHash }, new Uint8Array(32)).encrypt(content, 9n);
    return content.toHex();
  };
  for (const [written, read] of SPELLINGS) {
    assertEquals(encrypted(written), encrypted(read), written);
  }
});

const USABLE = { cipher: "aes", mode: "cbc", ivGenerator: "plain64" };

Deno.test("reasonUnusable() gives the reason that sectorCipher() throws", () => {
  const refusals: [Partial<SectorCipherOptions>, number, string][] = [
    [{ cipher: "rot13" }, 16, "Cannot use the cipher rot13: it is not known"],
    [{ cipher: "Serpent" }, 16, "Cannot use the cipher Serpent: it is not known"],
    [
      { cipher: "serpent", mode: "CBC" },
      16,
      "Cannot use the mode CBC: it is not known",
    ],
    [{ mode: "ECB" }, 16, "Cannot use the mode ECB: it is not known"],
    [{ mode: "XTS" }, 32, "Cannot use the mode XTS: it is not known"],
    [{ cipher: "__proto__" }, 16, "Cannot use the cipher __proto__: it is not known"],
    [{ mode: "rot" }, 16, "Cannot use the mode rot: it is not known"],
    [{}, 20, "Cannot use aes in cbc mode: a key of 20 bytes is not one of 16, 24, 32"],
    [{ mode: "xts" }, 33, "Cannot use aes in xts mode: a key of 33 bytes is not one of 32, 48, 64"],
    [{ cipher: "cast5", mode: "xts" }, 32, "Cannot use cast5 in xts mode: it has no such mode"],
    [{ ivGenerator: "lmk" }, 16, "Cannot use the IV generator lmk: it is not known"],
    [{ ivGenerator: "essiv" }, 16, "Cannot use essiv: there is no hash"],
    [{ ivGenerator: "essiv", ivHash: "crc" }, 16, "Cannot use the hash crc: it is not known"],
    [
      { cipher: "twofish", ivGenerator: "essiv", ivHash: "sha-256" },
      16,
      "Cannot use the hash sha-256: it is not known",
    ],
    [{ ivGenerator: "plain32" }, 16, "Cannot use the IV generator plain32: it is not known"],
    [
      { ivGenerator: "essiv", ivHash: "sha1" },
      16,
      "Cannot use essiv with sha1: aes takes no key of 20 bytes",
    ],
    [
      { mode: "xts", ivGenerator: "eboiv" },
      64,
      "Cannot use eboiv in xts mode: aes takes no key of 64 bytes",
    ],
    [
      { sectorSize: 520 },
      16,
      "Cannot use sectors of 520 bytes: they can have 512, 1024, 2048, 4096",
    ],
  ];
  for (const [change, length, reason] of refusals) {
    const options = { ...USABLE, ...change };
    assertEquals(reasonUnusable(options, length), reason);
    const thrown = assertThrows(() => sectorCipher(options, new Uint8Array(length)), RangeError);
    assertEquals(thrown.message, reason);
  }
  assertEquals(reasonUnusable(USABLE, 16), undefined);
});

Deno.test("sectorCipher() transforms whole sectors only", () => {
  const volume = sectorCipher({ ...USABLE, sectorSize: 4096 }, new Uint8Array(16));
  for (const length of [1, 512, 4095, 4097]) {
    const message = `${length} bytes are not whole sectors of 4096`;
    assertThrows(() => volume.decrypt(new Uint8Array(length), 0n), RangeError, message);
    assertThrows(() => volume.encrypt(new Uint8Array(length), 0n), RangeError, message);
  }
  volume.decrypt(new Uint8Array(0), 0n);
});
