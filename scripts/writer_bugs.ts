/**
 * Plants bugs in the writers of a copy of the sources, one at a time, and measures how long the stateful
 * fuzz targets take to find each.
 */

import { print } from "../src/cli/mod.ts";
import { withScratch } from "../src/peers/mod.ts";

/** A bug: a text of a file that is replaced by another one. */
interface Bug {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly by: string;
  /** The target that finds it. */
  readonly target: string;
}

const WRITE = "src/qcow2/write";
const MANAGE = "src/qcow2/manage";

const BUGS: readonly Bug[] = [
  {
    name: "clusters are freed before the entries that replace theirs",
    file: `${WRITE}/image.ts`,
    text: "if (clusters.count > 0) this.#freed.push(clusters);",
    by: "if (clusters.count > 0) this.#release(clusters);",
    target: "stateful-crash",
  },
  {
    name: "the last of several clusters is not counted",
    file: `${WRITE}/refcounts.ts`,
    text: "this.add({ first, count }, 1);",
    by: "this.add({ first, count: Math.max(1, count - 1) }, 1);",
    target: "stateful",
  },
  {
    name: "a new refcount block overlaps the cluster before it",
    file: `${WRITE}/refcounts.ts`,
    text: "this.#addBlocks(missing, first + count);",
    by: "this.#addBlocks(missing, first + count - 1);",
    target: "stateful",
  },
  {
    name: "the copied flag stays set after a snapshot",
    file: `${MANAGE}/trees.ts`,
    text: "if ((high & flag) === copied) continue;",
    by: "if ((high & flag) === copied || copied === 0) continue;",
    target: "stateful",
  },
  {
    name: "clusters that a snapshot shares are written in place",
    file: `${WRITE}/guest_write.ts`,
    text: "(high & entryBits.copied.high) !== 0;",
    by: "high >= 0;",
    target: "stateful",
  },
  {
    name: "the zero flag is lost",
    file: `${WRITE}/zeroes.ts`,
    text: "return { high, low: (low | entryBits.zero.low) >>> 0, allocated: 0, zero: 0 };",
    by: "return { high, low, allocated: 0, zero: 0 };",
    target: "stateful",
  },
  {
    name: "subclusters are not marked as allocated",
    file: `${WRITE}/guest_write.ts`,
    text: "allocated: ((isWhole ? ALL_SUBCLUSTERS : entry.allocated) | mask) >>> 0,",
    by: "allocated: (isWhole ? ALL_SUBCLUSTERS : entry.allocated || mask) >>> 0,",
    target: "stateful",
  },
  {
    name: "subclusters stay marked as zeros",
    file: `${WRITE}/guest_write.ts`,
    text: "zero: isWhole ? 0 : (entry.zero & ~mask) >>> 0,",
    by: "zero: isWhole ? 0 : entry.zero,",
    target: "stateful",
  },
  {
    name: "a partial write copies nothing from the backing file",
    file: `${WRITE}/cluster_content.ts`,
    text: 'else if (state === "unallocated") image.below?.readInto(cluster.guest + at, part);',
    by: "",
    target: "stateful",
  },
  {
    name: "a write to a compressed cluster loses the rest of it",
    file: `${WRITE}/cluster_content.ts`,
    text: "target.set(decompressed(image, cluster).subarray(at, end), at - from);",
    by: "decompressed(image, cluster);",
    target: "stateful",
  },
  {
    name: "compressed data is never freed",
    file: `${WRITE}/entry_changes.ts`,
    text: "if (!isKept) this.#image.free(old);",
    by: "if (!isKept && !isCompressed(before)) this.#image.free(old);",
    target: "stateful",
  },
  {
    name: "entries are written before the data that they refer to is durable",
    file: `${WRITE}/entry_changes.ts`,
    text: "if (isNew || afterData) this.#image.barrier();",
    by: "",
    target: "stateful-crash",
  },
  {
    name: "a flush does not reach the external data file",
    file: `${WRITE}/image.ts`,
    text: "  flush(): void {\n    this.dataFile?.flush();",
    by: "  flush(): void {",
    target: "stateful-crash",
  },
  {
    name: "a write of zeros to a compressed cluster keeps it",
    file: `${WRITE}/zeroes.ts`,
    text: 'kind === "compressed" || unmap && isAllocated ? NONE : entry;',
    by: "unmap && isAllocated ? NONE : entry;",
    target: "stateful",
  },
  {
    name: "a discard keeps the content",
    file: `${WRITE}/zeroes.ts`,
    text: "return { ...NONE, low: image.version < 3 ? 0 : entryBits.zero.low };",
    by: "return entry;",
    target: "stateful",
  },
  {
    name: "bitmaps do not track writes",
    file: `${WRITE}/editor.ts`,
    text: "this.bitmaps.mark(offset, length);",
    by: "",
    target: "stateful",
  },
  {
    name: "a deleted snapshot keeps its clusters",
    file: `${MANAGE}/snapshots.ts`,
    text: "countTree(image, kept, { transition, delta: -1 });",
    by: "",
    target: "stateful",
  },
  {
    name: "a disk that grows shows a longer backing file",
    file: `${MANAGE}/resize.ts`,
    text: "if (isLonger) zeroGuest(image, start, { length: end - start, unmap: false });",
    by: "",
    target: "stateful",
  },
];

const COPIED = ["src", "fuzz", "exports", "scripts", "mod.ts", "deno.json", "deno.lock"];
const SECONDS_MAX = 60;

/** What a run of a target on a copy found. */
interface Found {
  readonly cases: number;
  readonly seconds: number;
  readonly signature?: string;
}

/** Runs cases up to the first failure, in the copy. */
const RUNNER = `
import { caseAt } from "./fuzz/engine/random.ts";
import { targets } from "./fuzz/targets/mod.ts";
const [name, seed, directory] = Deno.args;
const target = targets.find((it) => it.name === name);
const cases = target.cases();
const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
for (let index = 0; ; index++) {
  try {
    if (seconds() > ${SECONDS_MAX}) {
      console.log(JSON.stringify({ cases: index, seconds: seconds() }));
      break;
    }
    const { value } = caseAt(cases, { seed: Number(seed), target: name }, index);
    await target.run(value, { directory, tools: {} });
  } catch (error) {
    const signature = error.signature ?? String(error);
    console.log(JSON.stringify({ cases: index + 1, seconds: seconds(), signature }));
    break;
  }
}
`;

async function copyTo(directory: string): Promise<void> {
  const { code } = await new Deno.Command("cp", { args: ["-r", ...COPIED, directory] }).output();
  if (code !== 0) throw new Error("Cannot copy the sources");
  Deno.writeTextFileSync(`${directory}/runner.ts`, RUNNER);
}

async function find({ target }: Bug, seed: number, directory: string): Promise<Found> {
  const args = ["run", "--quiet", "--no-check", "--no-prompt", "--allow-read", "runner.ts", target];
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: [...args, `${seed}`, directory],
    cwd: directory,
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(text) as Found;
}

/** @returns how many bugs were missed */
async function main(): Promise<number> {
  const [only = "", seed = "1"] = Deno.args.filter((it) => it !== "--");
  let missed = 0;
  for (const bug of BUGS.filter(({ name }) => name.includes(only))) {
    await withScratch(async (directory) => {
      await copyTo(directory);
      const path = `${directory}/${bug.file}`;
      const parts = Deno.readTextFileSync(path).split(bug.text);
      if (parts.length < 2) throw new Error(`${bug.file} has no '${bug.text}'`);
      Deno.writeTextFileSync(path, parts.join(bug.by));
      const { cases, seconds, signature } = await find(bug, Number(seed), directory);
      if (signature === undefined) missed++;
      const time = `${seconds.toFixed(1)} s, ${cases} cases`;
      print(
        signature === undefined
          ? `MISSED  ${time}: ${bug.name}`
          : `found   ${time}: ${bug.name} (${signature})`,
      );
    }, "/tmp");
  }
  return missed;
}

if (import.meta.main && await main() > 0) Deno.exit(1);
