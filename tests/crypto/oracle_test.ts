/**
 * Every cipher in every mode with every IV generator, held to the answers of libraries that have nothing
 * to do with each other or with this one.
 *
 * `oracle_vectors.json` has, under the libraries that agree on it, one SHA-256 for each combination. Its
 * message is `runs` one after the other: their sectors were encrypted one by one, each as a message of
 * its own, with the block cipher and the mode of the library (libgcrypt's gcry_cipher_encrypt, Botan's
 * botan_cipher_update, OpenSSL's EVP_EncryptUpdate with its legacy provider loaded for CAST5), and all
 * ciphertexts were hashed together. The libraries know no IV generators: the vectors were packed by a
 * script of its own after the definitions in cryptsetup's crypto_storage.c, and for `essiv` and `eboiv`
 * encrypted with the library's block cipher in ECB, for `essiv` under a digest of OpenSSL and libgcrypt
 * (SHAKE and Keccak: OpenSSL alone).
 */

import { assert, assertEquals } from "@std/assert";
import {
  cipherNames,
  cipherTable,
  hash,
  ivGenerators,
  sectorCipher,
  type SectorCipherOptions,
  volumeKeyLengths,
} from "../../src/crypto/mod.ts";
import vectors from "./oracle_vectors.json" with { type: "json" };

/** Consecutive sectors, and the number of the first one in units of 512 bytes. */
interface SectorRun {
  readonly sectorSize: number;
  readonly first: bigint;
  readonly count: number;
}

/** From zero on, across 2^32, and where a number times the blocks in 512 bytes has more than 64 bits. */
const runs: readonly SectorRun[] = [
  { sectorSize: 512, first: 0n, count: 3 },
  { sectorSize: 512, first: 2n ** 32n - 2n, count: 4 },
  { sectorSize: 4096, first: 2n ** 32n - 8n, count: 2 },
  { sectorSize: 2048, first: 2n ** 55n + 4n, count: 2 },
];

const PLAIN = Uint8Array.from({ length: 8192 }, (_, i) => i * i + 7 * (i >> 8));

function keyOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 7 * i + 1);
}

/** Encrypts all runs, and holds the way back to the message. */
function encrypted(options: SectorCipherOptions, key: Uint8Array): Uint8Array[] {
  return runs.map(({ sectorSize, first, count }) => {
    const volume = sectorCipher({ ...options, sectorSize }, key);
    const plain = PLAIN.slice(0, sectorSize * count);
    const text = plain.slice();
    volume.encrypt(text, first);
    const back = text.slice();
    volume.decrypt(back, first);
    assertEquals(back, plain, JSON.stringify(options));
    return text;
  });
}

interface Named {
  readonly options: SectorCipherOptions;
  readonly keyLength: number;
}

/** What `aes-cbc-essiv:sha256, 128 bits` stands for. */
function optionsOf(name: string): Named {
  const [, cipher = "", mode = "", ivGenerator = "", ivHash, bits] =
    /^(\w+)-(\w+)(?:-(\w+)(?::(\S+))?)?, (\d+) bits$/.exec(name) ?? [];
  return { options: { cipher, mode, ivGenerator, ivHash }, keyLength: Number(bits) / 8 };
}

for (const [libraries, digests] of Object.entries(vectors)) {
  Deno.test(`sectorCipher() agrees with ${libraries}`, () => {
    for (const [name, digest] of Object.entries(digests)) {
      const { options, keyLength } = optionsOf(name);
      const texts = encrypted(options, keyOf(keyLength));
      assertEquals(hash("sha256", ...texts).toHex(), digest, name);
    }
  });
}

Deno.test("the answers are those of every cipher with every key in every mode, and of every generator", () => {
  const named = Object.values(vectors).flatMap((digests) => Object.keys(digests)).map(optionsOf);
  const has = (keyLength: number, wanted: Partial<SectorCipherOptions>) =>
    named.some((vector) =>
      vector.keyLength === keyLength &&
      Object.entries(wanted).every(([field, value]) =>
        vector.options[field as keyof SectorCipherOptions] === value
      )
    );
  for (const cipher of cipherNames) {
    for (const mode of cipherTable[cipher].modes) {
      for (const length of volumeKeyLengths(cipher, mode)) {
        // No library has CAST5 with such keys in counter mode.
        if (cipher === "cast5" && mode === "ctr" && length < 11) continue;
        assert(has(length, { cipher, mode }), `${cipher}-${mode} with ${length} bytes`);
      }
      const longest = volumeKeyLengths(cipher, mode).at(-1) ?? 0;
      for (const ivGenerator of mode === "ecb" ? [] : ivGenerators) {
        // The keys of xts are one key of eboiv: the longest are too long.
        const length = ivGenerator === "eboiv" && mode === "xts" ? 32 : longest;
        if (cipher === "sm4" && ivGenerator === "eboiv" && mode === "xts") continue;
        assert(has(length, { cipher, mode, ivGenerator }), `${cipher}-${mode}-${ivGenerator}`);
      }
    }
  }
});
