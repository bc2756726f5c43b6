import { patternBytes } from "../../src/format/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import config from "../../deno.json" with { type: "json" };
import { bundle } from "../bundle.ts";
import { type Best, inTurn, peakMemory } from "./process.ts";
import type { Aim, Row } from "./row.ts";

const MIB = 2 ** 20;
const DISK_MIB = 256;
const ROUNDS = 5;
const ROOT = new URL("../..", import.meta.url).pathname;
const QEMU = "qemu-img";

/** The verbs as whole processes, beside qemu-img with the same files in turn. */
export async function verbRows(directory: string): Promise<Row[]> {
  const [, ...words] = config.tasks.diskproof.command.split(" ");
  const options = words.slice(0, -1);
  const source = ["deno", ...options, `${ROOT}${words.at(-1)}`];
  const program = ["deno", ...options, "--no-config", bundle(`${directory}/program`)];
  return [
    ...await startRows(directory, { source, program }),
    ...await convertRows(directory, program),
    ...await checkRows(directory, program),
  ];
}

function ratio(
  what: string,
  [ours, theirs]: readonly [Best | undefined, Best | undefined],
  aim?: Aim,
): Row {
  if (ours === undefined || theirs === undefined) throw new TypeError("Cannot compare nothing");
  const ms = ({ wall, cpu }: Best): string => `${Math.round(wall)} ms (${Math.round(cpu)} CPU)`;
  return {
    ...{ what, value: ours.wall / theirs.wall, unit: "×", noise: ours.noise + theirs.noise },
    ...(aim === undefined ? {} : { aim }),
    detail: `${ms(ours)} beside ${ms(theirs)}, ${(ours.cpu / theirs.cpu).toFixed(2)} × CPU`,
  };
}

async function startRows(
  directory: string,
  { source, program }: { readonly source: readonly string[]; readonly program: readonly string[] },
): Promise<Row[]> {
  const image = `${directory}/small.qcow2`;
  const empty = `${directory}/empty.js`;
  Deno.writeTextFileSync(empty, "");
  await runTool([QEMU, "create", "-q", "-f", "qcow2", image, "10M"]);
  const names = ["an empty Deno program", "info, bundled", "info, as modules"];
  const taken = await inTurn([
    ["deno", "run", "--quiet", "--no-config", empty],
    [...program, "info", image],
    [...source, "info", image],
  ], { rounds: 3 * ROUNDS });
  return taken.map(({ wall, cpu, noise }, index) => ({
    ...{ what: names[index] ?? "", value: wall, unit: "ms", noise },
    ...(index === 1 ? { aim: { most: 45 } } : {}),
    detail: `${Math.round(cpu)} ms CPU`,
  }));
}

/** The files of a conversion. */
interface Files {
  readonly raw: string;
  /** A new file. */
  readonly out: string;
  /** An image of the form, which exists. */
  readonly image: string;
  readonly passphrase: string;
}

/** How images of the disk are written and read: the words after `convert`, for both. */
interface Form {
  readonly name: string;
  readonly aim: Aim;
  readonly write: { readonly ours: readonly string[]; readonly theirs: readonly string[] };
  readonly read: { readonly ours: readonly string[]; readonly theirs: readonly string[] };
}

function formsWith({ raw, out, image, passphrase }: Files): Form[] {
  const read = { ours: [image, out], theirs: ["-O", "raw", image, out] };
  const qcow2 = (name: string, most: number, ...options: readonly string[]): Form => {
    const words = ["-O", "qcow2", ...options, raw, out];
    return { name, aim: { most }, write: { ours: words, theirs: words }, read };
  };
  const secret = ["--object", `secret,id=key,file=${passphrase}`];
  const luks = `driver=luks,key-secret=key,file.filename=${image}`;
  const quick = ["-O", "luks", "-o", "iterations=1000", "--new-passphrase-file", passphrase];
  return [
    qcow2("plain", 1.3),
    qcow2("deflate", 0.7, "-c"),
    qcow2("zstd", 0.7, "-c", "-o", "compression_type=zstd"),
    {
      name: "LUKS",
      aim: { most: 1 },
      // qemu-img writes into a volume that exists: for a new key it measures the processor for a second.
      write: {
        ours: [...quick, raw, out],
        theirs: [...secret, "-n", "--target-image-opts", raw, luks],
      },
      read: {
        ours: ["--passphrase-file", passphrase, image, out],
        theirs: [...secret, "--image-opts", luks, "-O", "raw", out],
      },
    },
  ];
}

/** Text and noise in turn, one MiB each. */
function writeDisk(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (let index = 0; index < DISK_MIB; index++) {
    file.writeSync(patternBytes({ kind: index % 2 === 0 ? "text" : "noise", seed: index }, MIB));
  }
}

async function convertRows(directory: string, program: readonly string[]): Promise<Row[]> {
  const at = (name: string): string => `${directory}/${name}`;
  const files = { raw: at("raw"), out: at("out"), image: at("image"), passphrase: at("key") };
  const { raw, out, image } = files;
  writeDisk(raw);
  Deno.writeTextFileSync(files.passphrase, "correct horse");
  const turns = { rounds: ROUNDS, before: () => removeFile(out) };
  const rows: Row[] = [];
  for (const { name, aim, write, read } of formsWith(files)) {
    const ours = [...program, "convert"];
    await inTurn([[...ours, ...write.ours]], { ...turns, rounds: 1 });
    Deno.renameSync(out, image);
    for (const [way, words] of [["to", write], ["from", read]] as const) {
      const taken = await inTurn(
        [[...ours, ...words.ours], [QEMU, "convert", ...words.theirs]],
        turns,
      );
      const what = `convert ${DISK_MIB} MiB ${way} ${name}`;
      rows.push(ratio(what, [taken[0], taken[1]], way === "to" ? aim : undefined));
    }
    removeFile(image);
  }
  removeFile(out);
  removeFile(raw);
  return rows;
}

/** A disk of 1 TiB, all of whose tables are full. */
async function checkRows(directory: string, program: readonly string[]): Promise<Row[]> {
  const image = `${directory}/full.qcow2`;
  const full = ["-o", "preallocation=metadata"];
  await runTool([QEMU, "create", "-q", "-f", "qcow2", ...full, image, "1T"], {
    timeoutMs: 300_000,
  });
  const check = [...program, "check", image];
  const theirs = [QEMU, "check", image];
  const taken = await inTurn([check, theirs, [...program, "judge", image]], { rounds: ROUNDS });
  const [checked, checkedTheirs, judged] = taken;
  const memory = [await peakMemory(check), await peakMemory(theirs)] as const;
  removeFile(image);
  return [
    ratio("check a full disk of 1 TiB", [checked, checkedTheirs], { most: 1.2 }),
    {
      what: "memory of check",
      value: memory[0] / memory[1],
      unit: "×",
      aim: { most: 3 },
      detail: memory.map((bytes) => `${Math.round(bytes / MIB)} MiB`).join(" beside "),
    },
    ratio("judge beside check", [judged, checked], { most: 2 }),
  ];
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is not there yet.
  }
}
