/** Which file may import which. */

import { assertEquals } from "@std/assert";
import { CODE, importsOf, type SourceFile, sourceFiles } from "./source_files.ts";

/** The rooms from the bottom up: an import goes to a lower line, or stays in its room. */
const FLOORS = [
  ["src/bytes"],
  ["src/layout", "src/rules", "src/codec", "src/crypto", "src/signatures"],
  ["src/format"],
  ["src/luks1", "src/luks2"],
  ["src/qcow1", "src/qcow2", "src/raw", "src/foreign"],
  ["src/formats.ts"],
  ["src/image"],
  ["src/expect"],
  ["src/peers", "src/report"],
  ["src/recorded"],
  ["src/conformance"],
  ["src/cli"],
  ["fuzz/engine", "fuzz/generate", "fuzz/mutate"],
  ["fuzz/compare"],
  ["fuzz/formats"],
  ["fuzz/stateful"],
  ["fuzz/targets"],
  ["fuzz/peer"],
  ["fuzz/cli"],
  ["fuzz/jazzer"],
  ["golden/recipes", "corpus/cases"],
  ["golden/build"],
  ["corpus/build"],
  ["exports"],
  ["scripts"],
];

function roomOf(path: string): string {
  const [area = "", room = ""] = path.split("/");
  return ["exports", "scripts"].includes(area) ? area : `${area}/${room}`;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

/** The files that each file imports, as far as they are code. */
function arrows(): { file: SourceFile; targets: string[] }[] {
  return sourceFiles(...CODE).map((file) => ({
    file,
    targets: importsOf(file).filter((target) => target.endsWith(".ts")),
  }));
}

Deno.test("every file is in a room that has its floor", () => {
  const rooms = new Set(
    sourceFiles(...CODE).filter(({ path }) => path !== "src/std.d.ts")
      .map(({ path }) => roomOf(path)),
  );
  assertEquals([...rooms].filter((room) => floorOf(room) < 0), []);
});

Deno.test("imports go downwards: src imports no fuzz, and nothing imports tests", () => {
  const wrong = arrows().flatMap(({ file, targets }) => {
    const room = roomOf(file.path);
    const isBelow = (other: string): boolean =>
      floorOf(other) >= 0 && floorOf(other) < floorOf(room);
    return targets.filter((target) => roomOf(target) !== room && !isBelow(roomOf(target)))
      .map((target) => `${file.path} imports ${target}`);
  });
  assertEquals(wrong, []);
});

/** The list of formats, and the entry point of the program, which loads a room only on demand. */
const NOT_ROOMS = ["src/formats.ts", "src/cli/main.ts"];

Deno.test("a room of src and of fuzz is imported through a mod.ts", () => {
  const hasMod = (target: string): boolean =>
    target.startsWith("src/") || target.startsWith("fuzz/") && !target.startsWith("fuzz/cli/");
  const wrong = arrows().flatMap(({ file, targets }) =>
    targets.filter((target) => hasMod(target) && roomOf(target) !== roomOf(file.path))
      .filter((target) => !target.endsWith("/mod.ts") && !NOT_ROOMS.includes(target))
      .map((target) => `${file.path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test("no file imports itself through others, not even for types", () => {
  const targets = new Map(arrows().map(({ file, targets }) => [file.path, targets]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, above: readonly string[]): void => {
    if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(" > "));
    if (above.includes(path) || done.has(path)) return;
    for (const target of targets.get(path) ?? []) walk(target, [...above, path]);
    done.add(path);
  };
  for (const path of targets.keys()) walk(path, []);
  assertEquals(cycles, []);
});

Deno.test("src imports nothing outside of it, except the version in deno.json", () => {
  const outside = sourceFiles("src").flatMap(importsOf)
    .filter((target) => !target.startsWith("src/"));
  assertEquals(outside.filter((target) => target !== "deno.json"), []);
});
