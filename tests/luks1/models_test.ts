import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { luks1Models, luksSpecs } from "../../fuzz/formats/luks1/models.ts";
import {
  buildLuks1,
  type CipherSpec,
  contentOf,
  type Luks1Model,
  normaliseLuks1,
} from "../../src/luks1/mod.ts";
import { contentDifference, differences, writeVolume } from "./compare.ts";
import { contentOf as contentByQemu } from "./live.ts";
import { messagesOf, openVolume, readAll, type Volume } from "./ours.ts";
import { modelOf, sourceOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

function volumeOf(model: Luks1Model, key = model.keys[0]): Volume {
  const { image, payload } = buildLuks1(model);
  return {
    source: sourceOf(image),
    ...payload === undefined ? {} : { payload: sourceOf(payload) },
    passphrase: key?.passphrase ?? "",
  };
}

Deno.test("luks1Models() gives the same models for the same seed, and normal ones", () => {
  const draw = (): Luks1Model[] => fc.sample(luks1Models(), { numRuns: 50, seed: 1 });
  assertEquals(draw(), draw());
  for (const model of draw()) assertEquals(normaliseLuks1(model), model);
});

Deno.test("luks1Models() recognises its own models, so a stored one shrinks", () => {
  const models = luks1Models({ qemu: false });
  for (const model of fc.sample(models, { numRuns: 100, seed: 2 })) {
    assert(models.canShrinkWithoutContext(model), JSON.stringify(model));
    for (const { value } of fc.stream(models.shrink(model, undefined)).take(20)) {
      assertEquals(normaliseLuks1(value), value);
    }
  }
});

Deno.test("luks1Models() covers every feature in a fair share of its models", () => {
  const models = fc.sample(luks1Models({ qemu: false }), { numRuns: 2000, seed: 3 });
  const features: [string, number, (model: Luks1Model) => boolean][] = [
    ["xts", 0.05, ({ spec }) => spec.mode === "xts"],
    ["ecb", 0.02, ({ spec }) => spec.mode === "ecb"],
    ["essiv", 0.1, ({ spec }) => spec.ivGenerator === "essiv"],
    ["camellia", 0.05, ({ spec }) => spec.cipher === "camellia"],
    ["cast5", 0.02, ({ spec }) => spec.cipher === "cast5"],
    ["sm3", 0.02, ({ spec }) => spec.hash === "sm3"],
    ["several keys", 0.3, ({ keys }) => keys.length > 1],
    ["erased keys", 0.1, ({ erased }) => erased.length > 0],
    ["detached", 0.1, ({ detached }) => detached],
    ["a cut header", 0.03, ({ cutHeader }) => cutHeader],
    ["no payload", 0.005, ({ size }) => size === 0],
    ["a tail", 0.1, ({ tail }) => tail > 0],
    ["a gap", 0.1, ({ gap }) => gap > 0],
    ["an empty passphrase", 0.001, ({ keys }) => keys.some((key) => key.passphrase === "")],
  ];
  for (const [name, share, meets] of features) {
    const met = models.filter(meets).length / models.length;
    assert(met >= share, `${name}: ${met}`);
  }
});

Deno.test("buildLuks1() makes valid volumes that every key of the model opens", () => {
  for (
    const model of fc.sample(luks1Models({ qemu: false, sizeMax: 4096 }), { numRuns: 12, seed: 5 })
  ) {
    for (const key of model.keys) {
      const { layer, findings } = openVolume(volumeOf(model, key));
      assert(layer?.unlocked, `${messagesOf(findings)}`);
      assertEquals(readAll(layer).subarray(0, model.size), contentOf(model));
    }
  }
});

Deno.test("buildLuks1() places what it builds inside its files and without overlap", () => {
  for (const model of [modelOf(), modelOf({ detached: true }), modelOf({ tail: 5, gap: 3 })]) {
    const { image, payload } = buildLuks1(model);
    for (const file of [image, payload]) {
      let end = 0;
      for (const placed of file?.placed ?? []) {
        assert(placed.offset >= end, placed.path);
        end = placed.offset + placed.length;
      }
      assert(end <= (file?.size ?? 0));
    }
  }
});

/** One of each cipher, mode, IV generator and hash, as QEMU 7.2 has them. */
const matrix = luksSpecs({ old: true });

function nameOf(
  { cipher, keyBytes, mode, ivGenerator, ivHash = "none", hash }: CipherSpec,
): string {
  return `${cipher}, ${keyBytes}, ${mode}, ${ivGenerator}, ${ivHash}, ${hash}`;
}

for (const cipher of ["aes", "serpent", "twofish", "cast5"]) {
  liveTest(
    { needs: ["qemu-img"] },
    `qemu-img reads what is built here with ${cipher}`,
    async (directory) => {
      for (const spec of matrix.filter((candidate) => candidate.cipher === cipher)) {
        const model = modelOf({ spec, size: 1536 });
        const files = await writeVolume(`${directory}/volume`, volumeOf(model));
        const content = await contentByQemu(files);
        assert(content instanceof Uint8Array, nameOf(spec));
        assertEquals(contentDifference(contentOf(model), content), [], nameOf(spec));
      }
    },
  );
}

liveTest(
  { needs: ["qemu-img"] },
  "qemu-img reads any volume that is built here",
  async (directory) => {
    for (const model of fc.sample(luks1Models({ old: true }), { numRuns: 10, seed: 11 })) {
      const volume = volumeOf(model, model.keys.at(-1));
      assertEquals(await differences(volume, `${directory}/volume`), [], JSON.stringify(model));
    }
  },
);

liveTest(
  { needs: ["qemu-img", "qemu-img 9.0", "qemu-img 9.2"] },
  "a new qemu-img reads any volume that is built here, also detached",
  async (directory) => {
    const models = fc.sample(luks1Models(), { numRuns: 30, seed: 12 });
    for (const model of models) {
      const volume = volumeOf(model, model.keys.at(-1));
      assertEquals(await differences(volume, `${directory}/volume`), [], JSON.stringify(model));
    }
  },
);
