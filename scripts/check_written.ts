/**
 * Writes images of all kinds, and has the qemu-img of a root folder, such as one of debootstrap, check
 * them and compare them with their content:
 *
 *     deno run --allow-read --allow-write --allow-run scripts/check_written.ts ROOT [SEQUENCES [SEED]]
 *
 * It needs to be root for any ROOT but /.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { join } from "node:path";
import { caseAt, type CaseFile } from "../fuzz/engine/mod.ts";
import { changed } from "../fuzz/formats/mod.ts";
import { accessOf, ReferenceFiles, runSequence } from "../fuzz/stateful/mod.ts";
import { startIn, statefulCases } from "../fuzz/targets/mod.ts";
import { print } from "../src/cli/mod.ts";
import { seededBytes } from "../src/format/mod.ts";
import { layersOf, readContent } from "../src/image/mod.ts";

const SIZE = 3 * 2 ** 20 + 512;
const SIZE_MAX = 2 ** 25;
const SECRET = "secret,id=s0,data=secret";
/** How diskproof makes an image: its format with flags of `create`, options, and verbs that change it. */
const MADE: readonly (readonly [format: string, options: string, ...more: string[]])[] = [
  ["qcow2", "compat=0.10"],
  ["qcow2", "compat=0.10", "snapshot -c kept image.qcow2"],
  ...[1, 2, 4, 8, 16, 32, 64].map((bits) => ["qcow2", `refcount_bits=${bits}`] as const),
  ["qcow2", "cluster_size=512", "snapshot -c kept image.qcow2"],
  ["qcow2", "cluster_size=2M", "bitmap add image.qcow2 map"],
  ["qcow2", "extended_l2=on", "bitmap add image.qcow2 map", "snapshot -c kept image.qcow2"],
  ["qcow2", "lazy_refcounts=on", "resize image.qcow2 8M", "resize --shrink image.qcow2 3146240"],
  ["qcow2", "data_file=data.raw"],
  ["qcow2", "data_file=data.raw,data_file_raw=on"],
  ...["metadata", "falloc", "full"].map((it) => ["qcow2", `preallocation=${it}`] as const),
  ["qcow2", "encrypt.format=luks,encrypt.iterations=1000", "snapshot -c kept image.qcow2"],
  ["qcow2", "encrypt.format=aes"],
  ["qcow2 -c", "compression_type=zlib", "amend image.qcow2 -o refcount_bits=32"],
  ["qcow2 -c", "compression_type=zstd,extended_l2=on", "bitmap add image.qcow2 map"],
  ["qcow", ""],
  ["qcow -c", ""],
  ["qcow", "encrypt.format=aes"],
  ["luks", "iterations=1000"],
  ["raw", ""],
];

const [root = "/", sequences = "100", seed = "1"] = Deno.args;
const scratch = "/tmp/diskproof-written";
const directory = join(root, scratch);
let failures = 0;
let count = 0;

async function run(command: string, args: readonly string[], cwd = directory): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code === 0) return text(stdout);
  throw new Error(`${command} ${args.join(" ")}: ${text(stderr)}${text(stdout)}`);
}

/** Calls the qemu-img of the root folder. */
async function qemuImg(...args: readonly string[]): Promise<string> {
  const inside = ["/bin/sh", "-c", `cd ${scratch} && exec qemu-img "$@"`, "sh", ...args];
  return await run("chroot", [root, ...inside], "/");
}

/** Runs `deno task diskproof` with the permissions of the task. */
async function diskproof(...args: readonly string[]): Promise<void> {
  const program = new URL("diskproof.ts", import.meta.url).pathname;
  const words = config.tasks.diskproof.command.split(" ").slice(1, -1);
  await run(Deno.execPath(), [...words, program, ...args]);
}

/** Checks an image in an empty folder, and counts it. */
async function checking(name: string, work: () => Promise<void>): Promise<void> {
  await Deno.remove(directory, { recursive: true }).catch(() => undefined);
  await Deno.mkdir(directory);
  count++;
  await work().catch((error: unknown) => {
    failures++;
    print(`FAILED ${name}: ${error instanceof Error ? error.message : error}`);
  });
}

async function compare(objects: readonly string[], image: string, leaks = 0): Promise<void> {
  if (/"driver":"qcow2"/.test(image)) {
    // Leaks of the start image end it with status 3.
    const json = await qemuImg("check", ...objects, "--output=json", image)
      .catch((error: Error) => error.message);
    const found = JSON.parse(/\n?(\{\n[^]*\n\})/.exec(json)?.[1] ?? "") as {
      readonly [name: string]: number;
    };
    const bad = (found["corruptions"] ?? 0) + (found["check-errors"] ?? 0);
    if (bad > 0 || (found["leaks"] ?? 0) > leaks) throw new Error(`check says ${json}`);
  }
  const raw = { driver: "raw", "file.driver": "file", "file.filename": "expected" };
  await qemuImg("compare", ...objects, image, `json:${JSON.stringify(raw)}`);
}

async function checkMade([made, options, ...more]: typeof MADE[number]): Promise<void> {
  const [format = "", ...flags] = made.split(" ");
  const image = `image.${format}`;
  const bytes = new Uint8Array(SIZE);
  bytes.set(seededBytes(7)(2 ** 20), 2 ** 19);
  await Deno.writeFile(`${directory}/expected`, bytes);
  await Deno.writeTextFile(`${directory}/key`, "secret");
  const isEncrypted = format === "luks" || options.includes("encrypt");
  const keys = isEncrypted ? ["--passphrase-file", "key"] : [];
  const given = options === "" ? [] : ["-o", options];
  await diskproof("create", "-f", format, ...flags, ...given, ...keys, "--from", "expected", image);
  for (const verb of more) await diskproof(...verb.split(" "), ...keys);
  const prefix = format === "luks" ? "" : "encrypt.";
  const opened = {
    ...{ driver: format, "file.driver": "file", "file.filename": image },
    ...(isEncrypted ? { [`${prefix}key-secret`]: "s0" } : {}),
  };
  await compare(isEncrypted ? ["--object", SECRET] : [], `json:${JSON.stringify(opened)}`);
}

/** Sequences of changes by diskproof, as fuzzing draws them. */
async function checkSequence(kit: typeof changed[number], index: number): Promise<void> {
  const { value } = caseAt(statefulCases(kit), { seed: Number(seed), target: "written" }, index);
  const { start, open, leaks, options, image } = startIn(kit, value.model);
  const writer = new ReferenceFiles({ options });
  await runSequence(start, value.steps, {
    ...{ writers: [writer], everyStep: false, open, allowed: { leaks } },
  });
  const files = writer.files();
  const layers = layersOf(open(files));
  const size = layers[0]?.virtualSize ?? 0;
  if (size > SIZE_MAX || files.some(({ source }) => source.size > SIZE_MAX)) return;
  const write = async ({ name, source }: CaseFile) =>
    await Deno.writeFile(`${directory}/${name}`, source.read(0, source.size));
  for (const file of files) await write(file);
  await Deno.writeFile(`${directory}/expected`, readContent(layers, 0, size));
  const access = accessOf(start, image);
  await compare(access.objects, access.image, leaks);
}

if (import.meta.main) {
  await Deno.mkdir(directory, { recursive: true });
  print(`${(await qemuImg("--version")).split("\n")[0]} in ${root}`);
  for (const made of MADE) await checking(made.join(" "), () => checkMade(made));
  for (const kit of changed) {
    for (let index = 0; index < Number(sequences); index++) {
      const name = `sequence ${index} of ${kit.format.name}, seed ${seed}`;
      await checking(name, () => checkSequence(kit, index));
    }
  }
  await Deno.remove(directory, { recursive: true });
  print(`${count} images, ${failures} failures`);
  Deno.exit(failures === 0 ? 0 : 1);
}
