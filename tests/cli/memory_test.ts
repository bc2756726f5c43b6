import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { HOSTILE, PLAIN, SPARSE, type SparseImage } from "./hostile_images.ts";
import { withDirectory } from "./files.ts";

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
  ["convert", IMAGE, "out"],
  ["create", "--force", "-f", "qcow2", "-b", IMAGE, "-F", "qcow2", "out"],
  ["key", "erase", "--slot", "0", IMAGE],
];

/** Verbs that leave so much garbage that each image needs a process of its own. */
const WASTEFUL: ReadonlySet<string> = new Set(["check", "judge", "inspect"]);

/**
 * Runs a verb for images, one after the other, and prints after each the most memory that was ever
 * resident, which the kernel counts; the file is opened while Deno may still do everything.
 */
const MEASURED = `
  const status = Deno.openSync("/proc/self/status");
  const { main } = await import("${new URL("src/cli/main.ts", ROOT)}");
  const [count, ...words] = Deno.args;
  for (const image of words.splice(0, count)) {
    await main(words.map((word) => word === "${IMAGE}" ? image : word));
    const text = new Uint8Array(8192);
    status.seekSync(0, Deno.SeekMode.Start);
    status.readSync(text);
    const [, kib] = /VmHWM:\\s+(\\d+) kB/.exec(new TextDecoder().decode(text));
    Deno.stderr.writeSync(new TextEncoder().encode("peak " + 1024 * kib + "\\n"));
  }
`;

/** The most memory that was resident up to the end of a verb for each image, in bytes. */
async function peaksOf(
  verb: readonly string[],
  images: readonly string[],
  directory: string,
): Promise<number[]> {
  // The task limits the garbage that V8 keeps.
  const flags = config.tasks.diskproof.command.split(" ").filter((it) => it.startsWith("--v8"));
  assertEquals(flags.length, 1);
  const code = [`--config=${new URL("deno.json", ROOT).pathname}`, MEASURED];
  const command = new Deno.Command("deno", {
    args: ["eval", ...flags, ...code, String(images.length), ...images, ...verb],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdout: "null",
  });
  const { stderr } = await command.output();
  const peaks = new TextDecoder().decode(stderr).matchAll(/^peak (\d+)$/gm);
  return Array.from(peaks, ([, peak]) => Number(peak));
}

/** Hostile images, and a plain one before them: the bound of each is at least that of the last one. */
const IMAGES: readonly (readonly [name: string, image: SparseImage])[] = [
  ["plain", { bytes: PLAIN, size: PLAIN.length }],
  ...[
    ...Object.entries(HOSTILE).map(([name, bytes]) =>
      [name, { bytes, size: bytes.length }] as const
    ),
    ...Object.entries(SPARSE),
  ].toSorted(([, a], [, b]) => a.bytes.length - b.bytes.length),
];

for (const verb of VERBS) {
  Deno.test({
    name: `${
      verb.filter((word) => word !== IMAGE).join(" ")
    } takes at most 64 MiB and four times the file for hostile images`,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withDirectory(async (directory) => {
        for (const [index, [, { bytes, size }]] of IMAGES.entries()) {
          Deno.writeFileSync(`${directory}/${index}`, bytes);
          Deno.truncateSync(`${directory}/${index}`, size);
        }
        const images = IMAGES.map((_, index) => `${index}`);
        const peaks: number[] = [];
        for (const some of WASTEFUL.has(verb[0] ?? "") ? images.map((it) => [it]) : [images]) {
          peaks.push(...await peaksOf(verb, some, directory));
        }
        assertEquals(peaks.length, IMAGES.length);
        const [plain = 0] = peaks;
        for (const [index, [name, { bytes }]] of IMAGES.entries()) {
          const more = (peaks[index] ?? Infinity) - plain;
          const most = BOUND + 4 * bytes.length;
          assert(more <= most, `${name}: ${more / MIB} MiB more, of ${most / MIB}`);
        }
      }),
  });
}
