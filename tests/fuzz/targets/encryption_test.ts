import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { chainPassphrases, withOwnKeys } from "../../../fuzz/formats/chain/keys.ts";
import {
  chainModels,
  passphrasesOf as passphrasesOfChain,
} from "../../../fuzz/formats/chain/models.ts";
import { passphrasesOf } from "../../../fuzz/formats/kit.ts";
import {
  assertChanged,
  assertKeys,
  changed,
  type KeyChange,
} from "../../../fuzz/formats/luks1/key_changes.ts";
import { luks1 } from "../../../fuzz/formats/luks1/mod.ts";
import { luks1Volumes } from "../../../fuzz/formats/luks1/volumes.ts";
import type { CaseReport, Depth, Target } from "../../../fuzz/engine/target.ts";
import { dossierOf } from "../../../fuzz/engine/dossier.ts";
import { encryptionCanary, type MistakenCase } from "../../../fuzz/targets/encryption_canary.ts";
import { open } from "../../../fuzz/targets/open.ts";
import { roundtrip } from "../../../fuzz/targets/roundtrip.ts";
import {
  insideMistakes,
  legacyMistakes,
  type Mistake,
  signatureOf,
  volumeMistakes,
} from "../../../fuzz/targets/wrong_reader.ts";
import { buildLuks1 } from "../../../src/luks1/mod.ts";
import { modelOf, sourceOf } from "../../luks1/volumes.ts";

const context = { directory: "", tools: {} };

const luksOpen = open(luks1);
const luksRoundtrip = roundtrip(luks1);

function sample<Case>(target: Target<Case>, options: { seed: number; count: number }): Case[] {
  return fc.sample(target.cases(), { numRuns: options.count, seed: options.seed });
}

Deno.test("luks-open holds, and its cases reach every depth", () => {
  const depths: Record<Depth, number> = { header: 0, tables: 0, data: 0, accepted: 0 };
  const rules = new Set<string>();
  for (const value of sample(luksOpen, { seed: 1, count: 60 })) {
    const report = luksOpen.run(value, context) as CaseReport;
    for (const { depth, rules: broken } of [report, ...report.more ?? []]) {
      depths[depth]++;
      for (const rule of broken) rules.add(rule);
    }
  }
  assert(Object.values(depths).every((count) => count > 0), JSON.stringify(depths));
  const met = [...rules].filter((rule) => rule.startsWith("luks."));
  assert(met.length > 25, met.join(" "));
});

Deno.test("luks-roundtrip holds for generated volumes", () => {
  for (const value of sample(luksRoundtrip, { seed: 2, count: 12 })) {
    assertEquals((luksRoundtrip.run(value, context) as CaseReport).depth, "accepted");
  }
});

Deno.test("every mistake of a reader about encryption is caught, and a reader without one is right", () => {
  const mistakes: readonly Mistake[] = [...volumeMistakes, ...insideMistakes, ...legacyMistakes];
  const caught = new Set<Mistake>();
  for (const value of sample(encryptionCanary, { seed: 3, count: 250 })) {
    if (!shows(value)) continue;
    assert(value.mistake !== "none", encryptionCanary.describe(value));
    caught.add(value.mistake);
    if (caught.size === mistakes.length) break;
  }
  assertEquals([...caught].sort(), [...mistakes].sort());
});

/** Whether the mistake of a case shows; it fails as itself, where it does. */
function shows(value: MistakenCase): boolean {
  try {
    encryptionCanary.run(value, context);
    return false;
  } catch (error) {
    assertEquals((error as { signature?: string }).signature, signatureOf(value.mistake));
    return true;
  }
}

Deno.test("a passphrase marked as wrong opens nothing, and the right one opens a key", () => {
  for (const model of fc.sample(luks1Volumes({ qemu: false }), { numRuns: 50, seed: 4 })) {
    const used = model.keys.map(({ passphrase }) => passphrase);
    assert(used.includes(passphrasesOf(luks1, model, "right")[0] ?? "?"));
    assert(!used.includes(passphrasesOf(luks1, model, "wrong")[0] ?? used[0] as string));
    assertEquals(passphrasesOf(luks1, model, "none"), []);
  }
});

Deno.test("the expected keys follow from the edits", () => {
  const model = modelOf();
  const { image } = buildLuks1(model);
  const header = sourceOf(image).read(0, image.size).slice();
  const start = { header, keys: new Map([[0, "first"], [2, "second"]]) };
  assertKeys(start);
  const change = (act: KeyChange["act"], which = 0): KeyChange => {
    return { act, which, passphrase: "third", iterations: 2 };
  };
  const keysAfter = (act: KeyChange["act"], which?: number) => {
    const after = changed(start, change(act, which));
    assertKeys(after);
    return Object.fromEntries(after.keys);
  };
  assertEquals(keysAfter("add"), { 0: "first", 1: "third", 2: "second" });
  assertEquals(keysAfter("change"), { 1: "third", 2: "second" });
  assertEquals(keysAfter("erase"), { 2: "second" });
  assertEquals(keysAfter("erase-slot", 1), { 0: "first" });
  const last = changed(start, change("erase"));
  assertEquals(changed(last, change("erase")).keys, last.keys, "the last key stays");
});

Deno.test("assertChanged() returns the keys of changed slots, and finds missing changes", () => {
  const model = modelOf();
  const { image } = buildLuks1(model);
  const start = {
    header: sourceOf(image).read(0, image.size).slice(),
    keys: new Map([[0, "first"], [2, "second"]]),
  };
  const change = { which: 0, passphrase: "third", iterations: 2 };
  const added = changed(start, { act: "add", ...change });
  assertEquals(assertChanged(start, added).length, 1);
  assertEquals(assertChanged(start, start), []);
  const erased = changed(start, { act: "erase-slot", ...change });
  assertEquals(assertChanged(start, erased), []);

  const found = (after: { header: Uint8Array; keys: ReadonlyMap<number, string> }) =>
    assertThrows(() => assertChanged(start, after)) as { signature?: string };
  const withByte = (header: Uint8Array, at: number) => {
    const bytes = header.slice();
    bytes.set([~(bytes[at] ?? 0)], at);
    return bytes;
  };
  assertEquals(found({ ...start, keys: added.keys }).signature, "luks.change.slot");
  assertEquals(found({ ...added, keys: start.keys }).signature, "luks.slot");
  const damaged = withByte(added.header, MATERIAL);
  assertEquals(found({ header: damaged, keys: added.keys }).signature, "luks.slot");
  const other = withByte(added.header, UUID_AT);
  assertEquals(found({ header: other, keys: added.keys }).signature, "luks.change.header");
  // A sector of the material of slot 0 is what it was.
  const left = erased.header.slice();
  left.set(start.header.subarray(MATERIAL, MATERIAL + 512), MATERIAL);
  assertEquals(found({ header: left, keys: erased.keys }).signature, "luks.change.erased");
});

/** Where the key material of the first slot begins, and the UUID (LUKS1 On-Disk Format, 2.2). */
const MATERIAL = 4096;
const UUID_AT = 168;

Deno.test("assertKeys() finds a slot that opens, and one that does not", () => {
  const { image } = buildLuks1(modelOf());
  const header = sourceOf(image).read(0, image.size).slice();
  assertThrows(() => assertKeys({ header, keys: new Map([[0, "first"], [2, "other"]]) }));
  const twice = buildLuks1(modelOf({
    keys: [{ slot: 0, passphrase: "same", iterations: 1 }, {
      slot: 3,
      passphrase: "same",
      iterations: 1,
    }],
  })).image;
  const both = sourceOf(twice).read(0, twice.size).slice();
  assertKeys({ header: both, keys: new Map([[0, "same"], [3, "same"]]) });
  assertThrows(() => assertKeys({ header: both, keys: new Map([[0, "same"]]) }));
});

Deno.test("a chain is opened with a passphrase for each image, and no other image's key is in one", () => {
  const options = { clusterBitsMax: 12, limits: { l1Bytes: 4096 }, encryption: "some" } as const;
  let dropped = 0;
  for (const chain of fc.sample(chainModels(options), { numRuns: 3000, seed: 5 })) {
    const passphrases = chainPassphrases(chain);
    const own = passphrasesOfChain(chain);
    assertEquals(passphrases.length, own.some((it) => it !== undefined) ? chain.length : 0);
    own.forEach((it, depth) => it === undefined || assertEquals(passphrases[depth], it));
    const after = withOwnKeys(chain);
    assertEquals(passphrasesOfChain(after), own);
    after.forEach((image, depth) => {
      if (image.format !== "qcow2" || image.encryption?.kind !== "luks") return;
      for (const { passphrase } of image.encryption.keys) {
        assert(passphrase === own[depth] || !own.includes(passphrase));
      }
      if (image !== chain[depth]) dropped++;
    });
  }
  assert(dropped > 0, "no chain where it made a difference");
});

Deno.test("a dossier names the passphrases of an encrypted case, each once", () => {
  const [value] = sample(luksRoundtrip, { seed: 6, count: 1 });
  assert(value !== undefined);
  const { passphrases } = dossierOf(luksRoundtrip as Target, value);
  assertEquals(passphrases, [...new Set(value.model.keys.map(({ passphrase }) => passphrase))]);
});
