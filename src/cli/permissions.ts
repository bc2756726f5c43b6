import type { Permission } from "./verb.ts";

/** What Deno may grant and reading an image does not need. */
const BEYOND_READING = ["write", "run", "net", "env", "sys", "ffi", "import"] as const;

/**
 * Gives up every permission but reading files and those that are named, whatever the program was
 * started with: what an image makes us do then ends at the kernel of the runtime.
 */
export function keepOnly(needs: readonly Permission[]): void {
  for (const name of BEYOND_READING) {
    if (!(needs as readonly string[]).includes(name)) Deno.permissions.revokeSync({ name });
  }
}
