import { failure } from "../answers.ts";
import type { Outcome } from "../peer.ts";
import type { ToolEnd } from "../tool/process.ts";

/** What commands other than `open` say while no image is open. */
export const NOTHING_OPEN = "no file open";

/** The outcome of a batch in which the process ended. */
export function endOutcome(end: ToolEnd, errors: string): Outcome<never> {
  if (end.kind !== "exited") return failure({ end, stdout: "", stderr: errors });
  // qemu-io exits at the end of its input alone; in the middle it has given up.
  return { outcome: "crashed", message: `exit status ${end.code}: ${errors.trim()}` };
}

/** A run of guest bytes of the top layer, in bytes. */
export interface AllocationRun {
  /** First byte. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
  /** The image itself maps these bytes, perhaps as zeros; its backing file is not read. */
  readonly allocated: boolean;
}

const MAP_LINE = /\(0x([0-9a-f]+)\) bytes\s+(not )?allocated at offset .*\(0x([0-9a-f]+)\)$/;

/** Reads what the command `map` prints; nothing where it printed no map. */
export function readAllocationMap(text: string): AllocationRun[] | undefined {
  const runs: AllocationRun[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const parts = MAP_LINE.exec(line);
    if (parts === null) return undefined;
    const [, length = "", not, start = ""] = parts;
    runs.push({
      start: Number.parseInt(start, 16),
      length: Number.parseInt(length, 16),
      allocated: not === undefined,
    });
  }
  return runs;
}

/** Whether a read says that it failed, and why. */
export function readFailure(text: string): string | undefined {
  return /^(?:read|is_allocated) failed: (.*)$/m.exec(text)?.[1];
}
