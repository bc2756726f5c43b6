import { parseOptions, print, UsageError, type Verb } from "../../src/cli/mod.ts";
import { Crew, type Fault, type Replay, replay, STATUS } from "../engine/mod.ts";
import { factsOfSidecar, failureText } from "./failure_text.ts";
import { versionsOf, withScratch } from "./host.ts";
import { emit } from "./json_lines.ts";
import { describePeers } from "./peers.ts";
import { answerLimits, CREW_OPTIONS, crewOptions, onlyArgument } from "./setup.ts";
import { noteVersions, type StoredCase, storedCase } from "./stored.ts";
import { findTools, requireTools, workingTools } from "./tools.ts";

const help = `diskproof repro FILE [options]

Runs a stored case again. FILE is an artifact of diskproof fuzz (crash-…,
timeout-…, oom-…) or the .json beside it. Both must exist.

  --peer PEER        the implementation, for a case of a target named peer-…
  --timeout DURATION time limit of the case (default: that of the run that found it)
  --rss-limit MIB    memory limit of the worker (default 2048)
  --json             print one JSON object instead of text
  --help             this text

Exit status: 0 the case passes, 1 it fails (the output says whether it fails as before), 2 the
file cannot be used, 3 a tool that the case needs does not work.

Example

  diskproof repro artifacts/crash-da39a3ee5e6b4b0d3255bfef95601890afd80709
`;

/** `diskproof repro FILE`: runs a case again. */
export const reproVerb: Verb = {
  help,
  run: async (args) => {
    const options = parseOptions(args, {
      flags: ["json"],
      values: CREW_OPTIONS,
      lists: ["peer"],
    });
    const peers = await describePeers(options.list("peer"), answerLimits(options));
    const stored = storedCase(onlyArgument(options, "artifact"), peers);
    const { sidecar, target } = stored;
    const found = await findTools([target]);
    requireTools(found, [target], (tool) => target.needs?.includes(tool) === true);
    const tools = workingTools(found);
    return withScratch(async (directory) => {
      const { timeout } = sidecar;
      const crew = new Crew(crewOptions(options, { directory, tools, jobs: 1, timeout, peers }));
      const outcome = await replay(sidecar, crew);
      if (options.flag("json")) return tellProgram(stored, outcome);
      noteVersions(sidecar, versionsOf(tools));
      return tellPerson(stored, outcome);
    });
  },
};

const STATUS_OF: Readonly<Record<Replay["verdict"], number>> = {
  same: STATUS.failed,
  other: STATUS.failed,
  passed: STATUS.ok,
  "skipped": STATUS.peer,
  unusable: STATUS.unusable,
};

function tellProgram({ sidecar, artifact }: StoredCase, outcome: Replay): number {
  const { target, kind, signature } = sidecar;
  emit("replayed", { artifact, target, stored: { kind, signature }, ...outcome });
  return STATUS_OF[outcome.verdict];
}

function tellPerson(stored: StoredCase, outcome: Replay): number {
  const { artifact, sidecar } = stored;
  const { verdict, fault, reason, changedFiles } = outcome;
  if (verdict === "unusable") throw new UsageError(`Cannot replay ${artifact}: ${reason}`);
  if (changedFiles.length > 0) {
    print(`note: this version builds ${changedFiles.join(", ")} with different bytes`);
  }
  if (fault !== undefined) print(failureText(factsOfSidecar(sidecar, fault, artifact)));
  print(conclusion(stored, verdict, { fault, reason }));
  return STATUS_OF[verdict];
}

function conclusion(
  { artifact, sidecar }: StoredCase,
  verdict: Replay["verdict"],
  details: { fault: Fault | undefined; reason: string | undefined },
): string {
  const { kind, signature } = sidecar;
  if (verdict === "same") return `${artifact} fails as before: ${kind}, ${signature}`;
  if (verdict === "passed") return `${artifact} passes now; it failed with ${kind}, ${signature}`;
  if (verdict === "skipped") return `${artifact} was skipped: ${details.reason}`;
  const { fault } = details;
  return `${artifact} fails differently: ${fault?.kind}, ${fault?.signature}; ` +
    `it failed with ${kind}, ${signature}`;
}
