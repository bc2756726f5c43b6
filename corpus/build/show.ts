import {
  parseOptions,
  print,
  recordedImages,
  UsageError,
  whyUnreadable,
} from "../../src/cli/mod.ts";
import type { Expectation } from "../../src/expect/mod.ts";
import { visible } from "../../src/format/mod.ts";
import { type PackedImage, unpackPacked } from "../../src/recorded/mod.ts";

/**
 * `corpus show`: prints what a recorded image is and what is expected, and writes its files.
 *
 * @throws {UsageError} when there is no such image, or its files cannot be written
 */
export function show(args: readonly string[]): number {
  const options = parseOptions(args, { values: ["out"], lists: ["golden"] });
  const [name, ...others] = options.positional;
  if (name === undefined || others.length > 0) throw new UsageError("name one image (see --help)");
  const [stored] = recordedImages({ directories: options.list("golden"), names: [name] });
  if (stored === undefined) throw new UsageError(`no recorded image '${name}'`);
  const image = stored.load();
  for (const line of describe(image)) print(visible(line));
  const out = options.value("out");
  if (out !== undefined) writeOut(image, out);
  return 0;
}

/** A recorded image in lines for a person. */
export function describe({ record }: PackedImage): string[] {
  const { name, features, changes = [], commands, files, passphrases = [], expected } = record;
  const { shows, happened, flags } = record;
  return [
    `${name}: ${features.join(", ")}`,
    ...(shows === undefined ? [] : [`  shows: ${shows}`]),
    ...(happened === undefined ? [] : [`  happened: ${happened}`]),
    ...(flags === undefined ? [] : [`  flags: ${flags.join(", ")}`]),
    ...commands.map(({ argv }) => `  made by: ${argv.join(" ")}`),
    ...changes.map((change) => `  change: ${change}`),
    ...files.map((file) => `  file: ${file.name}, ${file.size} bytes`),
    ...passphrases.map((passphrase) => `  passphrase: ${passphrase}`),
    ...(expected === undefined ? [] : [`  requires: ${expected.features.join(", ")}`]),
    ...Object.entries(expected?.answers ?? {}).map(([question, expectation]) =>
      `  ${question}: ${textOf(expectation)}`
    ),
  ];
}

function textOf({ verdict, reason, rules = [] }: Expectation): string {
  const because = [...(reason === undefined ? [] : [reason]), ...rules];
  return because.length === 0 ? verdict : `${verdict} (${because.join(", ")})`;
}

function writeOut(image: PackedImage, out: string): void {
  try {
    Deno.mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new UsageError(`Cannot make ${out}: ${whyUnreadable(error)}`);
  }
  const { files, subject } = image.record;
  const there = files.find(({ name }) => exists(`${out}/${name}`));
  if (there !== undefined) {
    throw new UsageError(`Cannot write to ${out}/${there.name}: it exists already`);
  }
  unpackPacked(image, out);
  print(
    `wrote ${files.map(({ name }) => name).join(", ")} to ${out}; the image is ${out}/${subject}`,
  );
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
