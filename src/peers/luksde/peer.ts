import { formatNamesOf } from "../../formats.ts";
import { type Outcome, type PeerDescription, PeerError, type Subject } from "../peer.ts";
import { runTool, TOOL_TIMEOUT_MS, type ToolResult } from "../process.ts";
import { failure } from "../qemu_img/answers.ts";
import { toolVersion } from "../tool_state.ts";
import type { VolumeReport } from "../volume.ts";

/** How luksdeinfo is called and bounded. */
export interface LuksdeOptions {
  /** The program and the arguments that come before the source. */
  readonly command?: readonly string[];
  /** Milliseconds that one call may take. */
  readonly timeoutMs?: number;
}

/** Modes that it names behind the cipher. */
const MODES = ["cbc", "xts"];

/**
 * luksdeinfo, the program of libluksde. It tells the cipher, the mode and the UUID of a version 1
 * header, and nothing else.
 *
 * Facts about release 20200205, which Debian 12 and 13 have:
 *
 * - It names no mode but CBC and XTS: a volume in ECB or CTR is `AES`.
 * - A passphrase goes into its command line, where every user sees it, so it is given none here.
 * - Given one for a volume in XTS with a key longer than 32 bytes, it writes past the end of an array
 *   and is aborted ("stack smashing detected"); it reads CAST5 and Twofish volumes not at all, nor the
 *   hashes MD5, SHA-384 and RIPEMD-160, though it tells of them.
 * - It ends in status 1 ("Unable to unlock volume") after having told of a volume that is locked.
 */
export class LuksdePeer {
  readonly #command: readonly string[];
  readonly #options: LuksdeOptions;
  #description: Promise<PeerDescription> | undefined;

  constructor(options: LuksdeOptions = {}) {
    this.#command = options.command ?? ["luksdeinfo"];
    this.#options = options;
  }

  /** @throws {ToolError} when luksdeinfo does not work */
  describe(): Promise<PeerDescription> {
    return this.#description ??= this.#describe();
  }

  /** What it prints; unsupported where it is not installed or the header is detached. */
  async info({ path, directory, header }: Subject): Promise<Outcome<VolumeReport>> {
    if (header !== undefined) {
      return { outcome: "unsupported", message: "luksdeinfo takes no detached header" };
    }
    // A name that starts with a dash would be an option.
    const source = path.startsWith("/") ? path : `./${path}`;
    let result: ToolResult;
    try {
      result = await this.#call([source], directory);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      return { outcome: "unsupported", message: error.message };
    }
    const value = readLuksdeInfo(result.stdout);
    if (value !== undefined && result.end.kind === "exited") return { outcome: "accepted", value };
    return failure(result);
  }

  async #describe(): Promise<PeerDescription> {
    const version = await toolVersion("luksdeinfo", { command: this.#command });
    return {
      name: "libluksde",
      version,
      operations: ["info"],
      formats: formatNamesOf("luksdeinfo"),
    };
  }

  #call(args: readonly string[], directory?: string): Promise<ToolResult> {
    const timeoutMs = this.#options.timeoutMs ?? TOOL_TIMEOUT_MS;
    const where = directory === undefined ? {} : { directory };
    return runTool([...this.#command, ...args], { timeoutMs, ...where });
  }
}

/** Reads what luksdeinfo prints of a volume; nothing where it prints none. */
export function readLuksdeInfo(text: string): VolumeReport | undefined {
  const method = /Encryption method\s*: (\S+)/.exec(text)?.[1]?.toLowerCase();
  const uuid = /Volume identifier\s*: (\S+)/.exec(text)?.[1];
  if (method === undefined || uuid === undefined) return undefined;
  const [cipher = "", mode = ""] = method.split("-");
  return { cipher, uuid, ...(MODES.includes(mode) ? { "cipher-mode": mode } : {}) };
}
