import type { Peer } from "./peer.ts";
import { ToolError } from "./tool/process.ts";

/**
 * A peer, or nothing where its tool is not installed.
 *
 * ```ts
 * import { CryptsetupPeer } from "./mod.ts";
 *
 * const cryptsetup = await ifInstalled(new CryptsetupPeer());
 * ```
 *
 * @throws {ToolError} when the tool is installed and does not work
 */
export async function ifInstalled<P extends Peer>(peer: P): Promise<P | undefined> {
  try {
    await peer.describe();
    return peer;
  } catch (error) {
    if (error instanceof ToolError && error.trouble === "missing") return undefined;
    throw error;
  }
}
