import type { Permission } from "./verb.ts";

/** The permissions of Deno that reading an image does not need. */
const BEYOND_READING = ["write", "run", "net", "env", "sys", "ffi", "import"] as const;

/**
 * Drops every permission except reading files and the given ones, whatever the program was started
 * with. The runtime then stops whatever an image might trigger.
 */
export function keepOnly(needs: readonly Permission[]): void {
  for (const name of BEYOND_READING) {
    if (!(needs as readonly string[]).includes(name)) Deno.permissions.revokeSync({ name });
  }
}
