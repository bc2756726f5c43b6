import { resolve } from "node:path";
import {
  CryptsetupPeer,
  ExecPeer,
  type Peer,
  QemuImgPeer,
  ReferencePool,
  TallyPeer,
} from "../peers/mod.ts";
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
import { FAILED } from "./program.ts";
import { UsageError, type Verb } from "./verb.ts";
import { ValidationProgress } from "./validate_progress.ts";
import { jsonLines, summaryLines, validationOf } from "./validation.ts";

const help = `diskproof validate PEER [options]

Compares the answers of an implementation with recorded ones: about the golden images, which public
qemu-img made; about the corpus, which has for each rule an image that breaks it and the nearest one
that keeps it; and about the matrix, a LUKS volume of each combination of cipher, key, mode, IV
generator and hash. The answers were recorded of public qemu-img and of cryptsetup. PEER is one of

  reference            diskproof's own implementation
  qemu-img             qemu-img on the PATH, or qemu-img:COMMAND
  cryptsetup           cryptsetup on the PATH, or cryptsetup:COMMAND; for LUKS volumes alone
  exec:COMMAND         any program; words of COMMAND are split at blanks

The COMMAND of exec: is an adapter. It is called as COMMAND OPERATION IMAGE in the folder of the
image, once for each question and for several images at a time, and prints its answer as JSON:

  describe             {"name": "mine", "version": "1.0", "takes": ["passphrases", "header"],
                       "formats": ["luks", "luks2"], "operations": ["info", "unlock"]};
                       without an image; optional, and so is each of its members
  probe                {"format": "qcow2"}
  info, map            as qemu-img info and map print with --output=json; members of info and
                       of map entries that the adapter leaves out are not compared
  check                as qemu-img check --output=json, and "exit-status": 63 where the format
                       has no checker
  digest               {"sha256": "…", "length": 1048576} of the guest content
  digest-snapshot      the same of a snapshot, whose name follows IMAGE
  digest-range         the same of a part, whose offset and length follow IMAGE
  unlock               {"slot": 3}: the key slot of a LUKS volume that the passphrase opens, or {}
                       where that is not known; rejected where the passphrase opens none. The
                       passphrase does not matter for info: nothing in it is encrypted. A digest
                       is rejected where the passphrase opens nothing

An adapter is queried for the formats and operations that it describes itself to have: without them,
for raw, qcow, qcow2 and luks, which is version 1, and for everything but unlock. For luks2, LUKS
version 2, the expected info is what cryptsetup's luksDump accepts or rejects; of its
"format-specific" only the members are compared that "data" has in common with {"uuid": …,
"label": …, "subsystem": …, "seqid": 3, "keyslots": [{"id": "0", "type": "luks2"}]}, and
"virtual-size" is not compared.

An adapter that accepts passphrases is queried for encrypted images. Each passphrase is a
--passphrase-file FILE at the end of the line, and the whole of FILE is the passphrase. The first is
the image's own, the next are those of its backing files from the top down, the last is that of all
further ones. --header FILE names a detached LUKS header; IMAGE is the payload then. Images that
need what an adapter does not take are skipped, and counted with the reason.

The exit status of an adapter is 0 for an answer, 1 when it rejects the image (with the reason on
standard error), 3 for what it does not support. Every other exit status is a crash, and so is 1
with the stack of an exception of Python or JavaScript on standard error. An answer that is not
JSON, or has another shape, is reported as malformed-answer with what was printed; validate goes on.

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
      flags: ["json"],
      values: ["only", "timeout"],
      lists: ["golden"],
    });
    const asked = peerOf(options);
    try {
      return await validate(asked, options);
    } finally {
      await asked.close?.();
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

async function validate(asked: Peer, options: Options): Promise<number> {
  const peer = new TallyPeer(asked);
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
          by: asked instanceof ExecPeer ? "format" as const : "record" as const,
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
function peerOf(options: Options): Peer {
  const [name, ...others] = options.positional;
  if (name === undefined || others.length > 0) {
    throw new UsageError("name one peer (see --help)");
  }
  const seconds = wholeNumber(options, "timeout", { min: 1, max: SECONDS_MAX });
  const limits = seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
  const colon = name.indexOf(":");
  const kind = colon < 0 ? name : name.slice(0, colon);
  const command = colon < 0 ? [] : commandOf(name.slice(colon + 1));
  if (kind === "reference" && colon < 0) return new ReferencePool();
  const called = { ...limits, ...(command.length === 0 ? {} : { command }) };
  if (kind === "qemu-img") return new QemuImgPeer({ ...called, steady: true });
  if (kind === "cryptsetup") return new CryptsetupPeer(called);
  if (kind === "exec" && command.length > 0) return new ExecPeer({ ...limits, command });
  const known = "reference, qemu-img, cryptsetup or exec:COMMAND";
  throw new UsageError(`'${name}' is not ${known}`);
}

/**
 * The words of a command. The command runs in the folder of the image, so words that name files get
 * their full path.
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
