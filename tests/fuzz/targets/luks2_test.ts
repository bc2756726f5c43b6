import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import type { CaseReport, Depth, Target } from "../../../fuzz/engine/target.ts";
import { dossierOf } from "../../../fuzz/engine/dossier.ts";
import { editsOf } from "../../../fuzz/formats/edited.ts";
import { filesOf, passphrasesOf } from "../../../fuzz/formats/kit.ts";
import { luks2 } from "../../../fuzz/formats/luks2/mod.ts";
import { opensStill } from "../../../fuzz/formats/luks2/sound.ts";
import { luks2Slot, luks2Volumes } from "../../../fuzz/formats/luks2/volumes.ts";
import { describeEdit, type Edit, sealedLists } from "../../../fuzz/mutate/mod.ts";
import { judged, open } from "../../../fuzz/targets/open.ts";
import { roundtrip } from "../../../fuzz/targets/roundtrip.ts";
import { chooseCopy, decodeLuks2, type Luks2Model } from "../../../src/luks2/mod.ts";
import { changed, modelOf } from "../../luks2/volumes.ts";

const context = { directory: "", tools: {} };

const luks2Open = open(luks2);
const luks2Roundtrip = roundtrip(luks2);

function sample<Case>(target: Target<Case>, options: { seed: number; count: number }): Case[] {
  return fc.sample(target.cases(), { numRuns: options.count, seed: options.seed });
}

Deno.test("luks2-open holds, and its cases reach every depth", () => {
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
const sealed = { sealed: true } as const;

/** The bytes of the header with edits. */
function edited(...edits: Edit[]): Uint8Array {
  const { source } = headerAfter(model, edits);
  return source.read(0, source.size).slice();
}

function headerAfter(volume: Luks2Model, edits: readonly Edit[] = []) {
  const [header] = filesOf(luks2, volume, edits);
  assert(header !== undefined);
  return header;
}

Deno.test("edits of copies give the same result as changes to a built volume", () => {
  const pairs: [Edit, Uint8Array][] = [
    [
      { op: "json", path: "/*/json", member: "/segments/0/sector_size", value: 4096, ...sealed },
      changed({}, { json: (root) => void (root.segments["0"].sector_size = 4096) }),
    ],
    [
      { op: "json", path: "/primary/json", member: "/tokens/0", ...sealed },
      changed({}, { json: (root) => void delete root.tokens["0"], only: "primary" }),
    ],
    [
      {
        op: "json-copy",
        path: "/*/json",
        member: "/keyslots/0/af",
        from: "/keyslots/3/kdf",
        ...sealed,
      },
      changed({}, { json: (root) => void (root.keyslots["0"].af = root.keyslots["3"].kdf) }),
    ],
    [
      { op: "json-move", path: "/*/json", member: "/config", to: 0, ...sealed },
      changed({}, { text: (text) => moveToFront(text, "config") }),
    ],
    [
      { op: "json-move", path: "/*/json", member: "/keyslots/0", to: 1, ...sealed },
      changed({}, {
        text: (text) => text.replace(/("keyslots":{)("0":.*),("3":{.*?})(},"\w+":)/, "$1$3,$2$4"),
      }),
    ],
    [
      {
        op: "letters",
        path: "/secondary/json",
        offset: 1,
        remove: 2,
        insert: "xy",
        times: 3,
        ...sealed,
      },
      changed({}, { text: (text) => `{xyxyxy${text.slice(3)}`, only: "secondary" }),
    ],
    [
      { op: "set", path: "/*/hdr_size", value: 5n },
      changed({}, { fields: { hdr_size: 5 }, unsummed: true }),
    ],
    [
      { op: "text", path: "/*/csum_alg", text: "sha512", fill: 0, ...sealed },
      changed({}, { fields: { csum_alg: "sha512" } }),
    ],
  ];
  for (const [edit, expected] of pairs) {
    assertEquals(edited(edit), expected, describeEdit(edit));
  }
});

/** The text of JSON with a member of the root in front of the others. */
function moveToFront(text: string, name: string): string {
  const { [name]: value, ...rest } = JSON.parse(text);
  return JSON.stringify({ [name]: value, ...rest });
}

Deno.test("an edit of broken JSON or of a truncated copy does nothing", () => {
  const text: Edit = {
    op: "letters",
    path: "/*/json",
    offset: 0,
    remove: 1,
    insert: "",
    times: 1,
    ...sealed,
  };
  const json: Edit = { op: "json", path: "/*/json", member: "/config", value: {}, ...sealed };
  assertEquals(edited(text, json), edited(text));
  const cut = { op: "resize", size: 5000 } as const;
  assertEquals(edited(cut, json), edited(cut));
});

Deno.test("most edits of copies keep the checksum right, so that a reader gets past it", () => {
  let intact = 0;
  let copies = 0;
  for (const draws of fc.sample(sealedLists(), { numRuns: 200, seed: 3 })) {
    const edits = editsOf(luks2, model, draws.filter(({ copy }) => copy !== undefined));
    if (edits.length === 0) continue;
    const { primary, secondary } = decodeLuks2(headerAfter(model, edits).source);
    copies += 2;
    intact += [primary, secondary].filter((copy) => copy.intact === true).length;
  }
  assert(intact > 0.7 * copies, `${intact} of ${copies}`);
});

Deno.test("opensStill() distinguishes edits that leave a copy from those that may leave none", () => {
  const garbled: Edit = { op: "xor", path: "/primary", offset: 5000, bits: 1 };
  const other: Edit = { ...garbled, path: "/secondary" };
  const version = { op: "set", path: "/primary/version" } as const;
  assert(opensStill(model, []));
  assert(opensStill(model, [garbled, garbled]));
  assert(opensStill(model, [other]));
  assert(opensStill(model, [{ ...version, value: 0n }]));
  assert(!opensStill(model, [{ ...version, value: 3n }]));
  assert(!opensStill(model, [{ ...garbled, offset: 7 }]));
  assert(!opensStill(model, [garbled, other]));
  assert(!opensStill(model, [{ ...garbled, path: "/*" }]));
  assert(!opensStill(model, [{ ...garbled, ...sealed }]));
  assert(!opensStill(model, [garbled, { op: "resize", size: 9000 }]));
  assert(!opensStill(model, [{ op: "swap", path: "/primary", with: "/secondary" }]));
  assert(!opensStill(model, [{ op: "swap", path: "/secondary", with: "/primary" }]));
  assert(!opensStill(modelOf({ secondary: "missing" }), [garbled]));
  assert(opensStill(modelOf({ primary: "garbled" }), [garbled]));
});

Deno.test("luks2-open fails for an invalid volume that is marked as valid", () => {
  const broken: Edit = { op: "json", path: "/*/json", member: "/segments", ...sealed };
  const other: Edit = { ...broken, member: "/segments/0/iv_tweak", value: "8" };
  for (const edit of [broken, other]) {
    const files = filesOf(luks2, model, [edit]);
    const from = { model, edits: [edit] };
    judged(luks2, { files, key: "right", from });
    assertThrows(() => judged({ ...luks2, sound: () => true }, { files, key: "right", from }));
  }
});

Deno.test("a LUKS2 volume opens with the right passphrase in the slot of its model", () => {
  for (const volume of fc.sample(luks2Volumes(), { numRuns: 50, seed: 4 })) {
    const used = volume.keys.map(({ passphrase }) => passphrase);
    const [right] = passphrasesOf(luks2, volume, "right");
    assert(used.includes(right ?? "?"));
    assert(luks2Slot(volume, right) !== undefined);
    assert(!used.includes(passphrasesOf(luks2, volume, "wrong")[0] ?? used[0] as string));
    assertEquals(passphrasesOf(luks2, volume, "none"), []);
    assert(chooseCopy(decodeLuks2(headerAfter(volume).source)).metadata !== undefined);
  }
});

Deno.test("a dossier names the passphrases of a LUKS2 case, each once", () => {
  const [value] = sample(luks2Roundtrip, { seed: 6, count: 1 });
  assert(value !== undefined);
  const { passphrases } = dossierOf(luks2Roundtrip as Target, value);
  assertEquals(passphrases, [...new Set(value.model.keys.map(({ passphrase }) => passphrase))]);
});
