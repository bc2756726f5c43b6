import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { pages } from "../../scripts/docs.ts";
import { catalogue, formats } from "../../src/formats.ts";

Deno.test("the generated pages are those of the catalogue and the descriptions", () => {
  for (const [path, text] of pages()) {
    const stored = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
    assertEquals(stored === text, true, `${path} is stale: run deno task docs`);
  }
});

Deno.test("the page of rules has every rule, and the page of structures every field", () => {
  const rules = pages().get("docs/rules.md") ?? "";
  for (const { id, section } of catalogue) {
    assert(rules.includes(`<a id="${id}"></a>`), id);
    assert(rules.includes(section), section);
  }
  const structures = pages().get("docs/structures.md") ?? "";
  for (const { name, fields } of formats.flatMap((format) => format.structures)) {
    assert(structures.includes(`### \`${name}\``), name);
    for (const field of fields) assert(structures.includes(`\`${field.name}\``), field.name);
  }
});

Deno.test("links between pages point to existing rules", () => {
  const structures = pages().get("docs/structures.md") ?? "";
  const known = new Set(catalogue.map(({ id }) => id));
  const linked = [...structures.matchAll(/rules\.md#([^)]+)\)/g)].map(([, id]) => id as string);
  assert(linked.length > 100);
  assertEquals(linked.filter((id) => !known.has(id)), []);
});
