import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  catalogue,
  formatCalled,
  formatNamed,
  formatNames,
  formatNamesOf,
  formatOf,
  formats,
} from "../../src/formats.ts";
import { constraintsOf, rulesOf } from "../../src/layout/mod.ts";
import { isRuleId } from "../../src/rules/mod.ts";

Deno.test("formats have distinct names", () => {
  const names = formats.flatMap(({ name, aliases }) => [name, ...aliases]);
  assertEquals(new Set(names).size, names.length);
  assertEquals(formatNames, ["raw", "qcow", "qcow2", "luks", "luks2"]);
});

Deno.test("a user may name a format by an alias, and an image may not", () => {
  assertEquals(formatCalled("luks1")?.name, "luks");
  assertEquals(formatCalled("qcow1")?.name, "qcow");
  assertEquals(formatCalled("luks3"), undefined);
  assertEquals(formatNamed("luks1"), undefined);
  assertThrows(
    () => formatOf("luks1"),
    TypeError,
    "unsupported format 'luks1' (supported: raw, qcow, qcow2, luks, luks2)",
  );
});

Deno.test("the tools know the formats that their documentation names", () => {
  assertEquals(formatNamesOf("qemu-img"), ["raw", "qcow", "qcow2", "luks"]);
  assertEquals(formatNamesOf("cryptsetup"), ["luks", "luks2"]);
  assertEquals(formatNamesOf("luksdeinfo"), ["luks"]);
});

Deno.test("the catalogue has the rules of every format once, in the order of judging", () => {
  const ids = catalogue.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
  assert(ids.every(isRuleId));
  const rooms = ids.map((id) => id.split(".")[0]);
  assertEquals(rooms.filter((room, index) => rooms[index - 1] !== room), [
    ...["blk", "diskproof", "blk", "qcow1", "qcow2", "luks", "luks2"],
  ]);
});

Deno.test("formats refer only to existing rules", () => {
  for (const { name, structures, verdict, keys } of formats) {
    const named = [
      ...structures.flatMap(constraintsOf).flatMap(({ constraint }) => rulesOf(constraint)),
      ...Object.keys(keys?.locks ?? {}),
      ...Object.values(verdict.drafts ?? {}).flatMap(({ sign, breaks }) => [sign, ...breaks]),
      ...(verdict.everyImage === undefined ? [] : [verdict.everyImage.rule]),
    ];
    assertEquals(named.filter((rule) => !isRuleId(rule)), [], name);
  }
});
