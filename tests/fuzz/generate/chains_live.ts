/** Compares built chains with qemu-img, which is given the passphrase of each encrypted image. */

import { assertEquals } from "@std/assert";
import {
  buildChain,
  type ChainModel,
  fileName,
  passphrasesOf,
} from "../../../fuzz/formats/chain/models.ts";
import { expectedDisk } from "../../../fuzz/formats/chain/disk.ts";
import type { ExpectedDisk } from "../../../fuzz/generate/disk.ts";
import type { View } from "../../../src/format/mod.ts";
import { run } from "../../qcow1/live.ts";
import { writeBuilt } from "../../qcow2/built_live.ts";

/** Files of a chain that have been written into a directory, and the options that open it. */
interface Written {
  readonly chain: ChainModel;
  readonly directory: string;
  readonly options: readonly string[];
}

/**
 * Writes a chain into an empty directory, asks qemu-img about it, and throws where the two differ.
 *
 * @param chain the top image of which is small enough to be converted as a whole
 */
export async function assertQemuReads(chain: ChainModel, directory: string): Promise<void> {
  for (const { name, built } of buildChain(chain)) writeBuilt(`${directory}/${name}`, built);
  const written = { chain, directory, options: await openingOptions(chain, directory) };
  await assertCheck(written);
  await assertContent(written, "active");
  const [top] = chain;
  if (top?.format !== "qcow2") return;
  for (const view of top.snapshots.keys()) await assertContent(written, view);
}

/** What opens the chain, with each passphrase in a file: it may be empty, or any text. */
async function openingOptions(chain: ChainModel, directory: string): Promise<string[]> {
  const objects: string[] = [];
  const image = [`driver=${chain[0]?.format}`, `file.filename=${fileName(chain, 0)}`];
  for (const [depth, passphrase] of passphrasesOf(chain).entries()) {
    if (passphrase === undefined) continue;
    await Deno.writeTextFile(`${directory}/secret-${depth}`, passphrase);
    objects.push("--object", `secret,id=s${depth},file=secret-${depth}`);
    image.push(`${"backing.".repeat(depth)}encrypt.key-secret=s${depth}`);
  }
  return [...objects, "--image-opts", image.join(",")];
}

async function assertCheck({ chain: [top], directory, options }: Written): Promise<void> {
  if (top?.format !== "qcow2") return;
  const command = ["qemu-img", "check", "--output", "json", ...options];
  const { code, stdout, stderr } = await run(command, { cwd: directory });
  const said = new TextDecoder().decode(stdout);
  const { leaks } = top.placement;
  assertEquals(code, leaks > 0 ? 3 : 0, `check: ${said}${stderr}`);
  const report = JSON.parse(said);
  assertEquals(report.leaks ?? 0, leaks);
  assertEquals(report.corruptions ?? 0, 0);
}

async function assertContent(
  { chain, directory, options }: Written,
  view: View,
): Promise<void> {
  const [top] = chain;
  const id = view === "active" || top?.format !== "qcow2" ? undefined : top.snapshots[view]?.id;
  const snapshot = id === undefined ? [] : ["-l", `snapshot.id=${id.replaceAll(",", ",,")}`];
  const command = ["qemu-img", "convert", ...snapshot, ...options, "-O", "raw", "converted"];
  const { code, stderr } = await run(command, { cwd: directory });
  assertEquals(code, 0, `convert of ${view}: ${stderr}`);
  const disk = expectedDisk(chain, view);
  const read = await Deno.readFile(`${directory}/converted`);
  assertEquals(differenceOf(read, disk), undefined, `content of ${view}`);
}

/** Where a disk is not what is expected. */
function differenceOf(read: Uint8Array, disk: ExpectedDisk): string | undefined {
  if (read.length !== disk.size) return `${read.length} bytes, not ${disk.size}`;
  const expected = disk.read(0, disk.size);
  const at = read.findIndex((byte, index) => byte !== expected[index]);
  return at < 0 ? undefined : `byte ${at} is ${read[at]}, not ${expected[at]}`;
}
