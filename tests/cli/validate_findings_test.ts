/** Known findings, single cases and several implementations on the command line. */

import { recordedPictures } from "../../src/cli/report_files.ts";
import { readImage } from "../../src/recorded/mod.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { readRecord, storeRecord, unpackRecord } from "../../src/recorded/mod.ts";
import { withDirectory } from "./files.ts";
import { diskproof, type Run } from "./program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BREAKS = "qcow2.header.version-2-breaks";
const KEEPS = "qcow2.header.version-2-keeps";
const SLUG = "accepts-invalid-qcow2.header.version";

/** An adapter that accepts every version. */
function adapter(directory: string): string {
  const script = '#!/bin/sh\ntest $1 = describe && echo \'{"name": "lax"}\' && exit 0\n' +
    'test $1 = info || exit 3\necho \'{"format": "qcow2", "virtual-size": 65536}\'\n';
  Deno.writeTextFileSync(`${directory}/lax.sh`, script);
  return "exec:sh lax.sh";
}

function validate(directory: string, ...args: string[]): Promise<Run> {
  return diskproof(directory, ["validate", adapter(directory), ...args]);
}

Deno.test("validate --case asks about exactly one image, and --only accepts a pattern", () =>
  withDirectory(async (directory) => {
    const one = await validate(directory, "--case", KEEPS);
    assertEquals([one.status, one.stderr], [0, ""]);
    assertStringIncludes(one.stdout, "lax unknown over 1 recorded images");
    const two = await validate(directory, "--only", "qcow2.header.version-2-*");
    assertStringIncludes(two.stdout, "lax unknown over 2 recorded images");
    // A pattern is for the whole name.
    const none = await validate(directory, "--only", "header.version-2-*");
    assertEquals(none.status, 2);
    const wrong = await validate(directory, "--case", `${KEEPS}x`);
    assertEquals(wrong.status, 2);
    assertStringIncludes(
      wrong.stderr,
      `no recorded image '${KEEPS}x' (did you mean '${KEEPS}'?)`,
    );
  }));

Deno.test("validate fails on new findings alone, and says which known ones were not met", () =>
  withDirectory(async (directory) => {
    const only = ["--golden", "images"];
    for (const name of [BREAKS, KEEPS]) {
      const record = readRecord(`${ROOT}corpus/images`, name);
      unpackRecord(`${ROOT}corpus/images`, record, directory);
      storeRecord(`${directory}/images`, record, directory);
      Deno.removeSync(`${directory}/image`);
    }
    const first = await validate(directory, ...only, "--write-known", "known.json");
    assertEquals(first.status, 1);
    const known = JSON.parse(Deno.readTextFileSync(`${directory}/known.json`));
    assertEquals(known, { known: [{ slug: SLUG, reason: "not examined yet" }] });
    known.known[0].reason = "version 1 is like version 2";
    known.known.push({ slug: "hang-zstd", reason: "slow" });
    Deno.writeTextFileSync(`${directory}/known.json`, JSON.stringify(known));
    const second = await validate(directory, ...only, "--known", "known.json");
    assertEquals(second.status, 0);
    assertStringIncludes(second.stdout, "  known: version 1 is like version 2\n");
    assertStringIncludes(second.stdout, "known findings that were not met:\n  hang-zstd: slow\n");
    const strict = await validate(directory, ...only, "--known=known.json", "--strict-known");
    assertEquals(strict.status, 1);
    const part = await validate(directory, "--known=known.json", "--strict-known", "--case", KEEPS);
    assertEquals(part.status, 2);
    Deno.writeTextFileSync(`${directory}/known.json`, "{}");
    const broken = await validate(directory, ...only, "--known", "known.json");
    assertEquals(broken.status, 2);
    assertStringIncludes(
      broken.stderr,
      'Cannot use known findings known.json: it has no list "known"',
    );
  }));

Deno.test("validate compares several implementations, and names each one", () =>
  withDirectory(async (directory) => {
    const { status, stdout } = await validate(directory, "reference", "--json", "--case", BREAKS);
    assertEquals(status, 1);
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(events.map(({ event, peer, slug, lacking }) => [event, peer, slug, lacking]), [
      ["difference", "lax", undefined, undefined],
      ["finding", "lax", SLUG, undefined],
      ["summary", "lax", undefined, {}],
      ["summary", "reference", undefined, {}],
    ]);
  }));

Deno.test("corpus show prints what an image is, and writes its files into the user's folder", () =>
  withDirectory(async (directory) => {
    for (
      const [name, file] of [
        [BREAKS, "image"],
        ["matrix-cast5-16-ecb-essiv-md5-sha1", "image"],
        ["qcow-empty-512", "disk"],
      ] as const
    ) {
      const args = ["corpus", "show", name, "--out", name];
      const { status, stdout } = await diskproof(directory, args);
      assertEquals(status, 0);
      assertStringIncludes(stdout, `the image is ${name}/${file}`);
      assertEquals(Deno.statSync(`${directory}/${name}/${file}`).isFile, true);
      const again = await diskproof(directory, args);
      assertEquals(again.status, 2);
      assertStringIncludes(again.stderr, "it exists already");
    }
    const { stdout } = await diskproof(directory, ["corpus", "show", BREAKS]);
    assertStringIncludes(stdout, "  info: must-reject (qcow2.header.version)\n");
    const version = Deno.readFileSync(`${directory}/${BREAKS}/image`)[7];
    assertEquals(version, 1);
  }));

/** As on GitHub: `deno task validate` may see where the summary of a step is written. */
async function onGithub(directory: string, ...args: string[]): Promise<Run> {
  const words = config.tasks.validate.command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [...words.slice(1, -2), `${ROOT}${words.at(-2)}`, "validate", ...args],
    cwd: directory,
    env: {
      NO_COLOR: "1",
      GITHUB_ACTIONS: "true",
      GITHUB_STEP_SUMMARY: `${directory}/summary.md`,
    },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("validate writes several reports, and on GitHub a summary and annotations", () =>
  withDirectory(async (directory) => {
    const kinds = ["json", "junit", "sarif", "markdown", "html", "badge"];
    const reports = kinds.map((kind) => `--report=${kind}=${directory}/${kind}`);
    const peer = adapter(directory);
    const { status, stderr } = await onGithub(directory, peer, "--case", BREAKS, ...reports);
    assertEquals(status, 1);
    const [first, ...more] = stderr.trimEnd().split("\n");
    assertEquals(more, []);
    const title = "lax%3A accepts-invalid%3A qcow2.header.version";
    assertStringIncludes(first ?? "", `::error title=${title}::The version is 2 or 3.%0A`);
    assertStringIncludes(
      Deno.readTextFileSync(`${directory}/summary.md`),
      `smallest case: ${BREAKS}`,
    );
    for (const kind of kinds) {
      assertStringIncludes(Deno.readTextFileSync(`${directory}/${kind}`), "diskproof", kind);
    }
    // The picture marks the four bytes of the version.
    const html = Deno.readTextFileSync(`${directory}/html`);
    assertStringIncludes(html, "<title>changed: 4 bytes at 0x4</title>");
  }));

Deno.test("validate rejects a report of an unknown kind or without a file", () =>
  withDirectory(async (directory) => {
    const unknown = await validate(directory, "--case", KEEPS, "--report", "htlm=x");
    assertEquals(unknown.status, 2);
    assertStringIncludes(unknown.stderr, "unknown kind of report 'htlm' (did you mean 'html'?)");
    const missing = await validate(directory, "--case", KEEPS, "--report", "html");
    assertEquals(missing.status, 2);
    assertStringIncludes(missing.stderr, "--report html needs a file: --report html=FILE");
  }));

Deno.test("there is a picture of each file of a chain, the image first", () => {
  const chain = readImage(`${ROOT}golden/images`, "qcow2-on-qcow2-without-format");
  const pictures = recordedPictures(chain);
  assertEquals(pictures.map(({ name }) => name), ["disk", "base"]);
  assertEquals(pictures.map(({ format }) => format), ["qcow2", "qcow2"]);
});
