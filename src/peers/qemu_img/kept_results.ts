import type { ToolResult } from "../tool/process.ts";

/** Calls whose results are kept: those about a few images at a time. */
const KEPT_MAX = 32;

/** Recent answers of a tool, for equal calls from different questions. */
export class KeptResults {
  /** By call, the oldest one first. */
  readonly #kept = new Map<string, Promise<ToolResult>>();

  /** The stored result of the same call, or else that of this one. */
  once(key: string, call: () => Promise<ToolResult>): Promise<ToolResult> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const result = call();
    this.#kept.set(key, result);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > KEPT_MAX) this.#kept.delete(oldest);
    return result;
  }
}
