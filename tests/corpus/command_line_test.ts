import { assertRejects } from "@std/assert";
import { run as corpus } from "../../corpus/build/corpus.ts";
import { run as matrix } from "../../corpus/build/matrix.ts";
import { run as golden } from "../../golden/build/golden.ts";
import { UsageError } from "../../src/cli/mod.ts";

/** Command lines that would record everything again, or compare everything, if they were accepted. */
const unusable = [
  ["corpus", corpus, ["--onyl", "x"], "unknown option --onyl (did you mean --only?)"],
  ["corpus", corpus, ["build"], "unexpected argument 'build'"],
  [
    "corpus",
    corpus,
    ["--only", "no such rule"],
    "no image of the corpus has 'no such rule' in its name",
  ],
  ["corpus", corpus, ["--only"], "option --only needs a value"],
  ["corpus", corpus, ["list", "no such name"], "no recorded case is like that"],
  [
    "corpus",
    corpus,
    ["verify", "--set", "x"],
    "unknown set 'x' (supported: corpus, golden, matrix)",
  ],
  ["corpus", corpus, ["add"], "name one file (see --help)"],
  ["corpus", corpus, ["add", "/x", "--flag", "x"], "corpus/flags.json has no flag 'x'"],
  ["corpus", corpus, ["add", "/x", "--verdict", "x"], "unknown verdict 'x'"],
  ["corpus", corpus, ["add", "/no such image"], "Cannot read /no such image"],
  ["corpus", corpus, ["export"], "name one directory (see --help)"],
  ["corpus", corpus, ["export", "/tmp", "--format", "zip"], "unsupported format 'zip'"],
  ["corpus", corpus, ["export", "/tmp"], "Cannot write to /tmp: it is not empty"],
  ["corpus", corpus, ["export", "/x", "--features", "qcow9"], "unknown feature 'qcow9'"],
  ["matrix", matrix, ["verify", "--onyl", "x"], "unknown option --onyl"],
  ["matrix", matrix, ["verify", "--answers-by", "x"], "--answers-by is an option of matrix build"],
  ["matrix", matrix, [], "matrix needs one of build and verify"],
  ["matrix", matrix, ["build", "verify"], "matrix needs one of build and verify"],
  ["golden", golden, ["build", "--onyl", "x"], "unknown option --onyl (did you mean --only?)"],
  ["golden", golden, ["verfy"], "golden needs one of build, verify and combinations"],
  [
    "golden",
    golden,
    ["verify", "--only", "no such name"],
    "no golden image has 'no such name' in its name",
  ],
  ["golden", golden, ["build", "--newer", "x"], "--newer and --newer-io belong together"],
] as const;

for (const [verb, run, args, message] of unusable) {
  Deno.test(`${[verb, ...args].join(" ")} is rejected: ${message}`, async () => {
    await assertRejects(() => run(args), UsageError, message);
  });
}
