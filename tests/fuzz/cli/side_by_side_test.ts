import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { oneAnswer, sideBySide } from "../../../fuzz/cli/side_by_side.ts";

function shown(left: string, right: string): string[] {
  const answers = [{ by: "reference", text: left }, {
    by: "qemu-img 7.2.22",
    text: right,
  }] as const;
  return sideBySide(answers).split("\n");
}

const gap = (text: string) => text.padEnd(46);

Deno.test("sideBySide() names both sides and marks the part of a line that differs", () => {
  const map = (length: number) => `{\n "start": 0,\n "length": ${length},\n "data": true\n}`;
  assertEquals(shown(map(65536), map(131072)), [
    `${gap("reference")}   qemu-img 7.2.22`,
    `${gap("{")}   {`,
    `${gap(' "start": 0,')}    "start": 0,`,
    `${gap(' "length": 65536,')} |  "length": 131072,`,
    `${gap("           ^^^^^")}              ^^^^^^`,
    `${gap(' "data": true')}    "data": true`,
    `${gap("}")}   }`,
  ]);
});

Deno.test("sideBySide() marks lines of one side alone", () => {
  assertEquals(shown("a\nb", "a\nb\nc"), [
    `${gap("reference")}   qemu-img 7.2.22`,
    `${gap("a")}   a`,
    `${gap("b")}   b`,
    `${gap("")} > c`,
  ]);
  assertEquals(shown("a\nb", "a").at(-1), `${gap("b")} <`);
});

Deno.test("sideBySide() shows a long line around the place where it differs", () => {
  const [, line = "", carets = ""] = shown("0".repeat(500) + "1", "0".repeat(500) + "2");
  assertEquals(line, `${gap("…000000000001")} | …000000000002`);
  assertEquals(carets, `${gap("            ^")}               ^`);
});

Deno.test("sideBySide() leaves out equal lines far from those that differ", () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  const other = lines.with(50, "another");
  const text = shown(lines.join("\n"), other.join("\n"));
  assertEquals(text.length, 1 + 1 + 2 + 2 + 2 + 1);
  assertEquals([text[1], text.at(-1)], ["…", "…"]);
  assertStringIncludes(text[2] ?? "", "line 48");
});

Deno.test("sideBySide() is no wider than a terminal and no longer than a page", () => {
  const text = shown("x".repeat(10_000).replaceAll("xx", "x\n"), "y".repeat(10_000));
  assert(text.every((line) => line.length <= 96), text.join("\n"));
  assert(text.length < 80);
});

Deno.test("sideBySide() escapes what a terminal would execute", () => {
  assert(!shown("\x1b[2J", "plain").join("").includes("\x1b"));
  assert(!oneAnswer({ by: "qemu-img", text: "\x1b[2J" }).includes("\x1b"));
});
