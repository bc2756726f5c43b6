import { assert, assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import {
  buildLuks1,
  type CipherSpec,
  decodeLuks1,
  unlock,
  type Unlocked,
} from "../../src/luks1/mod.ts";
import { contentDifference, writeVolume } from "./compare.ts";
import { run, succeed, type VolumeFiles } from "./live.ts";
import {
  addWithCryptsetup,
  contentBytes,
  cryptsetupVolume,
  eraseWithCryptsetup,
  masterKeyOfCryptsetup,
} from "./made.ts";
import { openVolume, readAll } from "./ours.ts";
import { modelOf, sourceOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

const SIZE = 4 * 2 ** 20;

/** What cryptsetup can do without dm-crypt: ciphers that the kernel's crypto interface has. */
const specs: readonly CipherSpec[] = [
  { cipher: "aes", mode: "xts", ivGenerator: "plain64", hash: "sha256", keyBytes: 64 },
  {
    cipher: "aes",
    mode: "cbc",
    ivGenerator: "essiv",
    ivHash: "sha256",
    hash: "sha1",
    keyBytes: 24,
  },
  { cipher: "aes", mode: "cbc", ivGenerator: "plain", hash: "ripemd160", keyBytes: 16 },
  { cipher: "aes", mode: "cbc", ivGenerator: "plain64be", hash: "sha512", keyBytes: 32 },
  { cipher: "aes", mode: "ctr", ivGenerator: "plain64", hash: "sha224", keyBytes: 32 },
  { cipher: "aes", mode: "cbc", ivGenerator: "null", hash: "sha384", keyBytes: 32 },
  { cipher: "aes", mode: "ecb", hash: "sha256", keyBytes: 32 },
  { cipher: "aes", mode: "xts", ivGenerator: "benbi", hash: "sha256", keyBytes: 32 },
];

function unlocked(files: VolumeFiles, passphrase: string): Unlocked | undefined {
  const keyMaterial = new FileSource(files.path);
  try {
    const result = unlock(decodeLuks1(keyMaterial), {
      keyMaterial,
      passphrase: new TextEncoder().encode(passphrase),
    });
    return "masterKey" in result ? result : undefined;
  } finally {
    keyMaterial.close();
  }
}

async function opensInCryptsetup(files: VolumeFiles, passphrase: string): Promise<boolean> {
  await Deno.writeTextFile(files.passphrase, passphrase);
  const { code } = await run([
    ...["cryptsetup", "open", "--test-passphrase", "--key-file", files.passphrase, files.path],
  ]);
  return code === 0;
}

for (const spec of specs) {
  const { mode, ivGenerator = "no IV", ivHash = "none", hash, keyBytes } = spec;
  const name = `${mode}, ${ivGenerator}, ${ivHash} and ${hash} with ${keyBytes} bytes`;
  liveTest(
    { needs: ["cryptsetup"] },
    `a volume of cryptsetup opens: ${name}`,
    async (directory) => {
      const files = await cryptsetupVolume(`${directory}/volume`, {
        spec,
        passphrase: "pw",
        size: SIZE,
      });
      const { slot, masterKey } = unlocked(files, "pw") ?? {};
      assertEquals(slot, 0);
      assertEquals(masterKey, await masterKeyOfCryptsetup(files));
    },
  );

  liveTest(
    { needs: ["cryptsetup"] },
    `cryptsetup opens what is built here: ${name}`,
    async (directory) => {
      const { image } = buildLuks1(modelOf({ spec }));
      const files = await writeVolume(`${directory}/volume`, { source: sourceOf(image) });
      const dump = await succeed(["cryptsetup", "luksDump", files.path]);
      assert(new RegExp(`Hash spec:\\s+${hash}\n`).test(dump), dump);
      assert(new RegExp(`MK bits:\\s+${8 * keyBytes}\n`).test(dump), dump);
      assert(/Key Slot 2: ENABLED/.test(dump), dump);
      assert(await opensInCryptsetup(files, "first"));
      assert(await opensInCryptsetup(files, "second"));
      assert(!await opensInCryptsetup(files, "third"));
    },
  );
}

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "content that qemu-img writes into a volume of cryptsetup is read",
  async (directory) => {
    const [spec] = specs;
    assert(spec !== undefined);
    const files = await cryptsetupVolume(`${directory}/volume`, {
      spec,
      passphrase: "pw",
      size: SIZE,
    });
    const content = contentBytes(SIZE - 2 ** 21);
    await Deno.writeFile(`${directory}/source`, content);
    const image = `driver=luks,key-secret=key,file.filename=${files.path}`;
    await succeed([
      ...["qemu-img", "convert", "--object", `secret,id=key,file=${files.passphrase}`, "-n"],
      ...["--target-image-opts", "-f", "raw", `${directory}/source`, image],
    ]);
    const source = new FileSource(files.path);
    const { layer, findings } = openVolume({ source, passphrase: "pw" });
    assert(layer !== undefined);
    assertEquals(findings.rules(), []);
    assertEquals(contentDifference(readAll(layer), content), []);
    source.close();
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "keys that cryptsetup adds and erases are found and lost",
  async (dir) => {
    const [spec] = specs;
    assert(spec !== undefined);
    const files = await cryptsetupVolume(`${dir}/volume`, { spec, passphrase: "old", size: SIZE });
    await addWithCryptsetup(files, { passphrase: "new", slot: 6 });
    assertEquals(unlocked(files, "new")?.slot, 6);
    assertEquals(unlocked(files, "old")?.slot, 0);
    await eraseWithCryptsetup(files, 0);
    assertEquals(unlocked(files, "old"), undefined);
    assertEquals(unlocked(files, "new")?.slot, 6);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "a detached header of cryptsetup opens, and so does a backup of a header",
  async (directory) => {
    const passphrase = `${directory}/passphrase`;
    await Deno.writeTextFile(passphrase, "pw");
    await Deno.writeFile(`${directory}/payload`, new Uint8Array(2 ** 20));
    await succeed([
      ...["cryptsetup", "luksFormat", "--type", "luks1", "--batch-mode"],
      ...["--pbkdf-force-iterations", "1000", "--key-file", passphrase],
      ...["--header", `${directory}/header`, `${directory}/payload`],
    ]);
    const backup = `${directory}/backup`;
    await succeed([
      ...["cryptsetup", "luksHeaderBackup", `${directory}/header`],
      ...["--header-backup-file", backup],
    ]);
    const payload = new FileSource(`${directory}/payload`);
    for (const path of [`${directory}/header`, backup]) {
      const source = new FileSource(path);
      const { layer, findings } = openVolume({ source, payload, passphrase: "pw" });
      assertEquals(findings.rules(), []);
      assert(layer?.unlocked);
      assertEquals(layer.virtualSize, 2 ** 20);
      source.close();
    }
    payload.close();
  },
);
