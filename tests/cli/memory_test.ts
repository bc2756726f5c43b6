import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { HOSTILE, PLAIN, SPARSE } from "./hostile_images.ts";
import { withDirectory } from "./program.ts";

const ROOT = new URL("../../", import.meta.url);
const MIB = 2 ** 20;

/** The memory that a verb may use in addition to that for a plain image and four times the file. */
const BOUND = 64 * MIB;

/** Stands for the name of the image in a command line. */
const IMAGE = "IMAGE";

const VERBS: readonly (readonly string[])[] = [
  ["info", IMAGE],
  ["info", "--json", IMAGE],
  ["map", IMAGE],
  ["check", IMAGE],
  ["judge", IMAGE],
  ["admit", IMAGE],
  ["digest", IMAGE],
  ["inspect", IMAGE],
  ["inspect", "--json", IMAGE],
  ["inspect", "--all", IMAGE],
  ["inspect", "--all", "--json", IMAGE],
  ["convert", "--force", IMAGE, "out"],
  ["create", "--force", "-f", "qcow2", "-b", IMAGE, "-F", "qcow2", "out"],
  ["key", "erase", "--slot", "0", IMAGE],
];

/**
 * Runs a verb and prints the most memory that was resident, which the kernel counts; the file is opened
 * while Deno may still do everything.
 */
const MEASURED = `
  const status = Deno.openSync("/proc/self/status");
  const { main } = await import("${new URL("src/cli/main.ts", ROOT)}");
  await main(Deno.args);
  const text = new Uint8Array(8192);
  status.readSync(text);
  const [, kib] = /VmHWM:\\s+(\\d+) kB/.exec(new TextDecoder().decode(text));
  Deno.stderr.writeSync(new TextEncoder().encode("peak " + 1024 * kib + "\\n"));
`;

/** The most memory that was resident while a verb ran, in bytes. */
async function peakOf(args: readonly string[], directory: string): Promise<number> {
  // The task limits the garbage that V8 keeps.
  const flags = config.tasks.diskproof.command.split(" ").filter((it) => it.startsWith("--v8"));
  assertEquals(flags.length, 1);
  const command = new Deno.Command("deno", {
    args: ["eval", ...flags, `--config=${new URL("deno.json", ROOT).pathname}`, MEASURED, ...args],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdout: "null",
  });
  const { stderr } = await command.output();
  const last = new TextDecoder().decode(stderr).trimEnd().split("\n").at(-1) ?? "";
  assertMatch(last, /^peak \d+$/);
  return Number(last.slice("peak ".length));
}

for (const verb of VERBS) {
  Deno.test({
    name: `${
      verb.filter((word) => word !== IMAGE).join(" ")
    } takes at most 64 MiB and four times the file for hostile images`,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withDirectory(async (directory) => {
        Deno.writeFileSync(`${directory}/plain`, PLAIN);
        const of = (image: string) =>
          peakOf(verb.map((word) => word === IMAGE ? image : word), directory);
        const plain = await of("plain");
        const whole = Object.entries(HOSTILE)
          .map(([name, bytes]) => [name, { bytes, size: bytes.length }] as const);
        for (const [name, { bytes, size }] of [...whole, ...Object.entries(SPARSE)]) {
          Deno.writeFileSync(`${directory}/image`, bytes);
          Deno.truncateSync(`${directory}/image`, size);
          const more = await of("image") - plain;
          const most = BOUND + 4 * bytes.length;
          assert(more <= most, `${name}: ${more / MIB} MiB more, of ${most / MIB}`);
        }
      }),
  });
}
