import { type Options, UsageError, wholeNumber } from "../../src/cli/mod.ts";
import type { PeerLimits, PeerRun } from "./peers.ts";
import { workers } from "./process.ts";
import { type CrewOptions, parseDuration, type Tools } from "../engine/mod.ts";

/** Default time limit of a case in milliseconds. */
const TIMEOUT_DEFAULT = 10_000;

/** Default time limit of one answer of an implementation, in milliseconds. */
const ANSWER_DEFAULT = 3000;

/** Default memory limit of a jsonl: adapter in MiB. */
const PEER_MEMORY = 1024;

/** Default memory limit of a worker in MiB. */
const MEMORY_DEFAULT = 2048;
const MEBIBYTE = 2 ** 20;

/** Answers that a case may wait for, with some of them given a second time. */
const QUESTIONS_MAX = 10;

/** What one answer of an implementation that is fuzzed may cost. */
export function answerLimits(options: Options): PeerLimits {
  const memory = wholeNumber(options, "peer-memory", { min: 16, max: 2 ** 20 }) ?? PEER_MEMORY;
  return {
    timeoutMs: durationOption(options, "timeout") ?? ANSWER_DEFAULT,
    memoryLimit: memory * MEBIBYTE,
  };
}

/** The options of the crew. */
export const CREW_OPTIONS = ["timeout", "rss-limit", "peer-memory"] as const;

/**
 * The settings of the crew.
 *
 * @throws {UsageError} for invalid values
 */
export function crewOptions(
  options: Options,
  given: {
    readonly directory: string;
    readonly tools: Tools;
    readonly jobs: number;
    readonly timeout?: number;
    readonly peers?: PeerRun | undefined;
    /** Where the counts of what the workers run go. */
    readonly profiles?: string | undefined;
  },
): CrewOptions {
  const { directory, tools, jobs, peers, profiles } = given;
  const memory = wholeNumber(options, "rss-limit", { min: 256, max: 2 ** 20 }) ??
    MEMORY_DEFAULT;
  return {
    hire: workers(new URL("./worker.ts", import.meta.url)),
    jobs,
    directory,
    tools,
    // The limit of an answer is that of the implementation. One case asks several questions.
    timeout: peers === undefined
      ? durationOption(options, "timeout") ?? given.timeout ?? TIMEOUT_DEFAULT
      : QUESTIONS_MAX * answerLimits(options).timeoutMs,
    ...(peers === undefined ? {} : { settings: peers.settings }),
    ...(profiles === undefined ? {} : { profiles }),
    memoryMax: memory * MEBIBYTE,
  };
}

/**
 * The value of an option as milliseconds.
 *
 * @throws {UsageError} when it is not a duration
 */
export function durationOption(options: Options, name: string): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new UsageError(
    `--${name} must be a duration such as 60s, 5m or 1h, not '${text}'`,
  );
}

/**
 * The argument of a verb with one argument.
 *
 * @throws {UsageError} when there is none or more than one
 */
export function onlyArgument(options: Options, what: string): string {
  const [first, ...others] = options.positional;
  if (first === undefined || others.length > 0) {
    throw new UsageError(`give one ${what} (see --help)`);
  }
  return first;
}
