import {
  didYouMean,
  KNOWN_HELP,
  type Options,
  parseOptions,
  print,
  reportFiles,
  UsageError,
  type Verb,
  wholeNumber,
} from "../../src/cli/mod.ts";
import { catalogue } from "../../src/formats.ts";
import { PeerError, type ToolName } from "../../src/peers/mod.ts";
import {
  CASES_MAX,
  Crew,
  fuzz,
  type Plan,
  STATUS,
  type Target,
  type Tools,
} from "../engine/mod.ts";
import { peerTargets } from "../peer/mod.ts";
import { targets as ownTargets } from "../targets/mod.ts";
import {
  CORPUS_FLAGS,
  CORPUS_HELP,
  corpusOf,
  mergeFolders,
  minimizeCorpus,
  reportUnread,
} from "./corpus.ts";
import { coverageOf, writeCoverage } from "./coverage.ts";
import { requireWritable, typedFile, typedPath, versionsOf, withScratch } from "./host.ts";
import { HumanReporter } from "./human.ts";
import { emit, JsonReporter } from "./json_lines.ts";
import { type FindingOptions, Findings } from "./findings.ts";
import { describePeers } from "./peers.ts";
import { answerLimits, CREW_OPTIONS, crewOptions, durationOption } from "./setup.ts";
import { casesOfEarlierRuns } from "./stored.ts";
import { table } from "./table.ts";
import { Terminal } from "./terminal.ts";
import { findTools, missingLine, missingTools, requireTools, workingTools } from "./tools.ts";

const help = `diskproof fuzz [TARGET…] [options]

Fuzzes the named targets, or all but the canaries, and reports the failures.

  --time DURATION    time for all targets together: 60s, 5m, 1h, or a number of seconds
                     (default 60s; without limit if --runs is given)
  --shrink-time DURATION
                     time after that for making failures smaller (default half of --time, at
                     most 1m)
  --runs N           number of cases of each target (of all shards together)
  --seed N           seed of the cases: a whole number below 2^32 or the hash of a commit
                     (default: random; it is printed)
  --shard I/N        run the part I of N of the cases, such as 2/8: shards with the same --seed
                     have no case in common, and all N together have every case
  --target NAME      same as TARGET
  --peer PEER        fuzz this implementation: jsonl:COMMAND, exec:COMMAND or module:FILE (see
                     docs/adapter.md); may be repeated. The targets are then those named peer-…
  --jobs N           number of workers (default 1)
${KNOWN_HELP}
  --out DIR          folder for a folder for each finding about a peer (default findings)
  --report KIND=FILE write a report about the peers: json, junit, sarif, markdown, html or badge
                     (may be repeated; see docs/validate.md)
  --embargo          count findings that can be used for an attack, and do not show them
  --timeout DURATION time limit of one case (default 10s), or of one answer of a peer (default 3s)
  --rss-limit MIB    memory limit of one worker (default 2048)
  --peer-memory MIB  memory limit of a jsonl: peer (default 1024)
  --artifacts DIR    folder for failing cases (default artifacts); those in it are run first, within
                     a tenth of the time
${CORPUS_HELP}
  --coverage FILE    write how often each target has reached each rule, as text or, for a name that
                     ends in .json, as JSON; for .lcov or .info, the line coverage of src/, which
                     makes cases slower
  --json             print one JSON object per line, each with an event, instead of text
  --require-tools    fail with exit status 3 if a tool that a target needs or uses is missing
  --list             print the targets
  --help             this text

Exit status: 0 no failures, 1 failures, 2 invalid command line, 3 a tool is broken, a tool that
a named target needs is missing, no peer answers a question, a target cannot be started, a folder
cannot be written to, or the machine has no space left. If a run is interrupted before it finds a
failure: 130 (SIGINT), 143 (SIGTERM), 129 (SIGHUP).

A failing case is made smaller and written to artifacts/crash-… (or timeout-…, oom-…), with a
description in the .json beside it; diskproof repro runs it again. A case that hangs is stopped
and reported, and the run continues. Ctrl-C ends the run early with its report; a second Ctrl-C
ends it at once.

Example: ten minutes on two workers, with the seed of an earlier run

  diskproof fuzz --time 10m --jobs 2 --seed 1803551234
`;

const TIME_DEFAULT = 60_000;
/** Upper limit of the default of `--shrink-time`. */
const SHRINK_TIME_MAX = 60_000;
const JOBS_MAX = 256;
const ARTIFACTS_DEFAULT = "artifacts";

/** `diskproof fuzz`: fuzzes the targets. */
export const fuzzVerb: Verb = {
  help,
  run: async (args) => {
    const options = parseOptions(args, {
      flags: ["list", "json", "require-tools", ...CORPUS_FLAGS, ...FINDING_FLAGS],
      values: [
        ...["time", "shrink-time", "runs", "seed", "shard", "jobs", "artifacts"],
        ...["corpus", "coverage"],
        ...CREW_OPTIONS,
        ...FINDING_VALUES,
      ],
      lists: ["target", "peer", "report"],
    });
    const peers = await describePeers(options.list("peer"), answerLimits(options));
    const targets = peers === undefined ? ownTargets : peerTargets(peers.peers);
    if (options.flag("list")) return list(targets, options.flag("json"));
    const json = options.flag("json");
    const corpus = corpusOf(options);
    if (corpus !== undefined && options.flag("merge")) {
      const folders = options.positional.map(typedFile);
      return mergeFolders(corpus, folders, { targets, artifacts: artifactsOf(options), json });
    }
    const named = [...options.positional, ...options.list("target")];
    const chosen = chosenTargets(targets, named);
    const found = await findTools(chosen);
    const tools = workingTools(found);
    const findings = peers && new Findings(peers.peers, findingOptions(options));
    const plan = {
      ...planOf(options, chosen, tools),
      ...planFor(findings, options),
      // With --runs, the cases depend on the seed alone.
      ...(corpus === undefined ? {} : { corpus, guided: options.value("runs") === undefined }),
    };
    const jobs = wholeNumber(options, "jobs", { min: 1, max: JOBS_MAX }) ?? 1;
    requireWritable(plan.artifacts);
    const asked = (tool: ToolName) =>
      named.length > 0 && chosen.some(({ needs }) => needs?.includes(tool) === true);
    requireTools(found, chosen, options.flag("require-tools") ? () => true : asked);
    for (const missing of missingTools(found, chosen)) {
      if (json) emit("missing-tool", { ...missing });
      else print(missingLine(missing));
    }
    return withScratch(async (directory, onInterrupt) => {
      const coverage = coverageOf(options);
      const profiles = coverage?.isLcov === true ? `${directory}/profiles` : undefined;
      const settings = crewOptions(options, { directory, tools, jobs, peers, profiles });
      const crew = new Crew(settings);
      onInterrupt((status) => crew.interrupt(status));
      if (corpus !== undefined && options.flag("minimize-corpus")) {
        return await minimizeCorpus(corpus, chosen, { crew, json });
      }
      const reporter = json ? new JsonReporter() : new HumanReporter(new Terminal());
      const summary = await fuzz(plan, crew, reporter);
      await crew.dismissed();
      if (coverage !== undefined) await writeCoverage(coverage.path, summary, profiles);
      if (corpus !== undefined) reportUnread(corpus, json);
      await findings?.report(summary);
      const isSilent = summary.status === STATUS.ok && summary.counts.cases === 0;
      if (peers !== undefined && isSilent) {
        throw new PeerError("Cannot fuzz: the implementations have answered no question");
      }
      return summary.status;
    });
  },
};

/** Options of findings about implementations. */
const FINDING_FLAGS = ["strict-known", "embargo"] as const;
const FINDING_VALUES = ["known", "write-known", "out"] as const;
const OUT_DEFAULT = "findings";

/** @throws {UsageError} when there is no implementation to which they apply */
function requirePeers(options: Options): void {
  const given = FINDING_FLAGS.filter((name) => options.flag(name));
  const [first] = [
    ...given,
    ...FINDING_VALUES.filter((name) => options.value(name) !== undefined),
    ...(options.list("report").length > 0 ? ["report"] : []),
  ];
  if (first !== undefined) throw new UsageError(`--${first} needs --peer`);
}

function findingOptions(options: Options): FindingOptions {
  const path = (name: "known" | "write-known"): string | undefined => {
    const typed = options.value(name);
    return typed === undefined ? undefined : typedPath(typed);
  };
  return {
    known: path("known"),
    writeKnown: path("write-known"),
    out: typedPath(options.value("out") ?? OUT_DEFAULT),
    embargo: options.flag("embargo"),
    json: options.flag("json"),
    reports: reportFiles(options).map((file) => ({ ...file, path: typedPath(file.path) })),
  };
}

function planFor(
  findings: Findings | undefined,
  options: Options,
): Pick<Plan, "ledger" | "strictKnown"> {
  if (findings !== undefined) {
    return { ledger: findings.ledger, strictKnown: options.flag("strict-known") };
  }
  requirePeers(options);
  return {};
}

function list(targets: readonly Target[], json: boolean): number {
  if (json) {
    for (const { name, says, weight, needs = [], uses = [], onlyByName = false } of targets) {
      print(JSON.stringify({ name, says, weight, needs, uses, onlyByName }));
    }
    return STATUS.ok;
  }
  const rows = targets.map(({ name, says, needs = [], uses = [], onlyByName }) => {
    const marks = [
      needs.length > 0 ? `needs ${needs.join(" and ")}` : undefined,
      uses.length > 0 ? `uses ${uses.join(" and ")}` : undefined,
      onlyByName === true ? "only by name" : undefined,
    ].filter((mark) => mark !== undefined);
    return [name, marks.length === 0 ? says : `${says} (${marks.join(", ")})`];
  });
  print(table(["target", "property"], rows));
  return STATUS.ok;
}

function chosenTargets(targets: readonly Target[], names: readonly string[]): Target[] {
  if (names.length === 0) {
    const usual = targets.filter((target) => target.onlyByName !== true);
    if (usual.length === 0) throw new UsageError("there are no targets but canaries");
    return usual;
  }
  const known = targets.map((target) => target.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    throw new UsageError(`unknown target ${name}${meant === "" ? " (see --list)" : meant}`);
  }
  return targets.filter((target) => names.includes(target.name));
}

function planOf(options: Options, chosen: readonly Target[], tools: Tools): Plan {
  const runs = wholeNumber(options, "runs", { min: 1, max: CASES_MAX - 1 });
  const milliseconds = durationOption(options, "time") ??
    (runs === undefined ? TIME_DEFAULT : Infinity);
  const artifacts = artifactsOf(options);
  return {
    targets: chosen,
    seed: seedOf(options.value("seed")),
    ...shardOf(options.value("shard"), options.value("seed")),
    milliseconds,
    shrinkMilliseconds: durationOption(options, "shrink-time") ??
      Math.min(milliseconds / 2, SHRINK_TIME_MAX),
    runs: runs ?? Infinity,
    artifacts,
    stored: casesOfEarlierRuns(artifacts, chosen),
    versions: versionsOf(tools),
    rules: catalogue.map((rule) => rule.id),
  };
}

function artifactsOf(options: Options): string {
  const directory = options.value("artifacts");
  return directory === undefined ? ARTIFACTS_DEFAULT : typedPath(directory);
}

/** The hash of a commit gives each commit other cases, and the same ones in each run. */
function seedOf(text: string | undefined): number {
  if (text === undefined) return crypto.getRandomValues(new Uint32Array(1))[0] as number;
  if (/^[0-9a-f]{40}$/.test(text)) return parseInt(text.slice(0, 8), 16);
  const seed = /^\d+$/.test(text) ? Number(text) : NaN;
  if (seed < 2 ** 32) return seed;
  throw new UsageError(
    `--seed must be a whole number below 2^32 or the hash of a commit, not '${text}'`,
  );
}

const SHARDS_MAX = 2 ** 16;

function shardOf(text: string | undefined, seed: string | undefined): Pick<Plan, "shard"> {
  if (text === undefined) return {};
  const [, index = NaN, of = NaN] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (!(index >= 1 && index <= of && of <= SHARDS_MAX)) {
    throw new UsageError(
      `--shard must be I/N with I from 1 to N and N at most ${SHARDS_MAX}, such as 2/8, not '${text}'`,
    );
  }
  if (seed === undefined) {
    throw new UsageError("--shard needs --seed: all shards have the same one");
  }
  return { shard: { first: index - 1, of } };
}
