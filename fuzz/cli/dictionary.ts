import { parseOptions, print, UsageError, writeReportFile } from "../../src/cli/mod.ts";
import type { Kit } from "../formats/mod.ts";
import { type Engine, engineNames, tokensOf, tokenText } from "../mutate/mod.ts";
import { imageFormats, imageKits } from "./kits.ts";

/** The text of `dictionary --help`. */
export const help = `diskproof dictionary --for ENGINE [options]

Prints a dictionary for another fuzzer: magics, named values, feature bits and the bounds of fields
as an image stores them, names of ciphers and hashes, and words of the LUKS2 JSON. It is made from
the descriptions of the structures.

  --for ENGINE         ${
  engineNames.join(" or ")
} (also for Jazzer.js, go-fuzz and honggfuzz: libfuzzer).
                       For afl, bounds of fields have level 1: afl-fuzz -x FILE@1 uses them too.
  --format NAME        ${imageFormats.join(", ")} (may be repeated; default all)
  --out FILE           write to FILE
  --help               this text

Exit status: 0 success, 2 the command line cannot be used or the file cannot be written.

Example

  diskproof dictionary --for libfuzzer --format qcow2 --out qcow2.dict
`;

/** `dictionary`: the tokens of formats for a fuzzer. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, { values: ["for", "out"], lists: ["format"] });
  const [unexpected] = options.positional;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const engine = engineOf(options.value("for"));
  const text = dictionaryOf(imageKits(options.list("format")), engine);
  const out = options.value("out");
  if (out === undefined) print(text);
  else writeReportFile(out, `${text}\n`);
  return Promise.resolve(0);
}

/** The tokens of formats, one in each line after a line that names the formats. */
export function dictionaryOf(kits: readonly Kit[], engine: Engine): string {
  const tokens = tokensOf(
    kits.map(({ format: { structures }, edits: { dictionary } = {} }) => ({
      structures,
      ...(dictionary === undefined ? {} : { dictionary }),
    })),
    engine,
  );
  const title = `# ${kits.map(({ format }) => format.name).join(", ")}: ${tokens.length} tokens`;
  return [title, ...tokens.map((token) => tokenText(token, engine))].join("\n");
}

function engineOf(text: string | undefined): Engine {
  if (text === undefined) throw new UsageError("name a fuzzer with --for (see --help)");
  const found = engineNames.find((name) => name === text);
  if (found === undefined) {
    throw new UsageError(`--for must be ${engineNames.join(" or ")}, not '${text}'`);
  }
  return found;
}
