import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeFifo, makeLink, withDirectory } from "./files.ts";
import { diskproof, type Run } from "./program.ts";

/** A qcow2 header of version 3 with a few fields set, and a backing file name behind it. */
function header(fields: { clusterBits?: number; version?: number; backing?: string }): Uint8Array {
  const bytes = new Uint8Array(4 * 65536);
  const view = new DataView(bytes.buffer);
  const name = new TextEncoder().encode(fields.backing ?? "");
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, fields.version ?? 3);
  view.setBigUint64(8, name.length === 0 ? 0n : 512n);
  view.setUint32(16, name.length);
  view.setUint32(20, fields.clusterBits ?? 16);
  view.setBigUint64(24, 65536n);
  view.setUint32(36, 1);
  view.setBigUint64(40, 3n * 65536n);
  view.setBigUint64(48, 65536n);
  view.setUint32(56, 1);
  view.setUint32(96, 4);
  view.setUint32(100, 104);
  view.setBigUint64(65536, 2n * 65536n);
  for (const cluster of [0, 1, 2, 3]) view.setUint16(2 * 65536 + 2 * cluster, 1);
  bytes.set(name, 512);
  return bytes;
}

/** Strange files by name, and the message about each that cannot be used. */
const UNUSABLE: Readonly<
  Record<string, { make: (path: string) => Promise<void>; reason: string }>
> = {
  missing: { make: () => Promise.resolve(), reason: "there is no such file" },
  directory: { make: (path) => Deno.mkdir(path), reason: "it is not a regular file" },
  fifo: { make: makeFifo, reason: "it is not a regular file" },
  circle: {
    make: (path) => makeLink("circle", path),
    reason: "its symbolic links form a loop",
  },
};

/** Files that a verb must accept or reject without a crash. */
const STRANGE: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(),
  byte: Uint8Array.of(0x51),
  magic: Uint8Array.of(0x51, 0x46, 0x49, 0xfb),
  noise: crypto.getRandomValues(new Uint8Array(5000)),
  "version-9": header({ version: 9 }),
  "huge-clusters": header({ clusterBits: 63 }),
  "tiny-clusters": header({ clusterBits: 0 }),
  "names-itself": header({ backing: "names-itself" }),
  "names-a-fifo": header({ backing: "fifo" }),
  "names-a-directory": header({ backing: "directory" }),
  "names-a-terminal-escape": header({ backing: "\x1b]0;owned\x07\x9b31m" }),
  "all-ones": new Uint8Array(70_000).fill(0xff).map((byte, i) => [0x51, 0x46, 0x49][i] ?? byte),
};

const VERBS = ["info", "map", "check", "judge", "admit", "digest", "inspect"];

Deno.test("every verb says in one line why a file cannot be used", () =>
  withDirectory(async (directory) => {
    for (const [name, { make, reason }] of Object.entries(UNUSABLE)) {
      await make(`${directory}/${name}`);
      for (const verb of [...VERBS, "convert"]) {
        const args = verb === "convert" ? [verb, name, "out"] : [verb, name];
        const { status, stdout, stderr } = await diskproof(directory, args);
        assertEquals(stderr, `diskproof: Cannot open ${name}: ${reason}\n`, verb);
        assertEquals([status, stdout], [verb === "check" ? 1 : 2, ""], verb);
      }
    }
  }));

Deno.test("every verb accepts or rejects strange bytes, with at most one line on standard error", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/directory`);
    await makeFifo(`${directory}/fifo`);
    for (const [name, bytes] of Object.entries(STRANGE)) {
      Deno.writeFileSync(`${directory}/${name}`, bytes);
      const runs = await Promise.all(VERBS.map((verb) => diskproof(directory, [verb, name])));
      for (const [index, verb] of VERBS.entries()) {
        const { status, stdout, stderr } = runs[index] as Run;
        const what = `${verb} ${name}: ${stderr}`;
        assert([0, 1, 63].includes(status) || verb === "check" && status <= 3, what);
        assertMatch(stderr, /^(diskproof: Cannot [^\n]*\n)?$/, what);
        if (stdout.length > 0 && verb === "judge") assertEquals(JSON.parse(stdout).image, name);
      }
    }
  }));

Deno.test("no control character from an image reaches a terminal", () =>
  withDirectory(async (directory) => {
    const name = "names-a-terminal-escape";
    Deno.writeFileSync(`${directory}/${name}`, STRANGE[name] as Uint8Array);
    for (const verb of ["info", "map", "inspect", "digest"]) {
      const { stdout, stderr } = await diskproof(directory, [verb, name]);
      assertEquals(
        (stdout + stderr).match(/[\p{Cc}]/gu)?.filter((c) => c !== "\n") ?? [],
        [],
        verb,
      );
      assertStringIncludes(stdout + stderr, "\\u001b]0;owned", verb);
    }
  }));

Deno.test("a backing file is read only below the root, also through symbolic links", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/inside`);
    Deno.writeFileSync(`${directory}/secret`, new Uint8Array(65536).fill(1));
    await makeLink("../secret", `${directory}/inside/link`);
    for (
      const backing of [
        "../secret",
        "link",
        `${directory}/secret`,
        'json:{"driver":"nbd"}',
        "nbd://x/y",
      ]
    ) {
      Deno.writeFileSync(`${directory}/inside/image`, header({ backing }));
      const { status, stderr } = await diskproof(directory, ["digest", "inside/image"]);
      assertEquals(status, 1, backing);
      assertStringIncludes(stderr, "blk.backing.not-followed", backing);
    }
    Deno.writeFileSync(`${directory}/inside/image`, header({ backing: "link" }));
    const opened = await diskproof(directory, ["digest", "--root", ".", "inside/image"]);
    const ones = await diskproof(directory, ["digest", "secret"]);
    assertEquals(opened.stdout.slice(0, 64), ones.stdout.slice(0, 64));
    const nowhere = await diskproof(directory, ["digest", "--root", "no", "inside/image"]);
    assertEquals(nowhere.status, 2);
    assertStringIncludes(nowhere.stderr, "--root no: there is no such file");
  }));
