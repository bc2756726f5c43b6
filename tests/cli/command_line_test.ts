import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { parseSize } from "../../src/cli/sizes.ts";
import { UsageError } from "../../src/cli/verb.ts";
import { verbs } from "../../src/cli/verbs.ts";
import { withDirectory } from "./files.ts";
import { diskproof, spawnDiskproof } from "./program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

for (const { name, summary, load } of verbs) {
  Deno.test(`the help of ${name} has its options, its exit status and an example`, async () => {
    const { help } = await load();
    assertMatch(help, new RegExp(`^diskproof ${name} `));
    for (const part of ["--help", "Exit status", "\nExample"]) assertStringIncludes(help, part);
    assertMatch(help, new RegExp(`Example[^]*(diskproof|deno task) ${name}`));
    assert(help.split("\n").every((line) => line.length <= 100));
    assertMatch(summary, /^[a-z].*[^.]$/);
  });
}

const NO_PEER =
  "is not reference, qemu-img, cryptsetup, jsonl:COMMAND, exec:COMMAND or module:FILE";

Deno.test("every verb prints its help and does nothing else", async () => {
  const { stdout } = await diskproof(ROOT, ["--help"]);
  assertEquals((await diskproof(ROOT, ["-h"])).stdout, stdout);
  for (const { name, load } of verbs) {
    const { help } = await load();
    assertStringIncludes(stdout, `\n  ${name} `);
    for (const option of ["--help", "-h"]) {
      const asked = await diskproof(ROOT, [name, "nonsense", option]);
      assertEquals([asked.status, asked.stdout], [0, help]);
    }
  }
  assertEquals((await diskproof(ROOT, ["help", "info"])).stdout, (await verbs[0]?.load())?.help);
});

Deno.test("the program with the fuzzer also has the fuzzer's verbs", async () => {
  const { stdout } = await diskproof(ROOT, ["help"]);
  for (const name of ["fuzz", "repro", "minimize", "golden", "corpus", "matrix", "bench"]) {
    assertStringIncludes(stdout, `\n  ${name} `);
  }
});

Deno.test("--version prints the version of the package", async () => {
  const { stdout } = await spawnDiskproof(ROOT, ["--version"]);
  assertEquals(stdout, `diskproof ${config.version}\n`);
});

Deno.test("an unusable command line gives one line and exit status 2", async () => {
  const refused: [string[], string][] = [
    [["inof"], "unknown verb 'inof' (did you mean 'info'?)"],
    [["--verbose"], "unknown option --verbose"],
    [["info"], "name an image (see --help)"],
    [["info", "--ouput=json", "x"], "unknown option --ouput (did you mean --output?)"],
    [["info", "--output=xml", "x"], "--output must be human or json, not 'xml'"],
    [
      ["info", "--format=vdi", "x"],
      "unsupported format 'vdi' (supported: raw, qcow, qcow2, luks, luks2)",
    ],
    [["map", "a", "b"], "name one image (see --help)"],
    [
      ["map", "--start-offset=1.5", "x"],
      "--start-offset must be a size in bytes such as 512, 64K or 1G, not '1.5'",
    ],
    [["digest", "--range=5", "x"], "--range must be START:LENGTH, such as 1M:64K, not '5'"],
    [["convert", "x"], "name an image and a file to write (see --help)"],
    [
      ["convert", "-O", "luks2", "x", "y"],
      "unsupported format 'luks2' (supported: raw, qcow, qcow2, luks)",
    ],
    [["info", "--json=yes", "x"], "option --json does not accept a value"],
    [["bench", "--help=1"], "option --help does not accept a value"],
    [["bench", "x"], "unknown subject 'x' (known: verbs, targets, parts, mutants)"],
    [["validate", "vmware"], `'vmware' ${NO_PEER}`],
    [["validate", "jsonl:"], `'jsonl:' ${NO_PEER}`],
    [["validate", "reference:x"], `'reference:x' ${NO_PEER}`],
  ];
  for (const [args, reason] of refused) {
    const { status, stdout, stderr } = await diskproof(ROOT, args);
    assertEquals([status, stdout], [2, ""], args.join(" "));
    assertEquals(stderr, `diskproof: ${reason}\n`);
  }
  // The process ends with the same status.
  assertEquals((await spawnDiskproof(ROOT, [])).status, 2);
  assertEquals(await spawnDiskproof(ROOT, ["info"]), await diskproof(ROOT, ["info"]));
});

Deno.test("every argument after two dashes is a file", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/--help`, new Uint8Array(512));
    const { status, stdout } = await spawnDiskproof(directory, ["info", "--", "--help"]);
    assertEquals(status, 0);
    assertStringIncludes(stdout, "image: --help");
  }));

Deno.test("names are relative to the user's folder, though deno task changes it", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/here`, new Uint8Array(512));
    const { code, stdout } = await new Deno.Command("deno", {
      args: ["task", "--quiet", "--config", `${ROOT}deno.json`, "diskproof", "info", "here"],
      cwd: directory,
      // A task that is run by a task keeps the outer one's; this is what a shell's user gets.
      env: { NO_COLOR: "1", INIT_CWD: directory },
    }).output();
    assertEquals(code, 0);
    assertStringIncludes(new TextDecoder().decode(stdout), "image: here\n");
  }));

Deno.test("a verb drops every permission that it does not declare", async () => {
  const script = `
    import { keepOnly } from "${ROOT}src/cli/permissions.ts";
    const states = () => ["read", "write", "run", "net", "env", "sys", "ffi"].map((name) =>
      Deno.permissions.querySync({ name }).state);
    keepOnly(["run"]);
    console.log(states().join());
  `;
  const { stdout } = await new Deno.Command("deno", { args: ["eval", script] }).output();
  const states = new TextDecoder().decode(stdout).trim();
  assertEquals(states, "granted,prompt,granted,prompt,prompt,prompt,prompt");
  const writing = verbs.filter(({ needs }) => needs.includes("write")).map(({ name }) => name);
  assertEquals(writing, [
    ...["convert", "create", "write", "resize", "commit", "rebase"],
    ...["snapshot", "bitmap", "amend", "key", "validate", "adapter"],
  ]);
});

Deno.test("an internal error is one line and exit status 70, and --trace shows its stack", async () => {
  const script = `
    import { runProgram } from "${ROOT}src/cli/program.ts";
    const load = () => ({ help: "", run() { throw new RangeError("over"); } });
    const verb = { name: "fall", summary: "", group: "", needs: [], load };
    Deno.exit(await runProgram({ name: "", summary: "", verbs: [verb] }, Deno.args));
  `;
  const fall = async (...args: string[]) => {
    const command = new Deno.Command("deno", { args: ["eval", script, "fall", ...args] });
    const { code, stderr } = await command.output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  const plain = await fall();
  assertEquals(plain.code, 70);
  assertEquals(
    plain.stderr,
    "diskproof: internal error: over (--trace prints the stack)\n",
  );
  assertMatch((await fall("--trace")).stderr, /RangeError: over\n\s+at /);
});

Deno.test("parseSize() accepts bytes with binary suffixes up to 2^63, and nothing else", () => {
  const sizes: [string, number][] = [
    ["0", 0],
    ["512", 512],
    ["64k", 65536],
    ["64K", 65536],
    ["1M", 2 ** 20],
    ["1MiB", 2 ** 20],
    ["3G", 3 * 2 ** 30],
    ["2T", 2 ** 41],
    ["1P", 2 ** 50],
    ["7E", 7 * 2 ** 60],
  ];
  for (const [text, bytes] of sizes) assertEquals(parseSize(text, "size"), bytes);
  for (const text of ["", "-1", "1.5M", "0x10", "8E", "9007199254740993", "1Q", "K", "1 M"]) {
    assertThrows(() => parseSize(text, "size"), UsageError, "--size must be a size in bytes");
  }
});
