import { assertEquals, assertStringIncludes } from "@std/assert";
import { digestFile } from "../../src/peers/mod.ts";
import { isRuleId } from "../../src/rules/mod.ts";
import { make } from "../peers/tools.ts";
import { MADE, makeImages } from "./images.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";
import { liveTest, QEMU } from "../live.ts";

function linesOf(stdout: string): Record<string, unknown>[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

liveTest(
  { needs: QEMU },
  "judge reports images of qemu-img as valid, one line for each",
  async (directory) => {
    await makeImages(directory);
    const names = MADE.map(({ name }) => name);
    const { status, stdout, stderr } = await diskproof(directory, ["judge", ...names]);
    assertEquals([status, stderr], [0, ""]);
    const lines = linesOf(stdout);
    assertEquals(lines.map((line) => line["image"]), names);
    for (const line of lines) {
      assertEquals(Object.keys(line), ["image", "format", "qemu", "spec", "findings"]);
      assertEquals(line["spec"], { verdict: "valid" });
      const qemu = line["qemu"] as Record<string, unknown>;
      assertEquals(Object.keys(qemu), ["open", "read", "check"]);
      assertEquals([qemu["open"], qemu["read"]], ["accept", "ok"]);
      const none = { corruptions: 0, leaks: 0, "check-errors": 0 };
      assertEquals(qemu["check"], line["format"] === "qcow2" ? none : null);
    }
  },
);

Deno.test("judge continues after a file that cannot be read, and exits with 2", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/one`, Uint8Array.of(1));
    Deno.writeFileSync(`${directory}/two`, Uint8Array.of(2));
    const run = await diskproof(directory, ["judge", "one", "missing", "two"]);
    assertEquals(linesOf(run.stdout).map((line) => line["image"]), ["one", "two"]);
    assertEquals(run.stderr, "diskproof: Cannot open missing: there is no such file\n");
    assertEquals(run.status, 2);
  }));

Deno.test("judge exits with 0 for an image that is invalid, and names the rule and the place", () =>
  withDirectory(async (directory) => {
    const bytes = new Uint8Array(112);
    bytes.set([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]);
    bytes[23] = 8;
    Deno.writeFileSync(`${directory}/bad`, bytes);
    const { status, stdout } = await diskproof(directory, ["judge", "bad"]);
    assertEquals(status, 0);
    const [line] = linesOf(stdout) as [{ spec: unknown; findings: Record<string, unknown>[] }];
    assertEquals(line.spec, { verdict: "invalid" });
    const [finding = {}] = line.findings;
    const keys = ["rule", "class", "level", "effect", "offset", "path", "message"];
    assertEquals(Object.keys(finding), keys);
    assertEquals(finding["level"], "must");
    assertEquals(finding["rule"], "qcow2.header.cluster-bits-min");
    assertEquals([finding["offset"], finding["path"]], [20, "/header/cluster_bits"]);
    assertEquals(line.findings.every(({ rule }) => isRuleId(String(rule))), true);
  }));

Deno.test("judge reads names from a list, in lines or before NUL bytes, and from standard input", () =>
  withDirectory(async (directory) => {
    const names = ["a", "b c", "d"];
    for (const name of names) Deno.writeFileSync(`${directory}/${name}`, new Uint8Array(512));
    Deno.writeTextFileSync(`${directory}/lines`, names.join("\n"));
    Deno.writeTextFileSync(`${directory}/nuls`, names.map((name) => `${name}\0`).join(""));
    const judged = async (args: string[], input?: string) => {
      const { stdout } = await diskproof(directory, ["judge", ...args], input);
      return linesOf(stdout).map((line) => line["image"]);
    };
    assertEquals(await judged(["--files-from", "lines"]), names);
    assertEquals(await judged(["--files-from", "nuls"]), names);
    assertEquals(await judged(["d", "--files-from=-"], "a\nb c\n"), ["d", "a", "b c"]);
    assertEquals(await judged(["d", "--files-from", "-"], "a\nb c\n"), ["d", "a", "b c"]);
    assertEquals((await diskproof(directory, ["judge", "--files-from=-"], "")).status, 0);
    const missing = await diskproof(directory, ["judge", "--files-from", "no"]);
    assertEquals(missing.status, 2);
    assertStringIncludes(missing.stderr, "Cannot read the list no: there is no such file");
  }));

liveTest(
  { needs: QEMU },
  "judge --digest adds the digest of the content, and null where there is none",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "image", "1M");
    await make(directory, "qemu-img", "convert", "-O", "raw", "image", "content");
    const judged = async (...args: string[]) => {
      const { stdout } = await diskproof(directory, ["judge", "--digest", ...args, "image"]);
      return linesOf(stdout)[0]?.["digest"];
    };
    assertEquals(await judged(), digestFile(`${directory}/content`).sha256);
    assertEquals(await judged("--max-size", "64K"), null);
  },
);
