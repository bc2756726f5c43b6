/**
 * Runs the tests. Words of the command line go to `deno test`.
 *
 * Usage: deno task test [FILE…] [OPTION…]
 *
 * @module
 */
import { resolve } from "node:path";

const ROOT = new URL("..", import.meta.url).pathname;
/** What every test may do. */
export const TEST_PERMISSIONS: readonly string[] = [
  ...["--allow-read", "--allow-write=/tmp", "--allow-env=DISKPROOF_REQUIRE_TOOLS"],
  "--allow-run=deno,qemu-img,qemu-io,qemu-nbd,cryptsetup,luksdeinfo,tar,node,npm,/bin/sh,/usr/bin/env",
];
const FLAGS = ["--no-check", "--no-prompt", "--doc", "--parallel", "--preload=tests/seed.ts"];
/** What has examples in its comments, which are tests. */
export const DOCUMENTED: readonly string[] = [
  ...["mod.ts", "exports", "src/layout", "src/qcow2/build", "src/qcow2/create"],
  ...["src/image/create", "src/qcow1"],
];
/** Files of tests that share a module. */
const GROUP = 8;

/** Paths of all files of tests in a folder and the folders in it, in order. */
function testsIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return testsIn(path);
    return name.endsWith("_test.ts") ? [path] : [];
  });
}

/**
 * Writes modules that import several files of tests each. A file of its own loads and compiles all that
 * it imports again, which often takes longer than its tests.
 */
function writeGroups(folder: string): void {
  const files = testsIn(`${ROOT}tests`);
  for (let at = 0; at < files.length; at += GROUP) {
    const imports = files.slice(at, at + GROUP).map((file) => `import ${JSON.stringify(file)};\n`);
    const number = String(at / GROUP).padStart(3, "0");
    Deno.writeTextFileSync(`${folder}/${number}_test.ts`, imports.join(""));
  }
}

/** Whether a word of the command line names files of tests; others are options and their values. */
function isPath(word: string, at: number, words: readonly string[]): boolean {
  if (word.startsWith("-") || words[at - 1] === "--filter") return false;
  try {
    Deno.statSync(resolve(ROOT, word));
    return true;
  } catch {
    return false;
  }
}

async function main(words: readonly string[]): Promise<number> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "diskproof-tests-" });
  try {
    const all = words.some(isPath) ? [] : [folder, ...DOCUMENTED];
    if (all.length > 0) writeGroups(folder);
    const command = new Deno.Command("deno", {
      args: ["test", ...FLAGS, ...TEST_PERMISSIONS, ...all, ...words],
      cwd: ROOT,
    });
    return (await command.spawn().status).code;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
