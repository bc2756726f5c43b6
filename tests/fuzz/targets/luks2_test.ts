import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import type { CaseReport, Depth, Target } from "../../../fuzz/engine/target.ts";
import { dossierOf } from "../../../fuzz/engine/dossier.ts";
import { luks2Draws, luks2Edits } from "../../../fuzz/targets/luks2_draws.ts";
import {
  applyLuks2Edits,
  type CopyEdit,
  describeLuks2Edit,
  isCopyEdit,
  type Luks2Edit,
} from "../../../fuzz/targets/luks2_edits.ts";
import { luks2Open, opensStill } from "../../../fuzz/targets/luks2_open.ts";
import { luks2Roundtrip } from "../../../fuzz/targets/luks2_roundtrip.ts";
import { tryLuks2 } from "../../../fuzz/targets/luks2_trial.ts";
import {
  luks2Files,
  luks2Passphrase,
  luks2Slot,
  luks2Volumes,
} from "../../../fuzz/targets/luks2_volume.ts";
import { buildLuks2, chooseCopy, decodeLuks2 } from "../../../src/luks2/mod.ts";
import { changed, modelOf } from "../../luks2/volumes.ts";

const context = { directory: "", tools: {} };

function sample<Case>(target: Target<Case>, options: { seed: number; count: number }): Case[] {
  return fc.sample(target.cases(), { numRuns: options.count, seed: options.seed });
}

Deno.test("luks2-open holds, and its cases get as far as there is to get", () => {
  const depths: Record<Depth, number> = { header: 0, tables: 0, data: 0, accepted: 0 };
  const rules = new Set<string>();
  let cases = 0;
  for (const value of sample(luks2Open, { seed: 1, count: 80 })) {
    const report = luks2Open.run(value, context) as CaseReport;
    for (const { depth, rules: broken } of [report, ...report.more ?? []]) {
      depths[depth]++;
      cases++;
      for (const rule of broken) rules.add(rule);
    }
  }
  assert(Object.values(depths).every((count) => count > 0), JSON.stringify(depths));
  assert(depths.header < cases / 4, JSON.stringify(depths));
  const met = [...rules].filter((rule) => rule.startsWith("luks2."));
  assert(met.length > 50, met.join(" "));
});

Deno.test("luks2-roundtrip holds for generated volumes", () => {
  for (const value of sample(luks2Roundtrip, { seed: 2, count: 15 })) {
    const { depth } = luks2Roundtrip.run(value, context) as CaseReport;
    assertEquals(depth, value.edits.length === 0 || value.key === "right" ? "accepted" : "data");
  }
});

const model = modelOf();
const inBoth = { copies: "both" } as const;

/** The bytes of the header with edits. */
function edited(...edits: Luks2Edit[]): Uint8Array {
  const source = applyLuks2Edits(buildLuks2(model).image, edits, model);
  return source.read(0, source.size).slice();
}

Deno.test("edits of copies make what the same changes to a built volume make", () => {
  const pairs: [CopyEdit, Uint8Array][] = [
    [
      { op: "json", path: "/segments/0/sector_size", value: 4096, ...inBoth },
      changed({}, { json: (root) => void (root.segments["0"].sector_size = 4096) }),
    ],
    [
      { op: "json", path: "/tokens/0", copies: "primary" },
      changed({}, { json: (root) => void delete root.tokens["0"], only: "primary" }),
    ],
    [
      { op: "json-copy", path: "/keyslots/0/af", from: "/keyslots/3/kdf", ...inBoth },
      changed({}, { json: (root) => void (root.keyslots["0"].af = root.keyslots["3"].kdf) }),
    ],
    [
      { op: "json-text", at: 1, remove: 2, insert: "xy", times: 3, copies: "secondary" },
      changed({}, { text: (text) => `{xyxyxy${text.slice(3)}`, only: "secondary" }),
    ],
    [
      { op: "number", field: "hdr_size", value: 5n, unsummed: true, ...inBoth },
      changed({}, { fields: { hdr_size: 5 }, unsummed: true }),
    ],
    [
      { op: "letters", field: "csum_alg", text: "sha512", fill: 0, ...inBoth },
      changed({}, { fields: { csum_alg: "sha512" } }),
    ],
  ];
  for (const [edit, expected] of pairs) {
    assertEquals(edited(edit), expected, describeLuks2Edit(edit));
  }
});

Deno.test("an edit of JSON that is none any more does nothing, and neither does one of a cut copy", () => {
  const text = { op: "json-text", at: 0, remove: 1, insert: "", times: 1, ...inBoth } as const;
  const json = { op: "json", path: "/config", value: {}, ...inBoth } as const;
  assertEquals(edited(text, json), edited(text));
  const cut = { op: "resize", size: 5000 } as const;
  assertEquals(edited(json, cut), edited(cut));
});

Deno.test("most edits of copies leave a checksum that is right, so that a reader gets past it", () => {
  let intact = 0;
  let copies = 0;
  for (const draws of fc.sample(luks2Draws(), { numRuns: 200, seed: 3 })) {
    const edits = luks2Edits(model, draws).filter(isCopyEdit);
    if (edits.length === 0) continue;
    const { primary, secondary } = decodeLuks2(luks2Files(model, edits).header);
    copies += 2;
    intact += [primary, secondary].filter((copy) => copy.intact === true).length;
  }
  assert(intact > 0.7 * copies, `${intact} of ${copies}`);
});

Deno.test("opensStill() tells edits that leave a copy from those that may leave none", () => {
  const garbled: Luks2Edit = { op: "bits", at: 5000, bits: 1, copies: "primary", unsummed: true };
  assert(opensStill(model, []));
  assert(opensStill(model, [garbled, garbled]));
  assert(opensStill(model, [{ ...garbled, copies: "secondary" }]));
  assert(opensStill(model, [{ ...garbled, op: "number", field: "version", value: 0n }]));
  assert(!opensStill(model, [{ ...garbled, op: "number", field: "version", value: 3n }]));
  assert(!opensStill(model, [{ ...garbled, at: 7 }]));
  assert(!opensStill(model, [garbled, { ...garbled, copies: "secondary" }]));
  assert(!opensStill(model, [{ ...garbled, copies: "both" }]));
  const { unsummed: _, ...summed } = garbled as CopyEdit;
  assert(!opensStill(model, [summed]));
  assert(!opensStill(model, [garbled, { op: "resize", size: 9000 }]));
  assert(!opensStill(modelOf({ secondary: "missing" }), [garbled]));
  assert(opensStill(modelOf({ primary: "garbled" }), [garbled]));
});

Deno.test("tryLuks2() fails for a volume that is said to be sound and is not", () => {
  const broken: CopyEdit = { op: "json", path: "/segments", ...inBoth };
  const other: CopyEdit = { op: "json", path: "/segments/0/iv_tweak", value: "8", ...inBoth };
  for (const edit of [broken, other]) {
    const files = luks2Files(model, [edit]);
    tryLuks2(files, { model, key: "right", sound: false });
    assertThrows(() => tryLuks2(files, { model, key: "right", sound: true }));
  }
});

Deno.test("a LUKS2 volume opens by its right passphrase in the slot that its model tells", () => {
  for (const volume of fc.sample(luks2Volumes(), { numRuns: 50, seed: 4 })) {
    const used = volume.keys.map(({ passphrase }) => passphrase);
    const right = luks2Passphrase(volume, "right");
    assert(used.includes(right ?? "?"));
    assert(luks2Slot(volume, right) !== undefined);
    assert(!used.includes(luks2Passphrase(volume, "wrong") ?? used[0] as string));
    assertEquals(luks2Passphrase(volume, "none"), undefined);
    assert(chooseCopy(decodeLuks2(luks2Files(volume, []).header)).metadata !== undefined);
  }
});

Deno.test("a dossier names the passphrases of a LUKS2 case, each once", () => {
  const [value] = sample(luks2Roundtrip, { seed: 6, count: 1 });
  assert(value !== undefined);
  const { passphrases } = dossierOf(luks2Roundtrip as Target, value);
  assertEquals(passphrases, [...new Set(value.model.keys.map(({ passphrase }) => passphrase))]);
});
