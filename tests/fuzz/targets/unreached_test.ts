/** Each rule is broken by a case of some target, or listed with the reason why it is not. */

import { assert, assertEquals } from "@std/assert";
import { modelOf as luks1 } from "../../../corpus/cases/luks1/models.ts";
import { modelOf as luks2 } from "../../../corpus/cases/luks2/models.ts";
import { modelOf as qcow1 } from "../../../corpus/cases/qcow1/models.ts";
import { data, small } from "../../../corpus/cases/qcow2/models.ts";
import type { CaseReport } from "../../../fuzz/engine/mod.ts";
import type { KeyChoice } from "../../../fuzz/generate/mod.ts";
import type { Edit } from "../../../fuzz/mutate/mod.ts";
import { recorded, targets, unreached } from "../../../fuzz/targets/mod.ts";
import { catalogue } from "../../../src/formats.ts";
import { readRecord, recordNames } from "../../../src/recorded/mod.ts";

const IMAGES = new URL("../../../corpus/images", import.meta.url).pathname;
const CONTEXT = { directory: "", tools: {} };

/** The rules that images of the corpus break: the target `golden` judges them. */
function brokenByCorpus(): Set<string> {
  return new Set(
    recordNames(IMAGES).flatMap((name) => {
      const { features: [rule = "", does] } = readRecord(IMAGES, name);
      return does === "breaks" ? [rule] : [];
    }),
  );
}

/** The rules that an edited image breaks in an open target. */
async function brokenIn(
  name: string,
  model: unknown,
  { edits = [], key = "none" }: { edits?: readonly Edit[]; key?: KeyChoice } = {},
): Promise<string[]> {
  const target = targets.find((target) => target.name === name);
  const kind = name.startsWith("luks") ? "volume" : "edited";
  const { rules = [] } = await target?.run(
    { kind, model, variants: [{ edits, key }] },
    CONTEXT,
  ) as CaseReport;
  return [...rules];
}

function json(member: string, value: number): Edit {
  return { op: "json", path: "/*/json", member, value, sealed: true };
}

/** The rules whose images the corpus does not have, and that other cases break. */
async function brokenByOthers(): Promise<string[]> {
  const memory = "/keyslots/3/kdf/memory";
  const open = { op: "set", path: "/key_slots/0/iterations", value: 2n ** 31n } as const;
  const { rules = [] } = await recorded.run({ name: "qcow2.snap.table-size-max-breaks" }, CONTEXT);
  const far = small({
    clusterBits: 14,
    refcountOrder: 0,
    clusters: [data(0)],
    placement: { far: { from: 0, offset: 2 ** 50 } },
  });
  return [
    ...rules,
    ...await brokenIn("qcow-open", qcow1({})),
    ...await brokenIn("qcow2-open", far),
    ...await brokenIn("luks-open", luks1()),
    ...await brokenIn("luks-open", luks1(), { edits: [open], key: "right" }),
    ...await brokenIn("luks2-open", luks2()),
    ...await brokenIn("luks2-open", luks2(), { edits: [json(memory, 2 ** 19)], key: "right" }),
    ...await brokenIn("luks2-open", luks2(), { edits: [json(memory, 2 ** 21)], key: "right" }),
    ...await brokenIn("luks2-open", luks2(), {
      edits: [json("/keyslots/3/key_size", 4097)],
      key: "right",
    }),
  ];
}

Deno.test("the rules that no case breaks are listed with the reason, and no others", async () => {
  const broken = new Set<string>([...brokenByCorpus(), ...await brokenByOthers()]);
  const missing = catalogue.map(({ id }) => id as string).filter((id) => !broken.has(id));
  assertEquals(Object.keys(unreached).sort(), missing.sort());
  assert(Object.values(unreached).every((reason) => reason !== ""));
});
