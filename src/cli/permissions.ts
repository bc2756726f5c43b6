import type { Permission } from "./verb.ts";

/** The permissions of Deno that reading an image does not need. */
const BEYOND_READING = ["write", "run", "net", "env", "sys", "ffi", "import"] as const;

/**
 * Drops every permission except reading files and those that are named, whatever the program was started
 * with. Whatever an image may trigger then ends at the runtime.
 */
export function keepOnly(needs: readonly Permission[]): void {
  for (const name of BEYOND_READING) {
    if (!(needs as readonly string[]).includes(name)) Deno.permissions.revokeSync({ name });
  }
}
