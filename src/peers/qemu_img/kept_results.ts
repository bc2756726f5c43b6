import type { ToolResult } from "../tool/process.ts";

/** Calls whose results are kept: those about a few images at a time. */
const KEPT_MAX = 32;

/** What a tool has answered lately, for calls that come again in other words. */
export class KeptResults {
  /** By what was asked, the oldest one first. */
  readonly #kept = new Map<string, Promise<ToolResult>>();

  /** The result of the same call before, or else of this one. */
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
