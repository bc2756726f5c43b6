import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { denoWithFakes, type Fake, type Run } from "../peers/fake_tools.ts";
import { withDirectory } from "./files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

type Task = "diskproof" | "validate" | "golden" | "corpus" | "matrix";

/** Runs a task in the folder of deno.json with these tools on the PATH and no others. */
function runTask(
  task: Task,
  args: readonly string[],
  { directory, tools }: { directory: string; tools: Readonly<Record<string, Fake>> },
): Promise<Run> {
  const [, ...words] = config.tasks[task].command.split(" ");
  const script = words.map((word) => word.endsWith(".ts") ? `${ROOT}${word}` : word)
    // The recorded files must not change, whatever the test finds.
    .map((word) => word.startsWith("--allow-write=") ? "--allow-write=/tmp" : word);
  return denoWithFakes(directory, tools, [...script, ...args]);
}

const ONLY = ["--only", "qcow-empty-512"];
const FAILS = "qemu-img --version exited with status 1: cannot load a library";

Deno.test("a qemu-img that does not work ends a comparison with it, with exit status 3", () =>
  withDirectory(async (directory) => {
    const tools = { "qemu-img": "fails" } as const;
    const runs: [Task, string[]][] = [
      ["validate", ["qemu-img", ...ONLY]],
      ["golden", ["verify", "--no-rebuild", ...ONLY]],
      ["golden", ["build", ...ONLY]],
      ["corpus", ["--only", "qcow2.header.version-2"]],
      ["matrix", ["verify"]],
    ];
    for (const [task, args] of runs) {
      const { status, stderr } = await runTask(task, args, { directory, tools });
      assertEquals(status, 3, `${task} ${args}: ${stderr}`);
      assertStringIncludes(stderr, FAILS);
    }
  }));

Deno.test("golden verify names missing tools, and fails for one that does not work", () =>
  withDirectory(async (directory) => {
    const args = ["verify", "--no-rebuild", ...ONLY];
    const without = await runTask("golden", args, { directory, tools: {} });
    assertEquals(without.status, 0, without.stderr);
    assertStringIncludes(without.stdout, "qemu-img is not installed");
    assertStringIncludes(without.stdout, "cryptsetup is not installed");
    const broken = await runTask("golden", args, { directory, tools: { cryptsetup: "dies" } });
    assertEquals(broken.status, 3);
    assertStringIncludes(broken.stderr, "cryptsetup --version was killed by SIGSEGV");
  }));

Deno.test("map prints a warning for a qemu-img that does not work, and nothing for none", () =>
  withDirectory(async (directory) => {
    const image = `${directory}/sparse`;
    Deno.writeTextFileSync(image, "x");
    Deno.truncateSync(image, 2 ** 20);
    const map = (tools: Readonly<Record<string, Fake>>) =>
      runTask("diskproof", ["map", "--json", image], { directory, tools });
    const without = await map({});
    assertEquals([without.status, without.stderr], [0, ""]);
    const warning = "diskproof: warning: the holes of sparse files are estimated: ";
    const hangs = "qemu-img --version did not finish within 10 s";
    for (const [fake, message] of [["fails", FAILS], ["hangs", hangs]] as const) {
      const broken = await map({ "qemu-img": fake });
      assertEquals([broken.status, broken.stdout], [0, without.stdout]);
      assertEquals(broken.stderr, `${warning}${message}\n`);
    }
  }));
