import { assertEquals } from "@std/assert";
import { type Observation, signatureOf } from "../../../fuzz/compare/observation.ts";

const observed: Observation = {
  tool: "qemu-img",
  version: "7.2.22",
  question: "map",
  outcome: "accepted",
  rules: ["qcow2.l1e.reserved", "qcow2.snap.unique-id"],
  edited: true,
};

function signature(changes: Partial<Observation>): string {
  return signatureOf({ ...observed, ...changes });
}

Deno.test("a signature names the part of an answer that differs, whichever item it is", () => {
  assertEquals(signature({ path: "/0/zero" }), "qemu-img.map.accepted.*/zero");
  assertEquals(signature({ path: "/17/zero" }), signature({ path: "/0/zero" }));
  assertEquals(
    signature({ question: "info", path: "/format-specific/data/lazy-refcounts" }),
    "qemu-img.info.accepted.format-specific/data/lazy-refcounts",
  );
});

Deno.test("a signature does not depend on other rules that a case breaks", () => {
  const difference = { path: "/0/zero" };
  assertEquals(
    signature({ ...difference, rules: [] }),
    signature({ ...difference, rules: ["qcow2.header.dirty"] }),
  );
});

Deno.test("a signature names the rule for which the reference rejects what a tool accepts", () => {
  assertEquals(
    signature({ question: "open", ours: "qcow2.header.l1-size-max" }),
    "qemu-img.open.accepted.qcow2.header.l1-size-max",
  );
});

Deno.test("a signature has the words of a tool that rejects what the reference accepts", () => {
  const rejected = (said: string): string =>
    signature({ question: "open", outcome: "rejected", said });
  const first = "qemu-img: Could not open '/tmp/a/image-0.qcow2': L1 table at 0x1f00 is too large";
  const second = "qemu-img: Could not open 'image-0.qcow2': L1 table at 65536 is too large";
  assertEquals(
    rejected(first),
    "qemu-img.open.rejected.qemu-img-could-not-open-table-at-is-too-large",
  );
  assertEquals(rejected(second), rejected(first));
});

Deno.test("a signature names the kind of cluster whose content differs, and its layer", () => {
  const content = { question: "content", cluster: "compressed.qcow2.backing" } as const;
  assertEquals(signature(content), "qemu-img.content.accepted.compressed.qcow2.backing");
});
