import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { buildLuks2, luks2Content, type Luks2Model, normaliseLuks2 } from "../../src/luks2/mod.ts";
import { testPassphrase, writeVolume } from "./live.ts";
import { openVolume, readAll, type Volume } from "./ours.ts";
import { bytesOf, modelOf, sourceOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

/** Of each length of a key one: those of 24 bytes do not fill their last sector. */
const models: readonly Luks2Model[] = [
  { encryption: "aes-xts-plain64", keyBytes: 64 },
  { encryption: "aes-cbc-essiv:sha256", keyBytes: 32, hash: "sha1", sectorSize: 4096 },
  { encryption: "aes-cbc-plain64be", keyBytes: 24, hash: "sha512" },
  { encryption: "aes-ctr-plain64", keyBytes: 16, hash: "ripemd160" },
].map((options) => modelOf({ ...options, material: "sparse" }));

function volumeOf(model: Luks2Model, passphrase: string): Volume {
  return { source: sourceOf(buildLuks2(model).image), passphrase };
}

/** What gzip may need for each kilobyte of zeros, and for both copies of the header. */
const PER_KIB = 1.1;
const REST = 4096;

for (const model of models) {
  const { encryption, keyBytes } = model;
  const name = `${encryption} with ${keyBytes} bytes`;
  Deno.test(`a sparse volume of LUKS2 opens with each key, and compresses: ${name}`, () => {
    assertEquals(normaliseLuks2(model), model);
    for (const { passphrase } of model.keys) {
      const { layer } = openVolume(volumeOf(model, passphrase));
      assert(layer !== undefined, passphrase);
      assertEquals(readAll(layer), luks2Content(model));
    }
    const bytes = bytesOf(buildLuks2(model).image);
    const packed = gzipSync(bytes, { level: 9 }).length;
    const bound = REST + model.size + PER_KIB * (bytes.length / 1024);
    assert(packed < bound, `${packed} of ${bytes.length} bytes`);
  });

  liveTest(
    { needs: ["cryptsetup"] },
    `cryptsetup opens a sparse volume of LUKS2: ${name}`,
    async (dir) => {
      for (const { passphrase } of model.keys) {
        await writeVolume(`${dir}/volume`, volumeOf(model, passphrase));
        const { code, stderr } = await testPassphrase(`${dir}/volume`);
        assertEquals(code, 0, stderr);
        await writeVolume(`${dir}/volume`, volumeOf(model, `${passphrase}?`));
        assertEquals((await testPassphrase(`${dir}/volume`)).code, 2);
      }
    },
  );
}
