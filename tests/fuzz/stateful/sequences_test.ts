import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Failure, type Target, type Tools } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import type { StatefulCase } from "../../../fuzz/targets/stateful.ts";
import { targets } from "../../../fuzz/targets/mod.ts";
import { plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import { liveTest, QEMU, versionOf } from "../../live.ts";

const ALL = targets.filter(({ name }) => name.includes("stateful"));

function named(name: string): Target<StatefulCase> {
  const target = ALL.find((it) => it.name === name);
  assert(target !== undefined, name);
  return target as Target<StatefulCase>;
}

function toolsHere(): Tools {
  return { "qemu-img": versionOf("qemu-img"), "qemu-io": versionOf("qemu-io") };
}

const CASES = 6;

for (const target of ALL) {
  liveTest(
    { needs: target.needs ?? [] },
    `${target.name} holds for generated sequences`,
    async (directory) => {
      const tools = target.needs === undefined ? {} : toolsHere();
      for (let index = 0; index < CASES; index++) {
        const { value } = caseAt(target.cases(), { seed: 1, target: target.name }, index);
        await target.run(value, { directory, tools });
      }
      await target.stop?.();
    },
  );
}

/** A disk of three clusters, and all kinds of steps. */
const everything: StatefulCase = {
  model: [{ ...plainQcow2, clusterBits: 12, size: 3n * 4096n }],
  steps: [
    {
      do: "write",
      at: { cluster: 0, skip: 100, clusters: 1, bytes: 5 },
      pattern: { kind: "noise", seed: 1 },
    },
    { do: "bitmap-add", granularityBits: 12, enabled: true },
    { do: "zero", at: { cluster: 1, skip: 0, clusters: 1, bytes: 0 }, unmap: true },
    { do: "bitmap-remove", index: 0 },
    { do: "snapshot" },
    {
      do: "compressed",
      at: { cluster: 2, skip: 0, clusters: 0, bytes: 0 },
      pattern: { kind: "fill", seed: 2 },
    },
    { do: "resize", clusters: 2, sectors: 1 },
    { do: "discard", at: { cluster: 0, skip: 0, clusters: 1, bytes: 0 } },
    { do: "reopen" },
    { do: "delete", index: 0 },
    { do: "flush" },
  ],
  everyStep: true,
};

liveTest(
  { needs: QEMU },
  "a sequence of all kinds of steps on an image that qemu-img can make",
  async (directory) => {
    const target = named("stateful-qemu");
    const report = await target.run(everything, { directory, tools: toolsHere() });
    assertEquals(report, { depth: "accepted", rules: [] });
    await target.stop?.();
  },
);

liveTest(
  { needs: QEMU },
  "the script of a sequence does the same in a shell, and checks the result",
  async () => {
    const script = named("stateful-qemu").script?.(everything) ?? "";
    assertStringIncludes(script, "qemu-img create -q -f qcow2");
    const output = await new Deno.Command("/bin/sh", { args: ["-c", script], env: { LC_ALL: "C" } })
      .output();
    const text = new TextDecoder().decode(output.stdout);
    assertStringIncludes(text, "Images are identical.");
    assertEquals(output.code, 0);
  },
);

Deno.test("a script makes an image with its bytes that qemu-img create cannot make", () => {
  const reserved = {
    ...{ index: 0, kind: "subclusters", allocated: 0, zero: 0, reserved: true },
    pattern: { kind: "fill", seed: 0 },
  };
  const extended = { ...plainQcow2, clusterBits: 14, extendedL2: true, size: 512n };
  const scripts = [[], [reserved]].map((clusters) =>
    named("stateful-qemu").script?.({ ...everything, model: [{ ...extended, clusters }] })
  );
  const made = scripts.map((script) => script?.includes("qemu-img create"));
  assertEquals(made, [true, false]);
  assertStringIncludes(scripts[1] ?? "", "base64 -d");
});

Deno.test("a step without a member is not a case", () => {
  const target = named("stateful-qemu");
  for (const step of everything.steps) {
    for (const member of Object.keys(step).filter((name) => name !== "enabled")) {
      const { [member as "do"]: _, ...less } = step;
      let failed = false;
      try {
        target.repair?.({ ...everything, steps: [less as typeof step] });
      } catch (error) {
        failed = error instanceof TypeError && !(error instanceof Failure);
      }
      assert(failed, `${step.do} without ${member}`);
    }
  }
});
