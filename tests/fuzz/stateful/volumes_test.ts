import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import { changedVolumes, type KeySlots, type Kit, openWith } from "../../../fuzz/formats/mod.ts";
import { ReferenceFiles, runSequence, type TurnStep } from "../../../fuzz/stateful/mod.ts";
import { startIn } from "../../../fuzz/targets/mod.ts";
import { utf8 } from "../../../src/bytes/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";

function luks1(): Kit & { readonly keys: { readonly slots: KeySlots } } {
  const kit = changedVolumes.find(({ format }) => format.name === "luks");
  assert(kit?.keys?.slots !== undefined);
  return kit as ReturnType<typeof luks1>;
}

const at = { cluster: 0, skip: 100, clusters: 0, bytes: 700 };
const steps: readonly TurnStep[] = [
  { do: "write", at, pattern: { kind: "noise", seed: 1 } },
  { do: "key-add" },
  { do: "zero", at: { ...at, bytes: 9 }, unmap: false },
  { do: "key-add" },
  { do: "key-erase", index: 0 },
  { do: "reopen" },
];

/** Runs the steps on volumes, one of which has a detached header. */
async function run(slots: KeySlots, changes = steps): Promise<number> {
  const kit = luks1();
  let detached = 0;
  for (let index = 0, runs = 0; runs < 2 || detached === 0; index++) {
    const { value: model } = caseAt(kit.models("stateful"), { seed: 1, target: "volumes" }, index);
    const { start, open, options, leaks } = startIn(kit, model);
    const [passphrase = ""] = start.passphrases;
    if (start.state.disk.size < 2048) continue;
    runs++;
    if (start.header !== undefined) detached++;
    const { done } = await runSequence(start, changes, {
      writers: [new ReferenceFiles({ options, keys: { slots, passphrase } })],
      ...{ everyStep: false, open, allowed: { leaks } },
      unlocks: (files, key) => {
        const { header, source, definition } = openWith(kit, files);
        const unlocked = definition.keys?.unlock?.(header ?? source, utf8(key));
        return unlocked !== undefined && "slot" in unlocked;
      },
    });
    assert(done >= changes.length - 3);
  }
  return detached;
}

Deno.test("volumes keep their content while keys are added and erased, with a detached header too", async () => {
  assert(await run(luks1().keys.slots) > 0);
});

const MISTAKES: readonly (readonly [name: keyof KeySlots, signature: string])[] = [
  ["add", "reference.keys.lost"],
  ["erase", "reference.keys.left"],
];

for (const [name, signature] of MISTAKES) {
  Deno.test(`the planted mistake is found that '${name}' changes no key slot`, async () => {
    const slots = { ...luks1().keys.slots, [name]: (file: Uint8Array) => file };
    const changes = steps.filter((step) => name === "erase" || step.do !== "key-erase");
    const failure = await assertRejects(() => run(slots, changes), Failure);
    assertEquals(failure.signature, signature);
  });
}
