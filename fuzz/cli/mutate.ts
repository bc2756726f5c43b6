import {
  type Options,
  parseOptions,
  print,
  UsageError,
  wholeNumber,
  whyUnreadable,
} from "../../src/cli/mod.ts";
import { CASES_MAX } from "../engine/mod.ts";
import { imageFormats, imageKits } from "./kits.ts";
import { MUTANT_BYTES_MAX, mutants, serveMutants } from "./mutants.ts";

const COUNT_MAX = 100_000;
const SEED_MAX = CASES_MAX - 1;

/** The text of `mutate --help`. */
export const help = `diskproof mutate IMAGE --out DIR [options]
       diskproof mutate --stdin [options]

Edits an image at random in the way in which fuzz does: fields get values at their bounds, offsets
point to other structures, entries are swapped, checksums are made right again. IMAGE may be
malformed. Bytes of no known format become a generated image.

  --out DIR            write the results to DIR as 0-IMAGE, 1-IMAGE, …, and print their edits
  --count N            the number of results, up to ${COUNT_MAX} (default 1)
  --seed N             where the edits come from: a whole number below 2^32 (default 0)
  --format NAME        ${imageFormats.join(", ")}: the formats that are edited and generated
                       (may be repeated; default all)
  --stdin              serve a custom mutator of AFL++ or libFuzzer until standard input ends; see
                       examples/custom-mutator
  --help               this text

With --stdin, all numbers are 32-bit and big-endian. A request is a seed, a number of results, their
largest length in bytes, the length of an image, and the image. The answer is the length and the
bytes of each result. The longest image has ${MUTANT_BYTES_MAX} bytes.

The same bytes, seed and options give the same results in the same release.

Exit status: 0 success, 2 the command line or the image cannot be used, or a request is malformed.

Example

  diskproof mutate disk.qcow2 --count 20 --seed 7 --out mutants
`;

/** `mutate`: edits images at random. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["stdin"],
    values: ["out", "count", "seed"],
    lists: ["format"],
  });
  const mutant = mutants(imageKits(options.list("format")));
  if (!options.flag("stdin")) return mutateFile(options, mutant);
  const [unexpected] = [
    ...options.positional,
    ...["out", "count", "seed"].filter((name) => options.value(name) !== undefined)
      .map((name) => `--${name}`),
  ];
  if (unexpected !== undefined) {
    throw new UsageError(`${unexpected} and --stdin cannot be combined`);
  }
  const pipe = { input: Deno.stdin.readable, output: Deno.stdout.writable };
  await serveMutants(pipe, MUTANT_BYTES_MAX, (bytes, order) => mutant(bytes, order).bytes);
  return 0;
}

function mutateFile(
  options: Options,
  mutant: ReturnType<typeof mutants>,
): number {
  const [path, unexpected] = options.positional;
  if (path === undefined) throw new UsageError("name an image (see --help)");
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const out = options.value("out");
  if (out === undefined) throw new UsageError("name a folder with --out (see --help)");
  const count = wholeNumber(options, "count", { min: 1, max: COUNT_MAX }) ?? 1;
  const seed = wholeNumber(options, "seed", { min: 0, max: SEED_MAX }) ?? 0;
  const bytes = readImage(path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (let index = 0; index < count; index++) {
    const number = String(index).padStart(String(count - 1).length, "0");
    const written = `${out}/${number}-${name}`;
    const result = mutant(bytes, { seed, index, sizeMax: MUTANT_BYTES_MAX });
    try {
      Deno.mkdirSync(out, { recursive: true });
      Deno.writeFileSync(written, result.bytes);
    } catch (error) {
      throw new UsageError(`Cannot write to ${written}: ${whyUnreadable(error)}`);
    }
    print([written, ...result.says.split("\n")].join("\n  "));
  }
  return 0;
}

function readImage(path: string): Uint8Array {
  try {
    const { size } = Deno.statSync(path);
    if (size <= MUTANT_BYTES_MAX) return Deno.readFileSync(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${whyUnreadable(error)}`);
  }
  throw new UsageError(`Cannot mutate ${path}: it is longer than ${MUTANT_BYTES_MAX} bytes`);
}
