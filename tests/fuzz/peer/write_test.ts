import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Failure, Target } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import type { WriteCase } from "../../../fuzz/peer/mod.ts";
import { problemsOfRequest, withScratch } from "../../../src/peers/mod.ts";
import { shellWord } from "../../../src/report/mod.ts";
import { plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import { liveTest, QEMU } from "../../live.ts";
import { adapterWith, failureOf, targetFor } from "./changing.ts";

const ADAPTER = "writing_adapter.ts";

/** The first failure of the reference as an adapter, with a mistake. */
async function failureWith(mistake: string, runs: number): Promise<Failure | undefined> {
  return await failureOf(await targetFor("peer-write", adapterWith(ADAPTER, mistake)), runs);
}

Deno.test("peer-write finds nothing wrong with the reference as an adapter, also when it is killed", async () => {
  const failure = await failureWith("none", 12);
  assertEquals(failure?.message, undefined);
});

Deno.test("peer-write finds nothing wrong with an adapter that keeps images open", async () => {
  const failure = await failureWith("no close", 12);
  assertEquals(failure?.message, undefined);
});

const MISTAKES = [
  ["the last byte is lost", /^wrong-content (peer|killed)\.content/],
  ["zeros are not written", /^wrong-content (peer|killed)\.content/],
  ["flush is ignored", /^wrong-content killed\.content/],
  ["close is a crash", /^crash peer\.reopen\.crashed/],
] as const;

for (const [mistake, signature] of MISTAKES) {
  Deno.test(`peer-write finds the planted mistake '${mistake}'`, async () => {
    const failure = await failureWith(mistake, 60);
    assert(signature.test(failure?.signature ?? ""), failure?.signature);
  });
}

/** A write, and zeros over a part of it. */
const changes: WriteCase = {
  format: "qcow2",
  model: [{ ...plainQcow2, clusterBits: 9, size: 4096n }],
  steps: [
    {
      do: "write",
      at: { cluster: 0, skip: 0, clusters: 2, bytes: 0 },
      pattern: { kind: "fill", seed: 7 },
    },
    { do: "zero", at: { cluster: 1, skip: 0, clusters: 1, bytes: 0 }, unmap: false },
  ],
  everyStep: false,
};

/** An image that the implementation makes, a snapshot that is applied, and a larger disk. */
const managed: WriteCase = {
  ...changes,
  created: 131072,
  steps: [
    ...changes.steps,
    { do: "snapshot" },
    ...changes.steps.slice(0, 1).map((step) => ({ ...step, pattern: { kind: "fill", seed: 9 } })),
    { do: "apply", index: 0 },
    { do: "snapshot" },
    { do: "delete", index: 0 },
    { do: "resize", clusters: 1, sectors: 0 },
  ] as WriteCase["steps"],
};

const MANAGED = [
  ["nothing", undefined],
  ["images are made too large", "wrong-content peer.size"],
  ["the disk keeps its size", "wrong-content peer.size"],
  ["snapshots are not applied", "wrong-content peer.content.data.qcow2.top"],
] as const;

for (const [mistake, signature] of MANAGED) {
  Deno.test(`peer-write makes an image, snapshots and another size with the mistake '${mistake}'`, async () => {
    const target = await targetFor("peer-write", adapterWith(ADAPTER, mistake));
    const running = withScratch(async (directory) => {
      await target.run(managed, { directory, tools: {} });
    }, "/tmp");
    const failure = await running.catch((error) => error).finally(() => target.stop?.());
    assertEquals(failure?.signature, signature, failure?.message);
  });
}

/** The target for an adapter, as a peer names it. */
async function targetOf(mistake: string): Promise<Target> {
  const command = adapterWith(ADAPTER, mistake);
  return await targetFor("peer-write", command, `jsonl:${command.map(shellWord).join(" ")}`);
}

Deno.test("the script of a case sends its changes to the adapter as the protocol says", async () => {
  const script = (await targetOf("none")).script?.(changes) ?? "";
  const requests = script.split("\n").filter((line) => line.startsWith('{"id"'))
    .map((line) => JSON.parse(line));
  assertEquals(requests.flatMap(problemsOfRequest), []);
  assertEquals(
    requests.map(({ operation, offset, length, data }) => {
      const bytes = data === undefined ? undefined : Buffer.from(data, "base64");
      return [operation, offset, length ?? bytes?.length, bytes?.every((byte) => byte === 7)];
    }),
    [
      ["hello", undefined, undefined, undefined],
      ["write", "0", 1024, true],
      ["write-zeroes", "512", "512", undefined],
      ["flush", undefined, undefined, undefined],
    ],
  );
});

for (const mistake of ["none", "zeros are not written"]) {
  liveTest(
    { needs: QEMU },
    `the script of a case shows the mistake '${mistake}' of an adapter in a shell`,
    async () => {
      const script = (await targetOf(mistake)).script?.(changes) ?? "";
      const { code, stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script] }).output();
      assertEquals(code, mistake === "none" ? 0 : 1);
      const text = new TextDecoder().decode(stdout);
      const says = mistake === "none" ? "Images are identical." : "Content mismatch at offset 512!";
      assertStringIncludes(text, says);
    },
  );
}

liveTest(
  { needs: ["qemu-nbd"] },
  "peer-write finds nothing wrong with qemu-nbd",
  async (directory) => {
    const path =
      new URL("../../../examples/adapters/qemu-nbd/adapter.py", import.meta.url).pathname;
    const command = ["/usr/bin/env", "python3", path];
    const target = await targetFor("peer-write", command);
    for (let index = 0; index < 5; index++) {
      const { value } = caseAt(target.cases(), { seed: 2, target: target.name }, index);
      await target.run(value, { directory, tools: {} });
    }
    await target.run(managed, { directory, tools: {} });
    await target.stop?.();
  },
);
