import { doctor } from "./adapter/doctor.ts";
import { LANGUAGES, newAdapter } from "./adapter/new.ts";
import { didYouMean } from "./nearest.ts";
import { UsageError } from "./verb.ts";

/** The text of `--help`. */
export const help = `diskproof adapter doctor PEER [options]
diskproof adapter new --language LANGUAGE [options]

An adapter connects an implementation in any language to diskproof; docs/adapter.md is the contract.

'doctor' queries an adapter for a dozen small images. It prints what the adapter says of itself,
which answers are right, and what is wrong with the protocol: no JSON, a wrong exit status, other
output between the answers, unknown names, rounded numbers. PEER is jsonl:COMMAND, exec:COMMAND or
module:FILE.

  --timeout SECONDS    how long one answer may take (default 20)
  --check-protocol     accepted, as by validate: doctor always checks each answer with its schema

'new' writes an adapter to start from. It answers every question with "unsupported" until it is
filled in.

  --language LANGUAGE  ${LANGUAGES.join(", ")}
  --out DIR            the folder to write to (default .); existing files are not replaced

  --help               this text

Exit status: 0 all is well, 1 something is wrong with the adapter, 2 invalid command line or a file
cannot be written, 3 the adapter cannot be started.

Examples

  diskproof adapter new --language python --out my-adapter
  diskproof adapter doctor "jsonl:python3 my-adapter/adapter.py"
`;

const WORDS: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  doctor,
  new: newAdapter,
};

/** `adapter`: checks an adapter, or writes one to start from. */
export async function run([word, ...args]: string[]): Promise<number> {
  const work = word === undefined || !Object.hasOwn(WORDS, word) ? undefined : WORDS[word];
  if (work !== undefined) return await work(args);
  const words = Object.keys(WORDS);
  if (word === undefined) throw new UsageError(`name ${words.join(" or ")} (see --help)`);
  throw new UsageError(
    `'${word}' is not ${words.join(" or ")}${didYouMean(word, words, "'", "'")}`,
  );
}
