import { __version as fastCheckVersion } from "fast-check";
import config from "../../deno.json" with { type: "json" };
import { UsageError } from "../../src/cli/verb.ts";
import { makeScratch } from "../../src/peers/mod.ts";
import type { Tools, Versions } from "../engine/mod.ts";

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
 * A path as it was typed. `deno task` runs from the folder of deno.json, whatever folder the user is
 * in, and leaves that one in INIT_CWD.
 */
export function typedPath(path: string): string {
  if (path.startsWith("/")) return path;
  const directory = typedIn();
  return directory === undefined || directory === Deno.cwd() ? path : `${directory}/${path}`;
}

/** The same for a file that exists: our own messages name files from the folder of deno.json. */
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
 * Makes sure that a directory may be written to before hours are spent on what goes there.
 *
 * @throws {UsageError} where Deno was not given the permission
 */
export function requireWritable(directory: string): void {
  const { state } = Deno.permissions.querySync({ name: "write", path: directory });
  if (state === "granted") return;
  throw new UsageError(
    `Cannot write to ${directory}: Deno has no permission for it (use a folder below ./artifacts ` +
      "or /tmp, or give --allow-write to deno run)",
  );
}

/** Signals that ask a run to end. */
const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Exit status of what was interrupted twice, or has nothing to tell before it ends. */
const INTERRUPTED = 130;

/** Signals within so many milliseconds are one: deno task passes on what the terminal sends to all. */
const ONE_INTERRUPT = 500;

/** A directory that is gone when the work is done, however it ends. */
export async function withScratch<T>(
  work: (directory: string, onInterrupt: (listener: () => void) => void) => Promise<T>,
): Promise<T> {
  const scratch = makeScratch();
  const listeners: (() => void)[] = [];
  let first = Infinity;
  const interrupt = () => {
    if (listeners.length === 0 || performance.now() - first > ONE_INTERRUPT) {
      scratch.remove();
      Deno.exit(INTERRUPTED);
    }
    first = Math.min(first, performance.now());
    for (const listener of listeners) listener();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  try {
    return await work(scratch.path, (listener) => listeners.push(listener));
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
    scratch.remove();
  }
}
