import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { PLAIN } from "./hostile_images.ts";
import { withDirectory } from "./files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Starts the program with a folder for temporary files. */
function start(directory: string, args: readonly string[]): Deno.ChildProcess {
  const words = config.tasks.diskproof.command.split(" ");
  return new Deno.Command("deno", {
    args: [...words.slice(1, -1), `${ROOT}${words.at(-1)}`, ...args],
    cwd: directory,
    env: { NO_COLOR: "1", TMPDIR: `${directory}/scratch` },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(
  directory: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = start(directory, args);
  const writer = child.stdin.getWriter();
  // The program may end before it has read everything.
  await writer.write(input).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function scratchIsEmpty(directory: string): boolean {
  return [...Deno.readDirSync(`${directory}/scratch`)].length === 0;
}

Deno.test("admit, judge and info read an image from standard input, and leave no file behind", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/scratch`);
    Deno.writeFileSync(`${directory}/image`, PLAIN);
    for (const verb of [["admit"], ["judge", "--digest"], ["info", "--json"]]) {
      const expected = await run(directory, [...verb, "image"], new Uint8Array(0));
      const { status, stdout, stderr } = await run(directory, [...verb, "-"], PLAIN);
      assertEquals([status, stderr], [0, ""]);
      const named = stdout.replace('"image":"-"', '"image":"image"')
        .replace('"filename": "-"', '"filename": "image"').replace(/^-: /, "image: ");
      assertEquals(
        named.replace(/"actual-size": \d+/, ""),
        expected.stdout
          .replace(/"actual-size": \d+/, ""),
      );
    }
    assertEquals(scratchIsEmpty(directory), true);
  }));

Deno.test("an image from standard input is read up to --stdin-max, and names no file", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/scratch`);
    const args = ["admit", "-", "--stdin-max"];
    assertEquals((await run(directory, [...args, `${PLAIN.length}`], PLAIN)).status, 0);
    const large = await run(directory, [...args, `${PLAIN.length - 1}`], PLAIN);
    assertEquals([large.status, large.stdout], [2, ""]);
    assertStringIncludes(large.stderr, "--stdin-max changes the limit");
    const twice = await run(directory, ["judge", "-", "--files-from", "-"], PLAIN);
    assertEquals(twice.status, 2);
    assertStringIncludes(twice.stderr, "Cannot read standard input twice");
    const other = await run(directory, ["map", "-"], PLAIN);
    assertEquals(other.status, 2);
    assertStringIncludes(other.stderr, "save it to a file first");
    // A backing file in the working directory is not opened.
    Deno.writeFileSync(`${directory}/base`, new Uint8Array(512));
    const overlay = PLAIN.slice();
    overlay.set([0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4], 8);
    overlay.set(new TextEncoder().encode("base"), 512);
    const judged = JSON.parse((await run(directory, ["judge", "-"], overlay)).stdout);
    assertEquals([judged.qemu.open, judged.qemu.read], ["unknown", "unknown"]);
    assertEquals(scratchIsEmpty(directory), true);
  }));

Deno.test("nothing is left of standard input when the program is killed", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/scratch`);
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const child = start(directory, ["admit", "-"]);
      const writer = child.stdin.getWriter();
      // More than a pipe holds: it has been read once this is written.
      await writer.write(new Uint8Array(2 ** 22));
      child.kill(signal);
      await writer.close().catch(() => {});
      await child.output();
      assertEquals(scratchIsEmpty(directory), true, signal);
    }
  }));
