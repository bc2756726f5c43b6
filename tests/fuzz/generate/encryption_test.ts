import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type ChainModel, chainModels, passphrasesOf } from "../../../fuzz/formats/chain/models.ts";
import { encryptions } from "../../../fuzz/formats/qcow2/encryption.ts";
import { PASSPHRASES } from "../../../fuzz/generate/encryption.ts";
import { luks1Models } from "../../../fuzz/formats/luks1/models.ts";
import { modestDisk } from "../../../fuzz/formats/chain/modest.ts";
import { qcow1Models } from "../../../fuzz/formats/qcow1/models.ts";
import { qcow2Models } from "../../../fuzz/formats/qcow2/models.ts";
import { normaliseQcow1, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { EncryptionModel, Qcow2Model } from "../../../src/qcow2/model.ts";
import { assertQemuReads } from "./chains_live.ts";
import { liveTest, QEMU } from "../../live.ts";

const small = { clusterBitsMax: 12, limits: { l1Bytes: 4096 } } as const;
const qcow2 = qcow2Models({ encryption: "all" });
const qcow = qcow1Models({ encryption: "all" });

Deno.test("no image is encrypted unless it is requested", () => {
  const models = [
    ...fc.sample(qcow2Models(small), { numRuns: 300, seed: 1 }),
    ...fc.sample(qcow1Models(), { numRuns: 300, seed: 1 }),
    ...fc.sample(chainModels(small), { numRuns: 300, seed: 1 }).flat(),
  ];
  assert(models.every((model) => !("encryption" in model)));
});

Deno.test("an image is the same whether or not encryption is excluded", () => {
  const draw = (options: Parameters<typeof qcow2Models>[0]): Qcow2Model[] =>
    fc.sample(qcow2Models(options), { numRuns: 50, seed: 2 });
  assertEquals(draw({ ...small, encryption: "none" }), draw(small));
});

Deno.test("about one image in six is encrypted where some are, and every one where all are", () => {
  const share = (models: readonly (Qcow2Model | Qcow1Model)[]): number =>
    models.filter(({ encryption }) => encryption !== undefined).length / models.length;
  const some = { ...small, encryption: "some" } as const;
  for (
    const models of [
      fc.sample(qcow2Models(some), { numRuns: 2000, seed: 3 }),
      fc.sample(qcow1Models({ encryption: "some" }), { numRuns: 2000, seed: 3 }),
    ]
  ) {
    const found = share(models);
    assert(found > 0.12 && found < 0.22, `${found}`);
  }
  assertEquals(share(fc.sample(qcow2, { numRuns: 200, seed: 4 })), 1);
  assertEquals(share(fc.sample(qcow, { numRuns: 200, seed: 4 })), 1);
});

Deno.test("encrypted images are normalised, and models from elsewhere are recognised", () => {
  const copyOf = <Model>(model: Model): Model => structuredClone(model);
  for (const model of fc.sample(qcow2, { numRuns: 200, seed: 5 })) {
    assertEquals(normaliseQcow2(model), model);
    assert(qcow2.canShrinkWithoutContext(copyOf(model)), fc.stringify(model));
    const next = qcow2.shrink(copyOf(model), undefined).getNthOrLast(0);
    if (next !== null) assertEquals(normaliseQcow2(next.value), next.value);
  }
  for (const model of fc.sample(qcow, { numRuns: 200, seed: 5 })) {
    assertEquals(normaliseQcow1(model), model);
    assert(qcow.canShrinkWithoutContext(copyOf(model)), fc.stringify(model));
  }
});

Deno.test("encryptions() covers everything that varies in a fair share of its values", () => {
  const all = fc.sample(encryptions(), { numRuns: 2000, seed: 6 });
  const luks =
    (meets: (model: EncryptionModel & { kind: "luks" }) => boolean) =>
    (model: EncryptionModel): boolean => model.kind === "luks" && meets(model);
  const features: [string, number, (model: EncryptionModel) => boolean][] = [
    ["the legacy encryption", 0.2, ({ kind }) => kind === "aes"],
    ["LUKS", 0.5, ({ kind }) => kind === "luks"],
    ["xts", 0.1, luks(({ spec }) => spec.mode === "xts")],
    ["ctr", 0.05, luks(({ spec }) => spec.mode === "ctr")],
    ["essiv", 0.05, luks(({ spec }) => spec.ivGenerator === "essiv")],
    ["keys of 64 bytes", 0.03, luks(({ spec }) => spec.keyBytes === 64)],
    ["several keys", 0.1, luks(({ keys }) => keys.length > 1)],
    ["erased keys", 0.05, luks(({ erased }) => erased.length > 0)],
    ["a payload further on", 0.1, luks(({ gap }) => gap > 0)],
    ["a longer encryption header", 0.1, luks(({ spare }) => spare > 0)],
    ["an empty passphrase", 0.05, luks(({ keys }) => keys.at(-1)?.passphrase === "")],
  ];
  for (const [name, share, meets] of features) {
    const met = all.filter(meets).length / all.length;
    assert(met >= share, `${name}: ${met}`);
  }
  for (const cipher of ["aes", "serpent", "twofish", "cast5"]) {
    assert(all.some(luks(({ spec }) => spec.cipher === cipher)), cipher);
  }
});

Deno.test("encrypted images shrink to the simplest encryption that matters", () => {
  const shrunk = (meets: (encryption: EncryptionModel | undefined) => boolean): unknown => {
    const models = qcow2Models({ ...small, encryption: "some" });
    const property = fc.property(models, ({ encryption }) => !meets(encryption));
    const { counterexample } = fc.check(property, { seed: 7, numRuns: 2000 });
    return counterexample?.[0].encryption;
  };
  assertEquals(shrunk((encryption) => encryption !== undefined), {
    kind: "aes",
    passphrase: "secret",
  });
  assertEquals(shrunk((encryption) => encryption?.kind === "luks"), {
    kind: "luks",
    spec: { cipher: "aes", keyBytes: 16, mode: "cbc", ivGenerator: "plain64", hash: "md5" },
    seed: 0,
    uuid: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10",
    digestIterations: 1,
    keys: [{ slot: 0, passphrase: "secret", iterations: 1 }],
    erased: [],
    gap: 0,
    spare: 0,
  });
});

Deno.test("images are encrypted with the requested passphrases and no others", () => {
  const passphrases = ["one", "two"];
  const options = { ...small, encryption: "all", passphrases } as const;
  const used = (chains: readonly ChainModel[]): Set<string | undefined> =>
    new Set(chains.flatMap(passphrasesOf));
  const chains = fc.sample(chainModels(options), { numRuns: 300, seed: 8 });
  assertEquals([...used(chains)].sort(), ["one", "two", undefined]);
  const usual = fc.sample(chainModels({ ...small, encryption: "some" }), { numRuns: 900, seed: 9 });
  assertEquals(used(usual), new Set([undefined, ...PASSPHRASES]));
  for (const { keys } of fc.sample(luks1Models({ passphrases }), { numRuns: 50, seed: 10 })) {
    for (const { passphrase } of keys) assert(passphrases.includes(passphrase));
  }
});

Deno.test("passphrasesOf() names the passphrase of each image from the top down", () => {
  const chains = fc.sample(chainModels({ ...small, encryption: "some" }), {
    numRuns: 2000,
    seed: 11,
  });
  const mixed = chains.map(passphrasesOf).filter((found) => new Set(found).size > 2);
  assert(mixed.length > 0, "no chain with two passphrases and an image without one");
  for (const chain of chains) {
    passphrasesOf(chain).forEach((passphrase, depth) => {
      const image = chain[depth] as ChainModel[number];
      const encryption = image.format === "raw" ? undefined : image.encryption;
      assertEquals(passphrase === undefined, encryption === undefined);
    });
  }
});

liveTest(
  { needs: QEMU },
  "qemu-img reads chains of encrypted images as their models say",
  async (directory) => {
    const chains = fc.sample(chainModels({ ...small, encryption: "all" }), {
      numRuns: 60,
      seed: 12,
    });
    for (const [index, whole] of chains.entries()) {
      const chain = modestDisk(whole, 64);
      const own = `${directory}/${index}`;
      await Deno.mkdir(own);
      try {
        await assertQemuReads(chain, own);
      } catch (cause) {
        throw new Error(`chain ${index}: ${fc.stringify(chain)}`, { cause });
      }
      await Deno.remove(own, { recursive: true });
    }
  },
);
