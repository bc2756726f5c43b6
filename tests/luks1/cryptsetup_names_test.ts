/** Every mode and every name of a hash that cryptsetup makes volumes with. */

import { assert, assertEquals } from "@std/assert";
import { randomBytes } from "node:crypto";
import { FileSource } from "../../src/bytes/mod.ts";
import { canonicalHash, hashAliases, hashNames, hashTable } from "../../src/crypto/mod.ts";
import {
  type CipherSpec,
  createLuks1,
  decodeLuks1,
  specOf,
  unlock,
  type Unlocked,
} from "../../src/luks1/mod.ts";
import { run, type VolumeFiles } from "./live.ts";
import { cryptsetupVolume, masterKeyOfCryptsetup } from "./made.ts";
import { UUID } from "./volumes.ts";
import { liveTest } from "../live.ts";

const SIZE = 2 * 2 ** 20;
const HASH_AT = 72;
const HASH_BYTES = 32;
const passphrase = new TextEncoder().encode("pw");

const base: CipherSpec = {
  ...{ cipher: "aes", mode: "cbc", ivGenerator: "plain64", hash: "sha256", keyBytes: 16 },
};

/** All names of hashes that a header of cryptsetup has, in the order of the table. */
const names = hashNames.filter((name) => hashTable[name].cryptsetup)
  .flatMap((name) => [name, ...hashAliases[name] ?? []]);

/** With every IV generator that cryptsetup has of itself, and every length of key. */
const feedback: readonly CipherSpec[] = ["cfb", "ofb"].flatMap((mode) => [
  ...["plain", "plain64", "plain64be", "null", "benbi"]
    .map((ivGenerator) => ({ ...base, mode, ivGenerator })),
  { ...base, mode, ivGenerator: "essiv", ivHash: "sha256" },
  { ...base, mode, keyBytes: 24 },
  { ...base, mode, keyBytes: 32 },
  { ...base, mode, cipher: "camellia" },
]);

function headerOf({ path }: VolumeFiles): { spec: CipherSpec; key: Unlocked | undefined } {
  const keyMaterial = new FileSource(path);
  try {
    const header = decodeLuks1(keyMaterial);
    const key = unlock(header, { keyMaterial, passphrase });
    return { spec: specOf(header), key: "masterKey" in key ? key : undefined };
  } finally {
    keyMaterial.close();
  }
}

async function opensInCryptsetup(files: VolumeFiles): Promise<boolean> {
  const command = ["cryptsetup", "open", "--test-passphrase", "--key-file", files.passphrase];
  return (await run([...command, files.path])).code === 0;
}

/** A volume of cryptsetup, made again. */
function made(directory: string, spec: CipherSpec): Promise<VolumeFiles> {
  return cryptsetupVolume(`${directory}/volume`, { spec, passphrase: "pw", size: SIZE });
}

/** A volume of ours, in the same way. */
async function ours(directory: string, spec: CipherSpec): Promise<VolumeFiles> {
  const { header } = createLuks1({
    ...spec,
    ...{ passphrase, iterations: 1000, uuid: UUID },
    random: (length) => new Uint8Array(randomBytes(length)),
  });
  const files = { path: `${directory}/ours`, passphrase: `${directory}/ours.passphrase` };
  await Deno.writeFile(files.passphrase, passphrase);
  await Deno.writeFile(files.path, header);
  await Deno.truncate(files.path, SIZE);
  return files;
}

/** Has a header name its hash otherwise. */
async function rename(files: VolumeFiles, hash: string): Promise<void> {
  const field = new Uint8Array(HASH_BYTES);
  new TextEncoder().encodeInto(hash, field);
  using file = await Deno.open(files.path, { write: true });
  await file.seek(HASH_AT, Deno.SeekMode.Start);
  await file.write(field);
}

liveTest(
  { needs: ["cryptsetup"] },
  "volumes of cryptsetup open, whatever it calls the hash",
  async (dir) => {
    for (const hash of names) {
      const files = await made(dir, { ...base, hash });
      const { spec, key } = headerOf(files);
      assertEquals(spec.hash, hash);
      assert(key !== undefined, hash);
    }
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup opens what is made here with any name of a hash",
  async (dir) => {
    for (const hash of names) {
      const files = await ours(dir, { ...base, hash });
      assert(await opensInCryptsetup(files), hash);
      const large = hash.toUpperCase();
      if (large === hash) continue;
      await rename(files, large);
      assert(await opensInCryptsetup(files), large);
      assert(headerOf(files).key !== undefined, large);
    }
    const files = await ours(dir, base);
    await rename(files, "sha2-384");
    assert(!await opensInCryptsetup(files));
    assertEquals(headerOf(files).key, undefined);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "hashes that cryptsetup refuses are not known",
  async (directory) => {
    const refused = [
      ...["shake128", "shake-256", "keccak-kmac-128", "crc32", "null", "md4", "ssl3-md5"],
      ...["1.2.840.113549.2.5", "2.16.840.1.101.3.4.2.12", "md5withrsaencryption", "rsa-sha256"],
      ...["sha512/256", "id-sha256", "sha2", "sha256 ", " sha256"],
    ];
    for (const hash of refused) {
      assertEquals(canonicalHash(hash), undefined, hash);
      const making = made(directory, { ...base, hash });
      const said = await making.then(() => "made", (error: Error) => error.message);
      assert(/ is not supported|digest failed/.test(said), `${hash}: ${said}`);
    }
  },
);

for (const spec of feedback) {
  const { cipher, mode, ivGenerator, keyBytes } = spec;
  const name = `${cipher} with ${keyBytes} bytes in ${mode} with ${ivGenerator}`;
  liveTest(
    { needs: ["cryptsetup"] },
    `cryptsetup opens what is made here, and the reverse: ${name}`,
    async (
      directory,
    ) => {
      const files = await made(directory, spec);
      const { key, spec: read } = headerOf(files);
      assertEquals(read, spec);
      assertEquals(key?.masterKey, await masterKeyOfCryptsetup(files));
      assert(await opensInCryptsetup(await ours(directory, spec)));
    },
  );
}

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup fills in what a cipher is named without",
  async (directory) => {
    const { mode: _, ivGenerator: __, ...rest } = base;
    for (const cipher of ["aes", "aes-plain"]) {
      const files = await cryptsetupVolume(`${directory}/volume`, {
        cipher,
        spec: base,
        passphrase: "pw",
        size: SIZE,
      });
      const { spec, key } = headerOf(files);
      assertEquals(spec, { ...rest, mode: "cbc", ivGenerator: "plain" });
      assertEquals(key?.masterKey, await masterKeyOfCryptsetup(files));
    }
  },
);
