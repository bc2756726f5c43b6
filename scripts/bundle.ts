/**
 * Writes the verbs of the library as a few JavaScript files, which start in a third of the time.
 *
 * Usage: deno task bundle [FOLDER]
 *
 * @module
 */

const ROOT = new URL("..", import.meta.url).pathname;
const SRC = `${ROOT}src/`;
/** The program, and what it starts as workers. */
const ENTRIES = [
  "cli/main.ts",
  "cli/digest_worker.ts",
  "peers/module/worker.ts",
  "peers/reference/worker.ts",
] as const;

/**
 * Writes the bundle into a folder two levels below the repository, or anywhere else if no verb needs
 * the repository.
 *
 * @returns the path of the program
 * @throws {Error} when it cannot be made
 */
export function bundle(folder: string): string {
  const whole = `${folder}/whole`;
  denoBundle(["--code-splitting", `--outdir=${whole}`, ...ENTRIES.map((path) => SRC + path)]);
  for (const { name, isFile } of Deno.readDirSync(whole)) {
    if (!isFile) continue;
    const path = `${whole}/${name}`;
    Deno.writeTextFileSync(path, withBundledWorkers(Deno.readTextFileSync(path)));
  }
  // Minified text is half as long and read in less time, but does not say which module a worker is of.
  const entries = ENTRIES.map((path) => `${whole}/${path.replace(/\.ts$/, ".js")}`);
  denoBundle(["--code-splitting", "--minify", `--outdir=${folder}`, ...entries]);
  Deno.removeSync(whole, { recursive: true });
  return `${folder}/cli/main.js`;
}

/**
 * Runs `deno bundle` in the root of the project.
 *
 * @throws {Error} when it fails
 */
export function denoBundle(args: readonly string[]): void {
  const { success, stderr } = new Deno.Command("deno", {
    args: ["bundle", "--quiet", ...args],
    cwd: ROOT,
    stdout: "null",
  }).outputSync();
  if (!success) throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
}

/** The text of a chunk with the bundled workers. Before the text of a module, a chunk has its path. */
function withBundledWorkers(text: string): string {
  let module = "";
  return text.split("\n").map((line) => {
    module = /^\/\/ src\/(.*)$/.exec(line)?.[1] ?? module;
    return line.replace(/new URL\("\.\/(\w+)\.ts", import\.meta\.url\)/, (_, name) => {
      const worker = ENTRIES.find((path) => path === module.replace(/[^/]*$/, `${name}.ts`));
      if (worker === undefined) throw new Error(`Cannot bundle the worker ${name}.ts of ${module}`);
      return `new URL("./${worker.replace(/\.ts$/, ".js")}", import.meta.url)`;
    });
  }).join("\n");
}

if (import.meta.main) {
  const [folder = `${ROOT}dist/program`] = Deno.args;
  Deno.stdout.writeSync(new TextEncoder().encode(`${bundle(folder)}\n`));
}
