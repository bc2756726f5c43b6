import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { buildLuks1, type CipherSpec, contentOf, type Luks1Model } from "../../src/luks1/mod.ts";
import { contentDifference, writeVolume } from "./compare.ts";
import { contentOf as contentByQemu, run, type VolumeFiles } from "./live.ts";
import { openVolume, readAll, type Volume } from "./ours.ts";
import { modelOf, sourceOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

/** Of each length of a key one, and of each mode. */
const specs: readonly CipherSpec[] = [
  { cipher: "aes", mode: "cbc", ivGenerator: "plain64", hash: "sha256", keyBytes: 16 },
  {
    cipher: "aes",
    mode: "cbc",
    ivGenerator: "essiv",
    ivHash: "sha256",
    hash: "sha1",
    keyBytes: 32,
  },
  { cipher: "aes", mode: "ctr", ivGenerator: "plain", hash: "sha384", keyBytes: 32 },
  { cipher: "aes", mode: "ecb", ivGenerator: "plain64", hash: "sha512", keyBytes: 16 },
  { cipher: "aes", mode: "xts", ivGenerator: "plain64", hash: "sha256", keyBytes: 64 },
  { cipher: "serpent", mode: "xts", ivGenerator: "plain64", hash: "md5", keyBytes: 48 },
  { cipher: "cast5", mode: "cbc", ivGenerator: "plain64", hash: "ripemd160", keyBytes: 16 },
];
/** Of these qemu-img dies: 4000 stripes of 24 bytes are no whole sectors. */
const ofCryptsetup: readonly CipherSpec[] = [
  { cipher: "aes", mode: "cbc", ivGenerator: "plain64", hash: "sha256", keyBytes: 24 },
  { cipher: "aes", mode: "ctr", ivGenerator: "plain64be", hash: "sha224", keyBytes: 24 },
  { cipher: "aes", mode: "ecb", hash: "sha1", keyBytes: 24 },
];

function nameOf({ cipher, mode, keyBytes }: CipherSpec): string {
  return `${cipher} in ${mode} with ${keyBytes} bytes`;
}

function sparse(spec: CipherSpec, more: Partial<Luks1Model> = {}): Luks1Model {
  return modelOf({ spec, material: "sparse", size: 1024, ...more });
}

function volumeOf(model: Luks1Model, key = model.keys[0]): Volume {
  const { image, payload } = buildLuks1(model);
  return {
    source: sourceOf(image),
    ...payload === undefined ? {} : { payload: sourceOf(payload) },
    passphrase: key?.passphrase ?? "",
  };
}

/** What gzip may need for each kilobyte of zeros, and for a header, two keys and a payload. */
const PER_KIB = 1.1;
const REST = 2048;

for (const spec of [...specs, ...ofCryptsetup]) {
  Deno.test(`a sparse volume opens with each key, and compresses: ${nameOf(spec)}`, () => {
    const model = sparse(spec);
    for (const key of model.keys) {
      const { layer } = openVolume(volumeOf(model, key));
      assert(layer !== undefined);
      assertEquals(readAll(layer), contentOf(model));
    }
    const { source } = volumeOf(model);
    const bytes = source.read(0, source.size);
    const packed = gzipSync(bytes, { level: 9 }).length;
    assert(packed < REST + PER_KIB * (bytes.length / 1024), `${packed} of ${bytes.length} bytes`);
  });
}

Deno.test("a sparse volume differs from another one only in its key material", () => {
  const [spec] = specs;
  assert(spec !== undefined);
  const { image, payload } = buildLuks1(sparse(spec, { detached: true }));
  const noisy = buildLuks1(modelOf({ spec, size: 1024, detached: true }));
  assertEquals(image.size, noisy.image.size);
  assertEquals(image.placed, noisy.image.placed);
  assertEquals(payload?.size, noisy.payload?.size);
});

Deno.test("buildLuks1() leaves zeros in the erased slots of a sparse volume", () => {
  const [spec] = specs;
  assert(spec !== undefined);
  const { image } = buildLuks1(sparse(spec, { erased: [1] }));
  const erased = image.placed.find(({ path }) => path === "/key_material[1]");
  assert(erased !== undefined);
  const bytes = sourceOf(image).read(erased.offset, erased.length);
  assert(bytes.every((byte) => byte === 0));
});

for (const spec of specs) {
  liveTest(
    { needs: ["qemu-img"] },
    `qemu-img reads a sparse volume: ${nameOf(spec)}`,
    async (directory) => {
      const model = sparse(spec);
      for (const key of model.keys) {
        const files = await writeVolume(`${directory}/volume`, volumeOf(model, key));
        const content = await contentByQemu(files);
        assert(content instanceof Uint8Array, key.passphrase);
        assertEquals(contentDifference(contentOf(model), content), []);
      }
    },
  );
}

async function opensInCryptsetup({ path, passphrase }: VolumeFiles): Promise<boolean> {
  const { code } = await run(
    ["cryptsetup", "open", "--test-passphrase", "--key-file", passphrase, path],
  );
  return code === 0;
}

for (const spec of [...specs.filter(({ cipher }) => cipher === "aes"), ...ofCryptsetup]) {
  // An IV generator is rejected in a mode without one.
  const { ivGenerator: _, ...without } = spec;
  const named = spec.mode === "ecb" ? without : spec;
  liveTest(
    { needs: ["cryptsetup"] },
    `cryptsetup opens a sparse volume: ${nameOf(spec)}`,
    async (dir) => {
      const model = sparse(named);
      for (const key of model.keys) {
        const files = await writeVolume(`${dir}/volume`, volumeOf(model, key));
        assert(await opensInCryptsetup(files), key.passphrase);
        await Deno.writeTextFile(files.passphrase, `${key.passphrase}?`);
        assert(!await opensInCryptsetup(files));
      }
    },
  );
}

liveTest(
  { needs: ["qemu-img", "qemu-img 9.0"] },
  "qemu-img reads a sparse volume with a detached header",
  async (directory) => {
    const [spec] = specs;
    assert(spec !== undefined);
    const model = sparse(spec, { detached: true });
    const files = await writeVolume(`${directory}/volume`, volumeOf(model));
    const content = await contentByQemu(files);
    assert(content instanceof Uint8Array);
    assertEquals(contentDifference(contentOf(model), content), []);
  },
);
