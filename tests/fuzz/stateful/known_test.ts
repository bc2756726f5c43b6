import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import {
  type Action,
  after,
  QEMU_FAILURES,
  type State,
  type TurnStep,
} from "../../../fuzz/stateful/mod.ts";
import type { StatefulCase } from "../../../fuzz/targets/stateful.ts";
import { startIn, targets } from "../../../fuzz/targets/mod.ts";
import { changed } from "../../../fuzz/formats/mod.ts";
import { plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { GuestCluster, SnapshotModel } from "../../../src/qcow2/model.ts";
import { liveTest, QEMU, versionOf } from "../../live.ts";

const SIZE = 33280;
const snapshot: SnapshotModel = {
  ...{ id: "1", name: "kept", extraSize: 24, size: SIZE, dateSec: 0, vmClockNsec: 0, icount: 0n },
  ...{ clusters: [], shared: [], vmState: [{ kind: "fill", seed: 1 }] },
};
const model = { ...plainQcow2, clusterBits: 9, size: BigInt(SIZE), snapshots: [snapshot] };
const without = { ...model, snapshots: [{ ...snapshot, vmState: [] }] };
const apply: TurnStep = { do: "apply", index: 0 };
const shrink: TurnStep = { do: "resize", clusters: -1, sectors: 0 };

/** The failure that ends a sequence in which writers take turns, if it is a known one. */
async function known(
  part: typeof model,
  steps: readonly TurnStep[],
  directory: string,
  below: readonly (typeof model)[] = [],
): Promise<unknown> {
  const target = targets.find(({ name }) => name === "stateful-mixed");
  assert(target !== undefined);
  const tools = { "qemu-img": versionOf("qemu-img"), "qemu-io": versionOf("qemu-io") };
  const value: StatefulCase = { model: [part, ...below], steps, everyStep: false };
  const report = await target.run(value, { directory, tools });
  await target.stop?.();
  return report?.divergences;
}

liveTest(
  { needs: QEMU },
  "a disk that QEMU makes smaller leaks the VM state of the snapshot that was applied",
  async (directory) => {
    const steps = [apply, { ...shrink, by: 1 }];
    assertEquals(await known(model, steps, directory), ["qemu-shrink-after-apply-leaks"]);
    assertEquals(await known(without, steps, directory), undefined);
    assertEquals(await known(model, [{ ...apply, by: 1 }, shrink], directory), undefined);
  },
);

/** The name of a failure after actions that each have a writer. */
function nameOf(
  part: typeof model,
  signature: string,
  actions: readonly (Action & { by: string; rejected?: true })[],
  message = "check finds 1 leaked clusters, not 0",
): string | undefined {
  const kit = changed.find(({ format }) => format.name === "qcow2");
  assert(kit !== undefined);
  let state: State = startIn(kit, [part]).start.state;
  const past = actions.map(({ by, rejected = false, ...action }) => {
    const before = state;
    if (!rejected) state = after(before, action as Action);
    return { action: action as Action, by: [by], rejected, before };
  });
  const what = signature.slice(signature.indexOf(".") + 1);
  const failure = new Failure(signature, message);
  return QEMU_FAILURES.find(({ explains }) => explains({ failure, what, state, actions: past }))
    ?.name;
}

const applied = { do: "apply", name: "kept", id: "1", by: "reference" } as const;
const smaller = { do: "resize", size: SIZE - 512, from: SIZE } as const;
const larger = { do: "resize", size: SIZE + 512, from: SIZE } as const;

Deno.test("a leak is a known one only after QEMU made a disk with a VM state smaller", () => {
  const leak = "qemu-shrink-after-apply-leaks";
  const leaks = "reference.leaks";
  assertEquals(nameOf(model, leaks, [applied, { ...smaller, by: "qemu" }]), leak);
  assertEquals(nameOf(model, leaks, [{ ...larger, by: "qemu" }, applied]), undefined);
  const again = [applied, { ...larger, by: "qemu" }, { ...applied, by: "qemu" }];
  assertEquals(nameOf(model, leaks, again), leak);
  assertEquals(nameOf(model, leaks, [applied, { ...smaller, by: "reference" }]), undefined);
  assertEquals(nameOf(model, leaks, [applied, { ...larger, by: "qemu" }]), undefined);
  assertEquals(nameOf(model, leaks, [{ ...smaller, by: "qemu" }]), undefined);
  assertEquals(nameOf(without, leaks, [applied, { ...smaller, by: "qemu" }]), undefined);
});

Deno.test("what a writer leaves that rejects a snapshot is known of QEMU alone", () => {
  const narrow = { ...model, refcountOrder: 0, snapshots: [] };
  const rejected = { do: "snapshot", name: "new", rejected: true } as const;
  const name = "qemu-snapshot-leaks-when-rejected";
  assertEquals(nameOf(narrow, "qemu.leaks", [{ ...rejected, by: "qemu" }]), name);
  assertEquals(nameOf(narrow, "reference.leaks", [{ ...rejected, by: "reference" }]), undefined);
  const wide = { ...narrow, refcountOrder: 4 };
  assertEquals(nameOf(wide, "qemu.leaks", [{ ...rejected, by: "qemu" }]), undefined);
});

Deno.test("a leak of more clusters than the VM state has is not a known one", () => {
  const past = [applied, { ...smaller, by: "qemu" }] as const;
  const named = (count: number) =>
    nameOf(model, "qemu.leaks", past, `check finds ${count} leaked clusters, not 2`);
  assertEquals(named(3), "qemu-shrink-after-apply-leaks");
  assertEquals(named(4), undefined);
  assertEquals(nameOf(model, "qemu.leaks", past, "check finds clusters"), undefined);
});

const place = { cluster: 0, skip: 0, clusters: 1, bytes: 0 };
const compressed: TurnStep = {
  ...{ do: "compressed", at: place, pattern: { kind: "fill", seed: 7 } },
};

liveTest(
  { needs: QEMU },
  "a cluster with a place and no allocated subcluster is written compressed by nobody side by side",
  async (directory) => {
    const target = targets.find(({ name }) => name === "stateful-differential");
    assert(target !== undefined);
    const empty: GuestCluster = {
      ...{ index: 0, kind: "subclusters", allocated: 0, zero: 0, reserved: true },
      pattern: { kind: "fill", seed: 1 },
    };
    const base = { ...plainQcow2, clusterBits: 14, extendedL2: true, size: 32768n };
    const tools = { "qemu-img": versionOf("qemu-img"), "qemu-io": versionOf("qemu-io") };
    for (const clusters of [[], [empty]]) {
      const value: StatefulCase = {
        model: [{ ...base, clusters }],
        steps: [compressed],
        everyStep: false,
      };
      const report = await target.run(value, { directory, tools });
      // Without steps, nothing was done.
      assertEquals(report?.depth, clusters.length === 0 ? "accepted" : "data");
    }
    await target.stop?.();
  },
);

liveTest(
  { needs: QEMU },
  "QEMU makes no disk larger whose last cluster is compressed if a larger backing file would show",
  async (directory) => {
    const below = { ...plainQcow2, clusterBits: 9, size: 1024n, snapshots: [] };
    const backing = { name: "image-1.qcow2" };
    const top = { ...below, clusterBits: 14, extendedL2: true, size: 512n, backing };
    const grown: TurnStep = { do: "resize", clusters: 0, sectors: 1, by: 1 };
    const name = "qemu-grows-no-compressed-end";
    assertEquals(await known(top, [compressed, grown], directory, [below]), [name]);
    assertEquals(await known(top, [grown], directory, [below]), undefined);
    const short = { ...below, size: 512n };
    assertEquals(await known(top, [compressed, grown], directory, [short]), undefined);
  },
);
