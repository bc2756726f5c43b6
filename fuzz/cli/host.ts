import { __version as fastCheckVersion } from "fast-check";
import config from "../../deno.json" with { type: "json" };
import { UsageError } from "../../src/cli/mod.ts";
import { makeScratch } from "../../src/peers/mod.ts";
import { requireArtifacts, type Tools, type Versions } from "../engine/mod.ts";

/** The versions that a failure may depend on. */
export function versionsOf(tools: Tools): Versions {
  return {
    diskproof: config.version,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    "fast-check": fastCheckVersion,
    ...tools,
  };
}

/**
 * A path from the command line. `deno task` runs in the folder of deno.json and sets INIT_CWD to that of
 * the user.
 */
export function typedPath(path: string): string {
  if (path.startsWith("/")) return path;
  const directory = typedIn();
  return directory === undefined || directory === Deno.cwd() ? path : `${directory}/${path}`;
}

/** The same for a file that exists. Our own messages name files relative to the folder of deno.json. */
export function typedFile(path: string): string {
  const typed = typedPath(path);
  return exists(typed) ? typed : path;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function typedIn(): string | undefined {
  const granted = Deno.permissions.querySync({ name: "env", variable: "INIT_CWD" });
  return granted.state === "granted" ? Deno.env.get("INIT_CWD") : undefined;
}

/**
 * Checks that a directory can be written to, before the run.
 *
 * @throws {UsageError} when Deno has no permission for it
 * @throws {HarnessError} when writing fails
 */
export function requireWritable(directory: string): void {
  const { state } = Deno.permissions.querySync({ name: "write", path: directory });
  if (state === "granted") return requireArtifacts(directory);
  throw new UsageError(
    `Cannot write to ${directory}: Deno has no permission for it (use a folder below ./artifacts ` +
      "or /tmp, or give --allow-write to deno run)",
  );
}

/** Signals that end a run, and the exit status of a program that they end. */
const SIGNALS: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
];

/** Signals within this time are one: the terminal signals all processes, and deno task repeats it. */
const ONE_INTERRUPT = 500;

/** Called with the exit status for a run that has found nothing. */
export type InterruptListener = (status: number) => void;

/**
 * Calls `work` with a scratch folder and removes the folder afterwards. The first signal calls the
 * listeners; the second one ends the program.
 */
export async function withScratch<T>(
  work: (directory: string, onInterrupt: (listener: InterruptListener) => void) => Promise<T>,
): Promise<T> {
  const scratch = makeScratch();
  const listeners: InterruptListener[] = [];
  let first = Infinity;
  const handlers = SIGNALS.map(([signal, status]) => {
    const handler = () => {
      if (listeners.length === 0 || performance.now() - first > ONE_INTERRUPT) {
        scratch.remove();
        Deno.exit(status);
      }
      first = Math.min(first, performance.now());
      for (const listener of listeners) listener(status);
    };
    return [signal, handler] as const;
  });
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  try {
    return await work(scratch.path, (listener) => listeners.push(listener));
  } finally {
    for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
    scratch.remove();
  }
}
