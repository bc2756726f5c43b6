import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CODE, codeOf, importsOf, ROOT, sourceFiles } from "./source_files.ts";

/** Rooms in which `Deno.*` may stand. */
const EFFECTS =
  /^(src\/(cli|peers|recorded)|fuzz\/cli|scripts|corpus\/build|golden\/build|tests)\//;

/** Lines above which a file probably holds two subjects. */
const LINES_MAX = 400;

Deno.test("npm packages come through the names of deno.json", () => {
  const direct = sourceFiles(...CODE, "tests")
    .filter(({ text }) => /from "(npm:|jsr:|https?:)/.test(text));
  assertEquals(direct.map((file) => file.path), []);
});

Deno.test("cases and recipes import no builder", () => {
  const wrong = sourceFiles("corpus/cases", "golden/recipes").flatMap((file) =>
    importsOf(file).filter((target) => /^(corpus|golden)\/build\//.test(target))
      .map((target) => `${file.path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test("Deno.* is present only in its rooms", () => {
  const wrong = sourceFiles("src", "fuzz", "corpus", "golden").filter(({ path, text }) =>
    !EFFECTS.test(path) && /\bDeno\./.test(codeOf(text))
  );
  assertEquals(wrong.map((file) => file.path), []);
});

Deno.test("no numeric offset is outside a description", () => {
  const literal = /\b(?:[gs]et(?:Big)?(?:Ui|I)nt\d+|(?:read|write)Uint)\(\s*(?:\w+,\s*)?[1-9]\d*\b/;
  const wrong = sourceFiles("src", "fuzz", "corpus")
    .filter(({ path }) => !path.startsWith("src/crypto/") && !path.startsWith("src/codec/"))
    .flatMap(({ path, text }) =>
      codeOf(text).split("\n").filter((line) => literal.test(line)).map((line) =>
        `${path}: ${line}`
      )
    );
  assertEquals(wrong, []);
});

Deno.test("no file is longer than one subject needs", () => {
  const long = sourceFiles(...CODE, "tests")
    .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX);
  assertEquals(long, []);
});

Deno.test("there are no leftover marks, ignored tests or unsafe types", () => {
  const words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|");
  const marks = new RegExp(
    `\\b(?:${words})\\b|Deno\\.test\\.(?:ignore|only)|ignore: *true|as any\\b`,
  );
  const wrong = sourceFiles(...CODE, "tests")
    .filter(({ path, text }) => !path.startsWith("tests/house/") && marks.test(text))
    // "As any" is also how a sentence goes on.
    .filter(({ text }) => marks.test(codeOf(text)) || text.match(marks)?.[0] !== "as any");
  assertEquals(wrong.map((file) => file.path), []);
});

Deno.test("every room starts with its invariants in words", () => {
  for (const { path, text } of sourceFiles("src")) {
    if (!/^src\/[^/]+\/mod\.ts$/.test(path)) continue;
    assert(text.startsWith("/**"), `${path} has no module documentation`);
    assert(text.includes("nvariants"), `${path} does not state its invariants`);
    assert(text.includes("@module"), `${path} does not mark its documentation as the module's`);
  }
});

Deno.test("no task asks Deno for every permission", () => {
  const config = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const tasks = JSON.stringify(config.tasks);
  assert(!/--allow-all|\s-A\b/.test(tasks), tasks);
});
