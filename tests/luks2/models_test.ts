import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { luks2Models } from "../../fuzz/formats/luks2/models.ts";
import {
  buildLuks2,
  luks2Content,
  type Luks2KeyModel,
  type Luks2Model,
  normaliseLuks2,
} from "../../src/luks2/mod.ts";
import { atOnce, dump, testPassphrase, writeVolume } from "./live.ts";
import { messagesOf, openVolume, readAll, type Volume } from "./ours.ts";
import { modelOf, sourceOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

function volumeOf(model: Luks2Model, key?: Luks2KeyModel): Volume {
  const { image, payload } = buildLuks2(model);
  return {
    source: sourceOf(image),
    ...payload === undefined ? {} : { payload: sourceOf(payload) },
    passphrase: key?.passphrase ?? "",
  };
}

Deno.test("luks2Models() gives the same models for the same seed, and normal ones", () => {
  const draw = (): Luks2Model[] => fc.sample(luks2Models(), { numRuns: 50, seed: 1 });
  assertEquals(draw(), draw());
  for (const model of draw()) assertEquals(normaliseLuks2(model), model);
});

Deno.test("luks2Models() recognises its own models, so a stored one shrinks", () => {
  const models = luks2Models();
  for (const model of fc.sample(models, { numRuns: 100, seed: 2 })) {
    const stored = JSON.parse(JSON.stringify(model));
    assert(models.canShrinkWithoutContext(stored), JSON.stringify(model));
    for (const { value } of fc.stream(models.shrink(stored, undefined)).take(20)) {
      assertEquals(normaliseLuks2(value), value);
    }
  }
});

Deno.test("luks2Models() covers every feature in a fair share of its models", () => {
  const models = fc.sample(luks2Models(), { numRuns: 2000, seed: 3 });
  const features: [string, number, (model: Luks2Model) => boolean][] = [
    ["xts", 0.2, ({ encryption }) => /xts/.test(encryption)],
    ["essiv", 0.1, ({ encryption }) => /essiv/.test(encryption)],
    ["camellia", 0.05, ({ encryption }) => /camellia/.test(encryption)],
    ["pbkdf2", 0.3, ({ keys }) => keys.some(({ kdf }) => kdf.type === "pbkdf2")],
    ["argon2id", 0.2, ({ keys }) => keys.some(({ kdf }) => kdf.type === "argon2id")],
    ["argon2i", 0.2, ({ keys }) => keys.some(({ kdf }) => kdf.type === "argon2i")],
    ["several keys", 0.3, ({ keys }) => keys.length > 1],
    ["a key that is not tried", 0.1, ({ keys }) => keys.some(({ priority }) => priority === 0)],
    ["a key that is tried first", 0.1, ({ keys }) => keys.some(({ priority }) => priority === 2)],
    ["sectors of 4096 bytes", 0.1, ({ sectorSize }) => sectorSize === 4096],
    ["an IV tweak", 0.1, ({ ivTweak }) => ivTweak > 0],
    ["larger copies", 0.1, ({ headerSize }) => headerSize > 0x4000],
    ["a damaged primary copy", 0.05, ({ primary }) => primary !== "sound"],
    ["a damaged secondary copy", 0.05, ({ secondary }) => secondary !== "sound"],
    ["another checksum", 0.05, ({ checksum }) => checksum !== "sha256"],
    ["a token", 0.05, ({ tokens }) => tokens > 0],
    ["detached", 0.1, ({ detached }) => detached],
    ["a segment with a size", 0.1, ({ fixed }) => fixed],
  ];
  for (const [name, share, meets] of features) {
    const met = models.filter(meets).length / models.length;
    assert(met >= share, `${name}: ${met}`);
  }
});

/** The rules that a model's volume breaks on purpose. */
const MEANT = [
  "luks2.copy.primary",
  "luks2.copy.secondary",
  "luks2.copy.sequence",
  "luks2.header.uuid",
];

Deno.test("buildLuks2() makes volumes that every usable key of the model opens", () => {
  const models = fc.sample(luks2Models({ sizeMax: 8192 }), { numRuns: 25, seed: 5 });
  for (const model of models) {
    for (const key of model.keys) {
      const { layer, findings } = openVolume(volumeOf(model, key));
      const others = model.keys.filter(({ priority }) => priority > 0);
      const opens = others.some(({ passphrase }) => passphrase === key.passphrase);
      const rules = findings.rules().filter((rule) => !MEANT.includes(rule));
      assertEquals(rules, opens ? [] : ["luks2.key.unlock"], `${messagesOf(findings)}`);
      assertEquals(layer?.unlocked, opens);
      if (opens && layer !== undefined) assertEquals(readAll(layer), luks2Content(model));
    }
  }
});

Deno.test("buildLuks2() places what it builds inside its files and without overlap", () => {
  for (const model of [modelOf(), modelOf({ detached: true }), modelOf({ spare: 0 })]) {
    const { image, payload } = buildLuks2(model);
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

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup opens any volume that is built here",
  async (directory) => {
    const models = fc.sample(luks2Models({ aes: true, sizeMax: 4096 }), { numRuns: 25, seed: 7 });
    await atOnce(models, async (model, worker) => {
      const path = `${directory}/${worker}`;
      const key = model.keys.at(-1);
      await writeVolume(path, volumeOf(model, key));
      const about = JSON.stringify(model);
      const dumped = await dump(path);
      assertEquals(dumped.code, 0, `${about}: ${dumped.stderr}`);
      const opened = await testPassphrase(path, "--key-slot", String(key?.slot));
      assertEquals(opened.code, 0, `${about}: ${opened.stderr}`);
    });
  },
);
