import { resolve } from "node:path";
import {
  ExecPeer,
  goldenNames,
  type GoldenReport,
  type Peer,
  type PeerDescription,
  QemuImgPeer,
  ReferencePeer,
  TallyPeer,
  verifyGolden,
} from "../peers/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { type Options, parseOptions, wholeNumber } from "./options.ts";
import { print } from "./output.ts";
import { FAILED } from "./program.ts";
import { UsageError, type Verb } from "./verb.ts";
import { jsonLines, summaryLines, type Validation, validationOf } from "./validation.ts";

const help = `diskproof validate PEER [options]

Asks an implementation about the golden images, which public qemu-img made, and about the corpus,
which has for each rule the image that breaks it and the nearest one that keeps it. Its answers are
compared with those that were recorded of public qemu-img. PEER is one of

  reference            diskproof's own implementation
  qemu-img             qemu-img on the PATH, or qemu-img:COMMAND
  exec:COMMAND         any program; words of COMMAND are split at blanks

COMMAND of exec: is an adapter. It is called as COMMAND OPERATION IMAGE in the folder of the
image, once for each question, and prints its answer as JSON:

  describe             {"name": "mine", "version": "1.0", "takes": ["passphrases", "header"]};
                       without an image, may be left out
  probe                {"format": "qcow2"}
  info, map            as qemu-img info and map print with --output=json; members of info and
                       of map entries that it leaves out are not compared
  check                as qemu-img check --output=json, and "exit-status": 63 where the format
                       has no checker
  digest               {"sha256": "…", "length": 1048576} of what a guest sees
  digest-snapshot      the same of a snapshot, whose name follows IMAGE
  digest-range         the same of a part, whose offset and length follow IMAGE

Encrypted images are asked of an adapter that takes passphrases: each comes as --passphrase-file
FILE at the end of the line, and the whole of FILE is the passphrase. The first is the image's own,
the next are those of its backing files from the top down, the last is that of all further ones.
--header FILE names a detached LUKS header; IMAGE is the payload then. What an adapter does not
take is passed over, and counted with the reason.

Its exit status is 0 for an answer, 1 when it refuses the image (why, on standard error), 3
for what it does not support. Every other end is a crash.

  --golden DIR         recorded images (may be repeated; default the golden images and the
                       corpus of this repository)
  --only TEXT          images whose name contains TEXT
  --timeout SECONDS    how long one answer may take (default 20)
  --json               a JSON object a line, for each difference and for the sums
  --help               this text

Exit status: 0 every answer as recorded, 1 one differs or the peer crashed, 2 there are no
such images, 3 the peer could not be started or broke the protocol.

Example

  deno task validate "exec:python3 adapter.py" --only snapshots
`;

const RECORDED = ["golden", "corpus"].map((set) => {
  return new URL(`../../${set}/images`, import.meta.url);
});
const SECONDS_MAX = 3600;

/** `validate`: an implementation over the golden images and the corpus. */
export const validateVerb: Verb = {
  name: "validate",
  says: "hold an implementation against the golden images and the corpus",
  help,
  needs: ["write", "run"],
  run: async (args) => {
    const options = parseOptions(args, {
      flags: ["json"],
      values: ["only", "timeout"],
      lists: ["golden"],
    });
    const peer = new TallyPeer(peerOf(options));
    const sets = setsOf(options);
    const description = await peer.describe();
    // Only qemu-img leaves out what its version does not know yet.
    const shape = description.name === "qemu-img" ? { version: description.version } : {};
    let report: GoldenReport = { images: 0, questions: 0, unsupported: 0, failures: [] };
    for (const set of sets) report = joined(report, await verifyGolden(peer, { ...set, ...shape }));
    const validation = validationOf(report, peer);
    tell(validation, description, options);
    return validation.differences.length > 0 ? FAILED : 0;
  },
};

function joined(first: GoldenReport, second: GoldenReport): GoldenReport {
  return {
    images: first.images + second.images,
    questions: first.questions + second.questions,
    unsupported: first.unsupported + second.unsupported,
    failures: [...first.failures, ...second.failures],
  };
}

function tell(validation: Validation, description: PeerDescription, options: Options): void {
  const lines = options.flag("json") ? jsonLines : summaryLines;
  for (const line of lines(validation, description)) print(line);
}

/** @throws {UsageError} when it is not one that we know */
function peerOf(options: Options): Peer {
  const [name, ...others] = options.positional;
  if (name === undefined || others.length > 0) {
    throw new UsageError("Cannot run: name one peer (--help says more)");
  }
  const seconds = wholeNumber(options, "timeout", { min: 1, max: SECONDS_MAX });
  const limits = seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
  const colon = name.indexOf(":");
  const kind = colon < 0 ? name : name.slice(0, colon);
  const command = colon < 0 ? [] : commandOf(name.slice(colon + 1));
  if (kind === "reference" && colon < 0) return new ReferencePeer();
  if (kind === "qemu-img") {
    return new QemuImgPeer({ ...limits, ...(command.length === 0 ? {} : { command }) });
  }
  if (kind === "exec" && command.length > 0) return new ExecPeer({ ...limits, command });
  throw new UsageError(`Cannot run: '${name}' is not reference, qemu-img or exec:COMMAND`);
}

/**
 * The words of a command. It runs in the folder of the image, so that what names a file here is
 * written with its full path.
 */
function commandOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "").map((word, index) =>
    (index > 0 || word.includes("/")) && isFile(word) ? resolve(word) : word
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Recorded images, and which of them. */
interface ImageSet {
  readonly images: string;
  readonly names: readonly string[];
}

/** @throws {UsageError} when there are no such images */
function setsOf(options: Options): ImageSet[] {
  const named = options.list("golden");
  const directories = named.length > 0 ? named : RECORDED.map(({ pathname }) => pathname);
  const only = options.value("only") ?? "";
  const sets = directories.map((images) => ({
    images,
    names: goldenNamesIn(images).filter((name) => name.includes(only)),
  }));
  if (sets.some(({ names }) => names.length > 0)) return sets;
  const such = only === "" ? "" : ` with '${only}' in its name`;
  throw new UsageError(`Cannot validate: no recorded image${such} in ${directories.join(" or ")}`);
}

function goldenNamesIn(images: string): string[] {
  try {
    return goldenNames(images);
  } catch (error) {
    throw new UsageError(`Cannot read golden images in ${images}: ${whyUnreadable(error)}`);
  }
}
