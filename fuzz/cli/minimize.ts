import { parseOptions, print, UsageError, type Verb } from "../../src/cli/mod.ts";
import { Crew, minimize, STATUS, writeArtifact } from "../engine/mod.ts";
import { factsOfFailure, failureText } from "./failure_text.ts";
import { requireWritable, typedPath, versionsOf, withScratch } from "./host.ts";
import { describePeers } from "./peers.ts";
import { answerLimits, CREW_OPTIONS, crewOptions, durationOption, onlyArgument } from "./setup.ts";
import { storedCase } from "./stored.ts";
import { findTools, requireTools, workingTools } from "./tools.ts";

const help = `diskproof minimize FILE [options]

Makes a failing case smaller, as long as it fails in the same way. FILE
is an artifact of diskproof fuzz (crash-…, timeout-…, oom-…) or the .json beside it. It is not
changed: the smaller case is written as a new artifact.

  --time DURATION    time limit (default 5m)
  --peer PEER        the implementation, for a case of a target named peer-…
  --timeout DURATION time limit of one case (default: that of the run that found it)
  --rss-limit MIB    memory limit of the worker (default 2048)
  --artifacts DIR    folder for the smaller case (default artifacts)
  --help             this text

Exit status: 0 the case was made smaller or is as small as possible, 1 it does not fail in the
same way any more, 2 the file cannot be used, 3 a tool that the case needs does not work.

Example

  diskproof minimize artifacts/crash-da39a3ee5e6b4b0d3255bfef95601890afd80709 --time 1m
`;

const TIME_DEFAULT = 300_000;

/** `diskproof minimize FILE`: makes a case smaller. */
export const minimizeVerb: Verb = {
  help,
  run: async (args) => {
    const options = parseOptions(args, {
      values: ["time", "artifacts", ...CREW_OPTIONS],
      lists: ["peer"],
    });
    const peers = await describePeers(options.list("peer"), answerLimits(options));
    const stored = storedCase(onlyArgument(options, "artifact"), peers);
    const { sidecar, artifact, target: fuzzed } = stored;
    if (sidecar.case === undefined) {
      throw new UsageError(`Cannot minimize ${artifact}: the case cannot be generated`);
    }
    const directory = typedPath(options.value("artifacts") ?? "artifacts");
    requireWritable(directory);
    const time = durationOption(options, "time") ?? TIME_DEFAULT;
    const found = await findTools([fuzzed]);
    requireTools(found, [fuzzed], (tool) => fuzzed.needs?.includes(tool) === true);
    const tools = workingTools(found);
    return withScratch(async (scratch, onInterrupt) => {
      const crew = new Crew(crewOptions(options, {
        directory: scratch,
        tools,
        jobs: 1,
        timeout: sidecar.timeout,
        peers,
      }));
      onInterrupt((status) => crew.interrupt(status));
      const smaller = await minimize(sidecar, crew, time);
      if (typeof smaller === "string") {
        print(`${artifact} cannot be made smaller: ${smaller}`);
        return STATUS.failed;
      }
      const { target, seed } = sidecar;
      const { timeout } = crew.options;
      const content = { target, seed, found: smaller, timeout, versions: versionsOf(tools) };
      const written = writeArtifact(directory, content);
      print(failureText(factsOfFailure({ ...content, artifact: written })));
      const same = written.endsWith(artifact.slice(artifact.lastIndexOf("/") + 1));
      const complete = smaller.shrink?.complete === true;
      const unchanged = complete
        ? "is as small as possible"
        : "was not made smaller within the time limit";
      print(same ? `${artifact} ${unchanged}` : `${written} is smaller`);
      return STATUS.ok;
    });
  },
};
