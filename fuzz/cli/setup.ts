import { type Options, UsageError, wholeNumber } from "../../src/cli/mod.ts";
import { workers } from "./process.ts";
import { type CrewOptions, parseDuration, type Tools } from "../engine/mod.ts";

/** Default time limit of a case in milliseconds. */
const TIMEOUT_DEFAULT = 10_000;

/** Default memory limit of a worker in MiB. */
const MEMORY_DEFAULT = 2048;
const MEBIBYTE = 2 ** 20;

/** The options of the crew. */
export const CREW_OPTIONS = ["timeout", "rss-limit"] as const;

/**
 * The settings of the crew.
 *
 * @throws {UsageError} for invalid values
 */
export function crewOptions(
  options: Options,
  given: { directory: string; tools: Tools; jobs: number; timeout?: number },
): CrewOptions {
  const { directory, tools, jobs } = given;
  const memory = wholeNumber(options, "rss-limit", { min: 256, max: 2 ** 20 }) ??
    MEMORY_DEFAULT;
  return {
    hire: workers(new URL("./worker.ts", import.meta.url)),
    jobs,
    directory,
    tools,
    timeout: durationOption(options, "timeout") ?? given.timeout ?? TIMEOUT_DEFAULT,
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
