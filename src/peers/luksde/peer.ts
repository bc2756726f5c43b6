import { formatNamesOf } from "../../formats.ts";
import { failure } from "../answers.ts";
import {
  accepted,
  type Outcome,
  type PeerDescription,
  type Subject,
  unsupported,
  type VolumeReport,
} from "../peer.ts";
import { ToolError, type ToolResult } from "../tool/process.ts";
import { type CallOptions, Tool } from "../tool/tool.ts";
import { VolumePeer } from "../volume.ts";

/** Modes that it names after the cipher. */
const MODES = ["cbc", "xts"];

/**
 * luksdeinfo, the program of libluksde. It prints the cipher, the mode and the UUID of a version 1
 * header, and nothing else.
 *
 * Facts about release 20200205, which Debian 12 and 13 have:
 *
 * - It names no mode but CBC and XTS: a volume in ECB or CTR is `AES`.
 * - A passphrase is part of its command line, where every user sees it, so it gets none here.
 * - With one for a volume in XTS with a key longer than 32 bytes, it writes past the end of an array
 *   and is aborted ("stack smashing detected"). It cannot read CAST5 and Twofish volumes, nor the hashes
 *   MD5, SHA-384 and RIPEMD-160, though it prints them.
 * - It exits with status 1 ("Unable to unlock volume") after it has printed a volume that is locked.
 */
export class LuksdePeer extends VolumePeer {
  readonly #tool: Tool;

  /** A peer that calls luksdeinfo. */
  constructor(options: CallOptions = {}) {
    super();
    this.#tool = new Tool("luksdeinfo", options);
  }

  /**
   * Name, version and operations of the implementation.
   *
   * @throws {ToolError} when luksdeinfo does not work
   */
  async describe(): Promise<PeerDescription> {
    const version = await this.#tool.version();
    return {
      name: "libluksde",
      version,
      operations: ["info"],
      formats: formatNamesOf("luksdeinfo"),
    };
  }

  /** What it prints; unsupported where it is not installed or the header is detached. */
  async volume({ path, directory, header }: Subject): Promise<Outcome<VolumeReport>> {
    if (header !== undefined) return unsupported("luksdeinfo does not support detached headers");
    // A name that starts with a dash would be an option.
    const source = path.startsWith("/") ? path : `./${path}`;
    let result: ToolResult;
    try {
      result = await this.#tool.run([source], directory === undefined ? {} : { directory });
    } catch (error) {
      if (!(error instanceof ToolError) || error.trouble !== "missing") throw error;
      return unsupported(error.message);
    }
    const value = readLuksdeInfo(result.stdout);
    return value !== undefined && result.end.kind === "exited" ? accepted(value) : failure(result);
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
