import {
  type ConformanceReport,
  findingLines,
  type KnownFinding,
  PeerCollector,
  type PeerResult,
  summaryLine,
  withKnown,
} from "../conformance/mod.ts";
import { type PeerDescription, PeerError, TallyPeer } from "../peers/mod.ts";
import {
  type ImageRecord,
  type QuestionResult,
  type StoredImage,
  verifyEach,
} from "../recorded/mod.ts";
import { shellWord } from "../report/mod.ts";
import { KNOWN_HELP, readKnown, writeKnown } from "./known_file.ts";
import { type Options, parseOptions, wholeNumber } from "./options.ts";
import { print } from "./output.ts";
import { type NamedPeer, namedPeer, PEERS_HELP } from "./peers.ts";
import { FAILED } from "./program.ts";
import { recordedImages } from "./recorded_images.ts";
import {
  recordedPictures,
  REPORT_HELP,
  reportFiles,
  type ReportOptions,
  writeReports,
} from "./report_files.ts";
import { UsageError, type Verb } from "./verb.ts";
import { ValidationProgress } from "./validate_progress.ts";
import {
  failureJson,
  jsonLines,
  reportedFailures,
  summaryLines,
  type Validation,
  validationOf,
} from "./validation.ts";

const help = `diskproof validate PEER… [options]

Compares implementations with recorded images: the golden images, which public tools made; the
corpus, which has for each rule an image that breaks it and the nearest one that keeps it; and the
matrix, a LUKS volume of each combination of cipher, key, mode, IV generator and hash.

PEER is one of

${PEERS_HELP}

An adapter connects an implementation in any language. docs/adapter.md describes it; 'diskproof
adapter new' writes one to start from, and 'diskproof adapter doctor' checks it. The answers of an
adapter are compared with what the format expects, and those of the tools and of the reference with
what is recorded of the tools. A crash, hang or wrong answer that is recorded of a tool is expected
of that tool alone.

Wrong answers are grouped by their cause, the most severe first: a feature that all failing images
need, a rule, or an image. docs/validate.md describes the report. Progress is on standard error.

  --golden DIR         recorded images, or archives of them (may be repeated; default the golden
                       images, the corpus and the matrix of this repository)
  --only TEXT          images whose name contains TEXT, or matches it if it has * or ?
  --case NAME          the image with exactly this name (may be repeated)
  --timeout SECONDS    how long one answer may take (default 20)
  --check-protocol     an answer of an adapter that does not match the schema of the protocol is
                       malformed
${KNOWN_HELP}
${REPORT_HELP}
  --all                list all images of a finding, and all reasons for missing answers
  --json               a JSON object a line, for each wrong answer, each finding and the sums
  --help               this text

Exit status: 0 every answer is as expected or known, 1 there is a new finding, 2 there are no such
images, 3 a peer cannot be started, or answers no question.

Example

  deno task validate "exec:python3 adapter.py" --only snapshots
`;

const SECONDS_MAX = 3600;
/** Adapters that answer at the same time: most of them read files, or start. */
const ADAPTERS_AT_ONCE = Math.min(8, 2 * navigator.hardwareConcurrency);

/** `validate`: implementations over the golden images, the corpus and the matrix. */
export const validateVerb: Verb = {
  help,
  run: async (args) => {
    const options = parseOptions(withDashedText(args), {
      flags: ["all", "check-protocol", "embargo", "json", "strict-known"],
      values: ["known", "only", "timeout", "write-known"],
      lists: ["case", "golden", "report"],
    });
    const named = peersOf(options);
    try {
      return await validate(named, options, args);
    } finally {
      for (const { peer } of named) await peer.close?.();
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

/** @throws {UsageError} when there is no such peer */
function peersOf(options: Options): NamedPeer[] {
  if (options.positional.length === 0) throw new UsageError("name a peer (see --help)");
  const seconds = wholeNumber(options, "timeout", { min: 1, max: SECONDS_MAX });
  const limits = {
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
    strict: options.flag("check-protocol"),
    atOnce: ADAPTERS_AT_ONCE,
  };
  return options.positional.map((text) => namedPeer(text, limits));
}

/** What all peers are compared with. */
interface Run {
  readonly images: readonly StoredImage[];
  readonly known: readonly KnownFinding[];
  readonly when: string;
  readonly options: Options;
  readonly progress: ValidationProgress;
}

async function validate(
  peers: readonly NamedPeer[],
  options: Options,
  args: readonly string[],
): Promise<number> {
  const files = reportFiles(options);
  const images = recordedImages({
    directories: options.list("golden"),
    names: options.list("case"),
    only: options.value("only") ?? "",
  });
  const isPart = options.value("only") !== undefined || options.list("case").length > 0;
  const strict = options.flag("strict-known");
  if (strict && isPart) {
    throw new UsageError("--strict-known needs all images, without --only and --case");
  }
  const knownFile = options.value("known");
  const known = knownFile === undefined ? [] : readKnown(knownFile);
  const descriptions: PeerDescription[] = [];
  for (const { peer } of peers) descriptions.push(await peer.describe());
  const progress = new ValidationProgress({ images: images.length * peers.length });
  const run: Run = { images, known, when: new Date().toISOString(), options, progress };
  const results: PeerResult[] = [];
  try {
    for (const peer of peers) {
      const { validation, result } = await compare(peer, run);
      progress.clear();
      results.push(isPart ? { ...result, notMet: [] } : result);
      printResult(validation, results.at(-1) ?? result, options);
    }
  } finally {
    progress.end();
  }
  const command = ["deno task validate", ...args.map(shellWord)].join(" ");
  const report = { version: await ownVersion(), when: run.when, command, peers: results };
  if (!options.flag("json")) { for (const result of results) print(summaryLine(result, report)); }
  const written = options.value("write-known");
  if (written !== undefined) writeKnown(written, known, results.flatMap((it) => it.findings));
  writeReports(report, { files, embargo: options.flag("embargo"), pictures: pictures(options) });
  const silent = results.find((result) => !isPart && result.unsupported === result.questions);
  if (silent !== undefined) {
    throw new PeerError(`Cannot validate ${silent.name}: it has answered no question`);
  }
  return hasFailed(report, strict) ? FAILED : 0;
}

/** Pictures of recorded images: the bytes are marked in which one that breaks a rule differs. */
function pictures(options: Options): ReportOptions["pictures"] {
  let byName: Map<string, StoredImage> | undefined;
  return (name) => {
    byName ??= new Map(
      recordedImages({ directories: options.list("golden") }).map((image) => [image.name, image]),
    );
    const image = byName.get(name)?.load();
    const nearest = byName.get(name.replace(/-breaks$/, "-keeps"));
    const isBroken = name.endsWith("-breaks");
    return image === undefined
      ? []
      : recordedPictures(image, isBroken ? nearest?.load() : undefined);
  };
}

async function ownVersion(): Promise<string> {
  const { default: config } = await import("../../deno.json", { with: { type: "json" } });
  return config.version;
}

/** A known finding is met if any of the implementations has it. */
function hasFailed({ peers }: ConformanceReport, strict: boolean): boolean {
  const isFresh = peers.some(({ findings }) => findings.some(({ known }) => known === undefined));
  const isGone = peers[0]?.notMet.some(({ slug }) =>
    peers.every(({ notMet }) => notMet.some((it) => it.slug === slug))
  );
  return isFresh || strict && isGone === true;
}

/** Asks one implementation about all images. */
async function compare(
  { peer: asked, text, comparedWith }: NamedPeer,
  { images, known, when, options, progress }: Run,
): Promise<{ validation: Validation; result: PeerResult }> {
  const peer = new TallyPeer(asked);
  const { name, version } = await peer.describe();
  const collected = new PeerCollector();
  const onImage = (record: ImageRecord, results: readonly QuestionResult[]) => {
    const reported = results.map((result) => {
      return { ...result, failures: reportedFailures(result.failures) };
    });
    collected.add(record, reported);
    const failures = reported.flatMap((result) => result.failures);
    progress.image(failures.length);
    if (!options.flag("json")) return;
    const { changes = [] } = record;
    for (const failure of failures) print(failureJson(failure, { peer: name, changes }));
  };
  const report = await verifyEach(peer, images.map(({ load }) => load), {
    // Only qemu-img leaves out what its version does not know yet.
    ...(name === "qemu-img" ? { version } : {}),
    by: comparedWith,
    ...(comparedWith === "format" ? { atOnce: ADAPTERS_AT_ONCE } : {}),
    onSkipped: peer.skip.bind(peer),
    onImage,
  });
  const commands = (image: string) => commandsOf(image, { text, options });
  const all = collected.findings({ when, commands });
  const { notMet, findings } = withKnown(all, known);
  const validation = validationOf(report, peer);
  return {
    validation,
    result: {
      ...{ name, version, findings, notMet },
      ...{ images: report.images, questions: report.questions, unsupported: report.unsupported },
      lacking: report.lacking ?? {},
      skipped: validation.passedOver,
      features: collected.features,
    },
  };
}

/** The commands that ask one implementation about one image, and that write the files of the image. */
function commandsOf(image: string, { text, options }: { text: string; options: Options }) {
  const folders = options.list("golden").map((directory) => ` --golden ${shellWord(directory)}`);
  const golden = folders.join("");
  return {
    reproduce: `deno task validate ${shellWord(text)}${golden} --case ${shellWord(image)}`,
    writeOut: `deno task diskproof corpus show ${shellWord(image)}${golden} --out DIR`,
  };
}

function printResult(validation: Validation, result: PeerResult, options: Options): void {
  if (options.flag("json")) {
    for (const line of jsonLines(validation, result)) print(line);
    return;
  }
  const all = options.flag("all");
  for (const finding of result.findings) {
    for (const line of [...findingLines(finding, { all }), ""]) print(line);
  }
  for (const line of [...summaryLines(validation, result, { all }), ""]) print(line);
}
