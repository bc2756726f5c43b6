import { assert, assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The rooms from the bottom up: an import goes to a lower line, or stays in its room. */
const FLOORS = [
  ["bytes"],
  ["layout", "rules", "codec", "crypto"],
  ["format"],
  ["luks1", "luks2"],
  ["qcow1", "qcow2", "raw"],
  ["formats.ts"],
  ["image"],
  ["peers", "report"],
  ["recorded"],
  ["cli"],
];

/** Rooms in which `Deno.*` may stand. */
const EFFECTS =
  /^(src\/(cli|peers|recorded)|fuzz\/cli|scripts|corpus\/build|golden\/build|tests)\//;

/** Lines above which a file probably holds two subjects. */
const LINES_MAX = 400;

interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

function sourceFiles(...directories: string[]): SourceFile[] {
  return directories.flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, "utf8") }))
  );
}

/** Text without comments and without what stands in quotes. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)];
  return specifiers.map(([, specifier]) =>
    relative(ROOT, resolve(ROOT, path, "..", specifier as string))
  );
}

function roomOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

Deno.test("imports in src go downwards, and into another room through its mod.ts", () => {
  const wrong = [];
  for (const file of sourceFiles("src")) {
    const room = roomOf(file.path);
    for (const target of importsOf(file)) {
      const other = roomOf(target);
      if (other === room || !target.startsWith("src/")) continue;
      const downwards = floorOf(other) >= 0 && floorOf(other) < floorOf(room);
      const publicFace = target.endsWith("/mod.ts") || target === "src/formats.ts";
      if (!downwards || !publicFace) wrong.push(`${file.path} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("every room of src has its floor, and nothing in src imports what lies outside it", () => {
  const files = sourceFiles("src").filter((file) => file.path !== "src/std.d.ts");
  const rooms = new Set(files.map((file) => roomOf(file.path)));
  assertEquals([...rooms].filter((room) => floorOf(room) < 0), []);
  const outside = files.flatMap(importsOf).filter((target) => !target.startsWith("src/"));
  // The version of the package stands in its configuration, and nowhere else.
  assertEquals(outside.filter((target) => target !== "deno.json"), []);
});

Deno.test("npm packages come through the names of deno.json", () => {
  const direct = sourceFiles("src", "fuzz", "corpus", "golden", "tests", "scripts")
    .filter(({ text }) => /from "(npm:|jsr:|https?:)/.test(text));
  assertEquals(direct.map((file) => file.path), []);
});

Deno.test("nothing but tests imports tests, and cases and recipes import no builder", () => {
  const wrong = sourceFiles("src", "fuzz", "corpus", "golden", "scripts").flatMap((file) => {
    const isData = /^(corpus\/cases|golden\/recipes)\//.test(file.path);
    const banned = isData ? /^(tests|corpus\/build|golden\/build)\// : /^tests\//;
    return importsOf(file).filter((target) => banned.test(target))
      .map((target) => `${file.path} imports ${target}`);
  });
  assertEquals(wrong, []);
});

Deno.test("Deno.* stands only in its rooms", () => {
  const wrong = sourceFiles("src", "fuzz", "corpus", "golden").filter(({ path, text }) =>
    !EFFECTS.test(path) && /\bDeno\./.test(codeOf(text))
  );
  assertEquals(wrong.map((file) => file.path), []);
});

Deno.test("no numeric offset stands outside a description", () => {
  const literal = /\b(?:[gs]et(?:Big)?(?:Ui|I)nt\d+|(?:read|write)Uint)\(\s*(?:\w+,\s*)?[1-9]\d*\b/;
  const wrong = sourceFiles("src/qcow1", "src/qcow2", "src/image", "src/report")
    .flatMap(({ path, text }) =>
      codeOf(text).split("\n").filter((line) => literal.test(line)).map((line) =>
        `${path}: ${line}`
      )
    );
  assertEquals(wrong, []);
});

Deno.test("no file holds more than one subject's worth of lines", () => {
  const long = sourceFiles("src", "fuzz", "corpus", "golden", "scripts", "tests")
    .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX);
  assertEquals(long, []);
});

Deno.test("no mark is left over, no test is ignored and no type is given up", () => {
  const words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|");
  const marks = new RegExp(
    `\\b(?:${words})\\b|Deno\\.test\\.(?:ignore|only)|ignore: *true|as any\\b`,
  );
  const wrong = sourceFiles("src", "fuzz", "corpus", "golden", "scripts", "tests")
    .filter(({ path, text }) => !path.startsWith("tests/house/") && marks.test(text))
    // "As any" is also how a sentence goes on.
    .filter(({ text }) => marks.test(codeOf(text)) || text.match(marks)?.[0] !== "as any");
  assertEquals(wrong.map((file) => file.path), []);
});

Deno.test("every format's room and every room of src opens with its invariants in words", () => {
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
