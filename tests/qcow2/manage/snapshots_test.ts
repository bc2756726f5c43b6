import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { EditError } from "../../../src/format/mod.ts";
import { Managed, managedModels, type View, type Views } from "./managed.ts";

interface Step {
  readonly kind: "write" | "create" | "apply" | "delete";
  readonly place: number;
  readonly seed: number;
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("write", "create", "create", "apply", "delete"),
    place: fc.nat(100),
    seed: fc.nat(1000),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What the views must be after a step; `undefined` if it is rejected. */
function after(managed: Managed, { kind, place, seed }: Step): Views {
  const { snapshots } = managed.editor;
  const before = managed.views();
  const ids = [...before.snapshots.keys()];
  const id = ids[place % ids.length];
  const kept = new Map<string, View>(before.snapshots);
  if (kind === "write") {
    managed.write(place, seed);
    return { ...before, active: managed.views().active };
  }
  if (kind === "create") {
    const created = snapshots?.create(`name ${seed}`);
    kept.set(created ?? "", before.active);
    return { ...before, snapshots: kept };
  }
  if (id === undefined) return before;
  if (kind === "apply") {
    snapshots?.apply(id);
    return { ...before, active: kept.get(id) ?? before.active };
  }
  snapshots?.delete(id);
  kept.delete(id);
  return { ...before, snapshots: kept };
}

Deno.test("snapshots keep the content, and after a crash at any write nothing is lost", () => {
  fc.assert(
    fc.property(managedModels, steps, (model, all) => {
      fc.pre(model.dataFile === undefined);
      const managed = Managed.open(model);
      if (managed === undefined) return fc.pre(false);
      for (const step of all) {
        const before = managed.views();
        const first = managed.store.steps.length;
        let wanted = before;
        try {
          wanted = after(managed, step);
        } catch (error) {
          if (!(error instanceof EditError)) throw error;
        }
        assertEquals(managed.viewsOf(managed.check()), wanted);
        if (step.kind === "write") continue;
        for (const store of managed.crashes(first)) {
          // A dirty image is repaired by the first change.
          if (first === 0 && model.dirty) break;
          const layer = managed.check(store, { leaks: true });
          const views = managed.viewsOf(layer);
          const isNew = JSON.stringify([...views.snapshots.keys()]) ===
            JSON.stringify([...wanted.snapshots.keys()]);
          if (step.kind === "apply") {
            assertEquals(views.snapshots, before.snapshots);
          } else assertEquals(views, isNew ? wanted : before);
        }
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("snapshots are found by id before name, and unknown ones are rejected", () => {
  const [model] = fc.sample(
    managedModels.filter(({ dataFile, snapshots, refcountOrder, corrupt }) =>
      dataFile === undefined && snapshots.length === 0 && refcountOrder > 3 && !corrupt
    ),
    { numRuns: 1, seed: 1 },
  );
  const managed = model && Managed.open(model);
  const snapshots = managed?.editor.snapshots;
  assertEquals(snapshots?.create("2"), "1");
  assertEquals(snapshots?.create("x"), "2");
  snapshots?.delete("2");
  assertEquals(managed?.editor.layer.snapshots?.map(({ id }) => id), ["1"]);
  assertThrows(() => snapshots?.apply("x"), EditError, "There is no snapshot 'x'");
  assertThrows(() => snapshots?.create("n".repeat(256)), EditError, "at most 255 bytes");
});
