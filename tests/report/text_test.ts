import { assertEquals, assertMatch } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Claim, type ClaimKind, visible } from "../../src/format/mod.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import { excerptOf, qemuJson, sizeText, stretchesOf, tableLines } from "../../src/report/mod.ts";
import { liveTest } from "../live.ts";

Deno.test("qemuJson() escapes text as QEMU does: ASCII alone, upper-case digits", () => {
  // QEMU qobject/json-writer.c, as format-rules have it: U+1F600 is a pair of surrogates.
  assertEquals(
    qemuJson('"\\/\b\f\n\r\t\x01\x7fé\u{1f600}'),
    '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007F\\u00E9\\uD83D\\uDE00"',
  );
});

Deno.test("qemuJson() gives an empty container two lines, and large numbers all digits", () => {
  assertEquals(
    qemuJson({ flags: [], name: {} }),
    '{\n    "flags": [\n    ],\n    "name": {\n    }\n}',
  );
  assertEquals(qemuJson(2 ** 63 - 2 ** 30), "9223372035781033984");
  assertEquals(qemuJson([null, true, -1]), "[\n    null,\n    true,\n    -1\n]");
});

liveTest({ needs: ["qemu-img"] }, "sizeText() writes sizes as qemu-img does", async (directory) => {
  const sizes = [0, 512, 999 * 512, 1_023_488, 1000 * 1024, 1024 ** 2 * 999, 1_048_064_000];
  for (const size of [...sizes, 10 ** 9 * 512, 2 ** 40, 1_100_000_000_000 * 512]) {
    const path = `${directory}/${size}`;
    const options = ["-f", "qcow2", "-o", "cluster_size=2M"];
    await runTool(["qemu-img", "create", "-q", ...options, path, String(size)]);
    const { stdout } = await runTool(["qemu-img", "info", path]);
    const [, expected] = /^virtual size: (.*) \(/m.exec(stdout) ?? [];
    assertEquals(sizeText(size), expected);
  }
});

Deno.test("visible() keeps letters of any script and escapes what a terminal would execute", () => {
  assertEquals(visible("Größe 大小 e\u0301"), "Größe 大小 e\u0301");
  assertEquals(visible("\x1b[2J\x07\x9b\u202e\n"), "\\u001b[2J\\u0007\\u009b\\u202e\\u000a");
});

Deno.test("tableLines() puts columns of figures to the right", () => {
  const rows = [["map", "5", "yes"], ["information", "1,200", "no"]];
  assertEquals(tableLines({ heading: ["name", "count", "done"], rows }), [
    "name         count  done",
    "map              5  yes",
    "information  1,200  no",
  ]);
});

function claim(kind: ClaimKind, offset: number, length: number): Claim {
  return { kind, offset, length, path: `/${kind}@${offset}` };
}

/** Stretches as `offset+length kind count`. */
function cut(claims: readonly Claim[], size: number): string[] {
  return stretchesOf(claims, size).map(({ offset, length, kind, count }) =>
    `${offset}+${length} ${kind} ${count}`
  );
}

Deno.test("stretchesOf() covers a whole file, and claims after its end", () => {
  assertEquals(cut([], 10), ["0+10 unused 0"]);
  assertEquals(cut([], 0), []);
  assertEquals(cut([claim("header", 0, 4), claim("data", 6, 2), claim("table", 20, 5)], 10), [
    "0+4 header 1",
    "4+2 unused 0",
    "6+2 data 1",
    "8+2 unused 0",
    "20+5 table 1",
  ]);
});

Deno.test("stretchesOf() ends a claim with the file that it starts in", () => {
  assertEquals(cut([claim("data", 8, 8)], 10), ["0+8 unused 0", "8+2 data 1"]);
});

Deno.test("stretchesOf() allows sharing of data, and of nothing else", () => {
  assertEquals(cut([claim("data", 0, 8), claim("data", 4, 6)], 10), [
    "0+4 data 1",
    "4+4 data 2",
    "8+2 data 1",
  ]);
  assertEquals(cut([claim("table", 0, 4), claim("table", 2, 2)], 4), [
    "0+2 table 1",
    "2+2 conflict 2",
  ]);
  assertEquals(cut([claim("data", 0, 4), claim("compressed", 0, 4)], 4), ["0+4 conflict 2"]);
});

/** A qcow2 header of version 9. */
const STRANGE = new MemorySource(Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 9));

Deno.test("excerptOf() shows the rows around a finding, and the finding", () => {
  const { findings } = judgeImage(openBytes(STRANGE));
  const lines = excerptOf(STRANGE, findings, { context: 1 }).split("\n");
  assertEquals(lines[0], "qcow2, 8 bytes");
  assertMatch(lines[1] ?? "", /^0x000000 {2}\/header: /);
  assertMatch(lines[2] ?? "", /^ {2}0x000000 .* magic /);
  assertMatch(lines[3] ?? "", /^ {2}0x000004 .* version +9 /);
  assertMatch(lines[4] ?? "", /^ {4}!! .*\(qcow2\.header\.version\)$/);
  assertMatch(lines[5] ?? "", /^ {2}0x000008 .* backing_file_offset /);
  assertEquals(lines.length, 6);
});

Deno.test("excerptOf() shows the header without a finding, and at most the requested lines", () => {
  assertEquals(excerptOf(STRANGE, []).split("\n").length > 10, true);
  const cutOff = excerptOf(STRANGE, [], { lines: 3 }).split("\n");
  assertEquals(cutOff.length, 4);
  assertMatch(cutOff[3] ?? "", /^… \d+ more lines$/);
});

Deno.test("excerptOf() keeps findings without a row: paths, offsets past the end, raw images", () => {
  const note = { path: "/nowhere", offset: "18446744073709551615", message: "It is far away" };
  const text = excerptOf(new MemorySource(new Uint8Array(3)), [note]);
  assertEquals(text, "raw, 3 bytes\n!! /nowhere at 0xffffffffffffffff: It is far away");
});
