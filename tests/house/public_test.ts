/** The public API: every entry point of deno.json, with documentation for each of its members. */

import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DOCUMENTED } from "../../scripts/test.ts";
import { ROOT } from "./source_files.ts";

const { exports: points } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
const files: readonly string[] = Object.values(points);

Deno.test("everything public has documentation, and refers to public types only", async () => {
  const { stderr, stdout } = await new Deno.Command("deno", {
    args: ["doc", "--lint", ...files],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  const found = [...text.matchAll(/error\[([\w-]+)\].*\n *--> (\S+)/g)]
    // Types of fast-check are part of the API of ./fuzz, and have members without documentation.
    .filter(([, , place = ""]) => !place.includes("/fast-check/"));
  assert(text.includes("fast-check"), text);
  assertEquals(found.map(([line]) => line), []);
});

Deno.test("every entry point has an example that the tests run", () => {
  for (const file of files.filter((path) => path !== points["./cli"])) {
    const text = readFileSync(join(ROOT, file), "utf8");
    assert(/^ \* ```ts$/m.test(text) && text.includes("@module"), `${file} has no example`);
    const tested = DOCUMENTED.some((path) => `${file}/`.startsWith(`./${path}/`));
    assert(tested, `scripts/test.ts does not run the example of ${file}`);
  }
});
