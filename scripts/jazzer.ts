/**
 * Writes what Jazzer.js, ClusterFuzzLite and OSS-Fuzz need for each target that needs no tool:
 * NAME.mjs (one file for Node), NAME.options, for images NAME.dict, and NAME_seeds, a folder.
 * mutator.mjs is `mutate --stdin` for Node.
 *
 * Usage: deno task jazzer [FOLDER]
 *
 * @module
 */

import * as fc from "fast-check";
import { join } from "node:path";
import ts from "typescript";
import { MemorySource } from "../src/bytes/mod.ts";
import { detect } from "../src/image/mod.ts";
import { readRecord, readRecordFiles, recordNames } from "../src/recorded/mod.ts";
import { dictionaryOf } from "../fuzz/cli/dictionary.ts";
import { drawsOf, editsOf, filesOf, images, type Kit, sourceOf } from "../fuzz/formats/mod.ts";
import { type JazzerTarget, jazzerTargets } from "../fuzz/jazzer/mod.ts";
import { denoBundle } from "./bundle.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** The longest image in bytes: longer ones are slow, and show little more. */
const IMAGE_MAX = 65536;
/** The same for LUKS, whose key material takes space. */
const VOLUME_MAX = 2 ** 18;
/** The longest input of choices: more choices than a case has. */
const CHOICES_MAX = 4096;
const GENERATED = 200;
const CHOSEN = 64;

/** Bundles a module into one file for Node 22, which has no `using`. */
function bundle(module: string, path: string): void {
  denoBundle(["--output", path, module]);
  const { outputText } = ts.transpileModule(Deno.readTextFileSync(path), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  Deno.writeTextFileSync(path, outputText);
}

/** Stands for the name of a target in what is bundled once for all of them. */
const NAME = "name of the target";

/** Writes the functions of the targets. */
function writeTargets(folder: string): void {
  const [entry, bundled] = [join(folder, "entry.ts"), join(folder, "entry.mjs")];
  Deno.writeTextFileSync(
    entry,
    `import { entryOf } from "${ROOT}fuzz/jazzer/mod.ts";\nexport const fuzz = entryOf("${NAME}");\n`,
  );
  bundle(entry, bundled);
  const text = Deno.readTextFileSync(bundled);
  for (const target of jazzerTargets) {
    Deno.writeTextFileSync(join(folder, `${target.name}.mjs`), text.replace(NAME, target.name));
    writeOptions(folder, target);
  }
  for (const file of [entry, bundled]) Deno.removeSync(file);
  bundle("fuzz/jazzer/mutator.ts", join(folder, "mutator.mjs"));
}

function imageMax(format: string): number {
  return format.startsWith("luks") ? VOLUME_MAX : IMAGE_MAX;
}

function writeOptions(folder: string, { name, input, format = "" }: JazzerTarget): void {
  const length = input === "image" ? imageMax(format) : CHOICES_MAX;
  const dictionary = input === "image" ? [`dict = ${name}.dict`] : [];
  const lines = ["[libfuzzer]", `max_len = ${length}`, ...dictionary, "close_fd_mask = 1"];
  Deno.writeTextFileSync(join(folder, `${name}.options`), `${lines.join("\n")}\n`);
}

/** Images that the kit generates, and those of the corpus that are as short. */
function* seedImages(kit: Kit): Generator<Uint8Array> {
  const sizeMax = imageMax(kit.format.name);
  const draws = fc.tuple(kit.models("open"), drawsOf(kit, "open"), fc.boolean());
  for (const [model, drawn, isEdited] of fc.sample(draws, { numRuns: GENERATED, seed: 1 })) {
    const source = sourceOf(filesOf(kit, model, isEdited ? editsOf(kit, model, drawn) : []));
    if (source.size <= sizeMax) yield source.read(0, source.size);
  }
  const corpus = join(ROOT, "corpus/images");
  for (const name of recordNames(corpus)) {
    const record = readRecord(corpus, name);
    const at = record.files.findIndex((file) => file.name === record.subject);
    if ((record.files[at]?.size ?? Infinity) > sizeMax) continue;
    const bytes = readRecordFiles(corpus, record)[at];
    if (bytes !== undefined && detect(new MemorySource(bytes)) === kit.format) yield bytes;
  }
}

function writeSeeds(folder: string, seeds: Iterable<Uint8Array>): number {
  Deno.mkdirSync(folder);
  let count = 0;
  for (const bytes of seeds) {
    Deno.writeFileSync(join(folder, String(count++).padStart(4, "0")), bytes);
  }
  return count;
}

/** Choices that differ in every byte. */
function seedChoices(): Uint8Array[] {
  const lengths = fc.uint8Array({ minLength: 64, maxLength: 1024, size: "max" });
  return fc.sample(lengths, { numRuns: CHOSEN, seed: 1 }).map((bytes) => Uint8Array.from(bytes));
}

function main(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  writeTargets(folder);
  for (const { name, format } of jazzerTargets) {
    const kit = images.find((kit) => kit.format.name === format);
    if (kit !== undefined) {
      const dictionary = dictionaryOf([kit], "libfuzzer");
      Deno.writeTextFileSync(join(folder, `${name}.dict`), `${dictionary}\n`);
    }
    const count = writeSeeds(join(folder, `${name}_seeds`), kit ? seedImages(kit) : seedChoices());
    Deno.stdout.writeSync(new TextEncoder().encode(`${name}: ${count} seeds\n`));
  }
}

if (import.meta.main) {
  const [folder = join(ROOT, "dist/jazzer")] = Deno.args;
  if (Deno.args.length === 0) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
  main(folder);
}
