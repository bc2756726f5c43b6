import { type Peer, TallyPeer } from "../peers/mod.ts";
import {
  archivesIn,
  joinReports,
  readArchive,
  recordNames,
  verifyArchive,
  type VerifyOptions,
  verifyRecords,
  type VerifyReport,
} from "../recorded/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { type Options, parseOptions, wholeNumber } from "./options.ts";
import { print } from "./output.ts";
import { type NamedPeer, namedPeer, PEERS_HELP } from "./peers.ts";
import { FAILED } from "./program.ts";
import { UsageError, type Verb } from "./verb.ts";
import { ValidationProgress } from "./validate_progress.ts";
import { jsonLines, summaryLines, validationOf } from "./validation.ts";

const help = `diskproof validate PEER [options]

Compares the answers of an implementation with recorded ones: about the golden images, which public
qemu-img made; about the corpus, which has for each rule an image that breaks it and the nearest one
that keeps it; and about the matrix, a LUKS volume of each combination of cipher, key, mode, IV
generator and hash. The answers were recorded of public qemu-img and of cryptsetup. PEER is one of

${PEERS_HELP}

An adapter connects an implementation in any language. docs/adapter.md describes it; 'diskproof
adapter new' writes one to start from, and 'diskproof adapter doctor' checks it. What an adapter
answers is compared with what the format expects: an image that breaks the format may always be
rejected, and members of info and of map entries that the adapter leaves out are not compared.
Images that need what an adapter does not support are skipped, and counted with the reason.

A recorded crash, hang or wrong answer is not an expected result for other implementations: they are
compared with another version's answer, or else with the verdict of diskproof. The tool itself may
crash, hang or be wrong as is recorded of the same version or of the nearest one; those are counted,
and those that are gone are listed.

Each difference is printed when it is found, with what the image breaks or keeps (its name begins
with the rule) and the option that queries it again. The progress is on standard error. The files of
an image are DIR/NAME/FILE.gz; in an archive they are NAME/FILE.

  --golden DIR         recorded images, or archives of them (may be repeated; default the golden
                       images, the corpus and the matrix of this repository)
  --only TEXT          images whose name contains TEXT
  --timeout SECONDS    how long one answer may take (default 20)
  --check-protocol     an answer of an adapter that does not match the schema of the protocol is
                       malformed
  --json               a JSON object a line, for each difference and for the sums
  --help               this text

Exit status: 0 every answer as recorded, 1 one differs, is malformed or missing because the peer
crashed or timed out, 2 there are no such images, 3 the peer cannot be started.

Example

  deno task validate "exec:python3 adapter.py" --only snapshots
`;

const RECORDED = ["golden/images", "corpus/images", "corpus/matrix"].map((set) => {
  return new URL(`../../${set}`, import.meta.url);
});
const SECONDS_MAX = 3600;

/** `validate`: an implementation over the golden images and the corpus. */
export const validateVerb: Verb = {
  help,
  run: async (args) => {
    const options = parseOptions(withDashedText(args), {
      flags: ["json", "check-protocol"],
      values: ["only", "timeout"],
      lists: ["golden"],
    });
    const asked = peerOf(options);
    try {
      return await validate(asked, options);
    } finally {
      await asked.peer.close?.();
    }
  },
};

/** Names of images end in `-breaks` and `-keeps`: such a value of `--only` is not an option. */
function withDashedText(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (joined.at(-1) === "--only" && /^-[^-]/.test(arg)) joined.splice(-1, 1, `--only=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

async function validate(asked: NamedPeer, options: Options): Promise<number> {
  const peer = new TallyPeer(asked.peer);
  const sets = setsOf(options);
  const description = await peer.describe();
  // Only qemu-img leaves out what its version does not know yet.
  const shape = description.name === "qemu-img" ? { version: description.version } : {};
  const json = options.flag("json");
  const images = sets.reduce((sum, { names }) => sum + names.length, 0);
  const progress = new ValidationProgress({ images, json });
  const reports: VerifyReport[] = [];
  try {
    for (const set of sets) {
      reports.push(
        await set.verify(peer, {
          ...shape,
          by: asked.comparedWith,
          onSkipped: peer.skip.bind(peer),
          onImage: progress.image.bind(progress),
        }),
      );
    }
  } finally {
    progress.end();
  }
  const validation = validationOf(joinReports(reports), peer);
  const lines = json ? jsonLines : summaryLines;
  for (const line of lines(validation, description)) print(line);
  return validation.differences.length > 0 ? FAILED : 0;
}

/** @throws {UsageError} when there is no such peer */
function peerOf(options: Options): NamedPeer {
  const [name, ...others] = options.positional;
  if (name === undefined || others.length > 0) {
    throw new UsageError("name one peer (see --help)");
  }
  const seconds = wholeNumber(options, "timeout", { min: 1, max: SECONDS_MAX });
  return namedPeer(name, {
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
    strict: options.flag("check-protocol"),
  });
}

type Asking = Pick<VerifyOptions, "version" | "by" | "onSkipped" | "onImage">;

/** Recorded images. */
interface ImageSet {
  readonly names: readonly string[];
  /** Compares a peer with them, as a given version of qemu-img or without one. */
  verify(peer: Peer, asking: Asking): Promise<VerifyReport>;
}

/** @throws {UsageError} when there are no such images */
function setsOf(options: Options): ImageSet[] {
  const named = options.list("golden");
  const directories = named.length > 0 ? named : RECORDED.map(({ pathname }) => pathname);
  const only = options.value("only") ?? "";
  const sets = directories.flatMap((images) => setsIn(images, only))
    .filter(({ names }) => names.length > 0);
  if (sets.length > 0) return sets;
  const such = only === "" ? "" : ` with '${only}' in its name`;
  throw new UsageError(`Cannot validate: no recorded image${such} in ${directories.join(" or ")}`);
}

/** The images of a directory, and those of the archives in it, whose names contain a text. */
function setsIn(images: string, only: string): ImageSet[] {
  const chosen = (names: readonly string[]) => names.filter((name) => name.includes(only));
  const names = chosen(recordNamesIn(images));
  const packed = archivesIn(images).map((archive): ImageSet => {
    const names = chosen(readArchive(archive).map(({ record }) => record.name));
    return { names, verify: (peer, asking) => verifyArchive(peer, { archive, names, ...asking }) };
  });
  return [
    { names, verify: (peer, asking) => verifyRecords(peer, { images, names, ...asking }) },
    ...packed,
  ];
}

function recordNamesIn(images: string): string[] {
  try {
    return recordNames(images);
  } catch (error) {
    throw new UsageError(`Cannot read golden images in ${images}: ${whyUnreadable(error)}`);
  }
}
