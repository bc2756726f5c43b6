import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { denoWithFakes, type Fake, type Run } from "../../peers/fake_tools.ts";
import { runDeno, taskArguments, withDirectory } from "./child.ts";

const QEMU = ["qemu-img", "qemu-io"];

/** Runs `fuzz` where nothing but these fakes is on the PATH. */
function fuzzWith(
  directory: string,
  tools: Readonly<Record<string, Fake>>,
  args: readonly string[],
): Promise<Run> {
  const words = ["--runs", "3", "--seed", "1", "--artifacts", `${directory}/artifacts`];
  return denoWithFakes(directory, tools, taskArguments("fuzz", [...args, ...words]));
}

Deno.test(
  "fuzz exits with 3 where a required tool is installed and does not work",
  withDirectory(async (directory) => {
    const hows: readonly (readonly [Fake, RegExp])[] = [
      ["fails", /qemu-img --version exited with status 1: cannot load a library/],
      ["dies", /qemu-img --version was killed by SIGSEGV/],
      ["silent", /qemu-img --version printed no version: no number here/],
      ["uninterpreted", /Cannot start qemu-img: /],
    ];
    for (const [fake, line] of hows) {
      const tools = Object.fromEntries(QEMU.map((tool) => [tool, fake]));
      // A target that was not named, and one that could do without the tool, are no better.
      for (const args of [["differential", "qcow-open"], []]) {
        const { status, stdout, stderr } = await fuzzWith(directory, tools, args);
        assertEquals([status, stdout], [3, ""], fake);
        assertMatch(stderr, /^diskproof: [^\n]*\n$/);
        assertMatch(stderr, line);
      }
    }
  }),
);

Deno.test(
  "fuzz exits with 3 where a tool that a target could use is broken",
  withDirectory(async (directory) => {
    const { status, stderr } = await fuzzWith(directory, { luksdeinfo: "fails" }, []);
    assertEquals(status, 3);
    assertStringIncludes(stderr, "luksdeinfo -V exited with status 1");
  }),
);

Deno.test(
  "fuzz does not look at tools that no selected target could use",
  withDirectory(async (directory) => {
    const tools = { "qemu-img": "fails", cryptsetup: "dies" } as const;
    const { status, stdout, stderr } = await fuzzWith(directory, tools, ["qcow-open"]);
    assertEquals([status, stderr], [0, ""]);
    assertMatch(stdout, /^seed 1, 1 target, /);
  }),
);

Deno.test(
  "fuzz exits with 3 where a target that was named needs a tool that is not installed",
  withDirectory(async (directory) => {
    for (const args of [["--target", "differential"], ["differential", "qcow-open"]]) {
      const { status, stdout, stderr } = await fuzzWith(directory, {}, args);
      assertEquals([status, stdout], [3, ""]);
      assertMatch(
        stderr,
        /^diskproof: qemu-img is not installed: differential cannot run; qemu-io /,
      );
    }
  }),
);

Deno.test(
  "fuzz names each missing tool once, with what is not compared, and runs the other targets",
  withDirectory(async (directory) => {
    const { status, stdout, stderr } = await fuzzWith(directory, {}, []);
    assertEquals([status, stderr], [0, ""]);
    const lines = stdout.split("\n").slice(0, 4).sort();
    const changed = ["stateful", "qcow-stateful", "raw-stateful", "luks-stateful"];
    const skipped = [
      "differential, luks-differential",
      ...changed.flatMap((name) => [`${name}-differential`, `${name}-mixed`]),
    ].join(", ").replace(/, ([^,]*)$/, " and $1");
    assertEquals(lines, [
      "cryptsetup is not installed: luks2-differential is skipped, luks-differential does not " +
      "compare with it",
      "luksdeinfo is not installed: luks-differential does not compare with it",
      `qemu-img is not installed: ${skipped} are skipped`,
      `qemu-io is not installed: ${skipped} are skipped`,
    ]);
    assertMatch(stdout, /^differential +0 +0 .* needs qemu-img$/m);
  }),
);

Deno.test(
  "fuzz --require-tools exits with 3 for each missing tool that a target could use",
  withDirectory(async (directory) => {
    const { status, stdout, stderr } = await fuzzWith(directory, {}, ["--require-tools"]);
    assertEquals([status, stdout], [3, ""]);
    for (const tool of [...QEMU, "cryptsetup", "luksdeinfo"]) assertStringIncludes(stderr, tool);
    const open = await fuzzWith(directory, {}, ["--require-tools", "qcow-open"]);
    assertEquals(open.status, 0);
  }),
);

Deno.test(
  "fuzz exits with 3 and says so where Deno may not run a tool",
  withDirectory(async (directory) => {
    const args = taskArguments("fuzz", ["differential", "--runs", "3", "--artifacts", directory]);
    const words = args.map((word) => word === "--allow-run" ? "--allow-run=deno,qemu-io" : word);
    assert(words.join() !== args.join());
    const { status, stdout, stderr } = await runDeno(words);
    assertEquals([status, stdout], [3, ""]);
    assertMatch(stderr, /^diskproof: Deno has no permission to run qemu-img [^\n]*\n$/);
  }),
);
