import { formatNamesOf } from "../../formats.ts";
import { answered, failure } from "../answers.ts";
import {
  accepted,
  type Outcome,
  type PeerDescription,
  rejected,
  type Subject,
  type UnlockReport,
  unsupported,
  type VolumeReport,
} from "../peer.ts";
import type { ToolResult } from "../tool/process.ts";
import { withScratch, writeScratchFile } from "../tool/scratch.ts";
import { scrubbed, withPassphraseFiles } from "../tool/secrets.ts";
import { type CallOptions, Tool } from "../tool/tool.ts";
import { VolumePeer } from "../volume.ts";
import { readLuksDump, readUnlockedSlot } from "./dump.ts";

/** How cryptsetup is called and bounded. */
export interface CryptsetupOptions extends CallOptions {
  /** Bytes above which a file is not copied, and its volume not read. */
  readonly copyLimit?: number;
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
}

const COPY_LIMIT = 256 * 1024 * 1024;
/** Exit status of cryptsetup for a passphrase that opens no key slot. */
const NO_PERMISSION = 2;
/** What it prints where it needs the kernel, and where its own library lacks a hash. */
const LACKING = /device-mapper|kernel supports|Requested LUKS hash \S+ is not supported/;

/**
 * cryptsetup, as far as it answers without the kernel's device mapper: it names the format, prints a
 * header, and tries a passphrase. It reads copies in a scratch directory, since it repairs some headers
 * when it opens them.
 *
 * ```ts
 * const peer = new CryptsetupPeer();
 * const unlocked = await peer.unlock({ path: "disk.luks", passphrases: ["correct horse"] });
 * ```
 */
export class CryptsetupPeer extends VolumePeer {
  readonly #tool: Tool;
  readonly #options: CryptsetupOptions;

  /** A peer that calls cryptsetup. */
  constructor(options: CryptsetupOptions = {}) {
    super();
    this.#tool = new Tool("cryptsetup", options);
    this.#options = options;
  }

  /**
   * Name, version and operations of the implementation.
   *
   * @throws {ToolError} when cryptsetup does not work
   */
  async describe(): Promise<PeerDescription> {
    const version = await this.#tool.version();
    const operations = ["probe", "info", "unlock"] as const;
    return { name: "cryptsetup", version, operations, formats: formatNamesOf("cryptsetup") };
  }

  /** `luks` for version 1, as qemu-img calls it, and `luks2` for version 2. */
  override probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return this.#withCopies<{ format: string }>(subject, async ({ path, header }) => {
      for (const [type, format] of [["luks1", "luks"], ["luks2", "luks2"]] as const) {
        const result = await this.#tool.run([
          "isLuks",
          "--verbose",
          "--type",
          type,
          header ?? path,
        ]);
        if (answered(result)) return accepted({ format });
        if (result.end.kind !== "exited") return failure(result);
      }
      return rejected("Neither LUKS version 1 nor version 2");
    });
  }

  /** What `luksDump` prints of a header. */
  volume(subject: Subject): Promise<Outcome<VolumeReport>> {
    return this.#withCopies<VolumeReport>(subject, async ({ path, header }) => {
      const result = await this.#tool.run(["luksDump", header ?? path]);
      if (!answered(result)) return said(result);
      const value = readLuksDump(result.stdout);
      if (value !== undefined) return accepted(value);
      return unsupported("Neither LUKS version 1 nor version 2");
    });
  }

  /**
   * Attempts the first passphrase, and names the key slot that it opens where cryptsetup does.
   *
   * @param only the number of the only slot that is attempted
   */
  override async unlock(subject: Subject, only?: number): Promise<Outcome<UnlockReport>> {
    const [passphrase] = subject.passphrases ?? [];
    if (passphrase === undefined) return unsupported("No passphrase");
    return await this.#withCopies<UnlockReport>(subject, ({ path, header }) => {
      return withPassphraseFiles([passphrase], async ([keyFile = ""]) => {
        const apart = header === undefined ? [] : ["--header", header];
        const named = only === undefined ? [] : ["--key-slot", String(only)];
        const key = ["--verbose", "--batch-mode", "--key-file", keyFile, ...named];
        const result = await this.#tool.run(["open", "--test-passphrase", ...key, ...apart, path]);
        const { stderr, ...rest } = result;
        if (!answered(result)) return said({ ...rest, stderr: scrubbed(stderr, [passphrase]) });
        const slot = readUnlockedSlot(result.stdout);
        return accepted(slot === undefined ? {} : { slot });
      }, this.#options.scratch);
    });
  }

  /** Hands `use` copies of the volume and of its header. */
  async #withCopies<T>(
    { path, header, directory }: Subject,
    use: (copies: { path: string; header: string | undefined }) => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const limit = this.#options.copyLimit ?? COPY_LIMIT;
    const from = (name: string) =>
      directory === undefined || name.startsWith("/") ? name : `${directory}/${name}`;
    const files = [path, ...header === undefined ? [] : [header]].map(from);
    try {
      if (files.some((file) => Deno.statSync(file).size > limit)) {
        return unsupported(`A file is longer than ${limit} bytes`);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return rejected("No such file");
    }
    return await withScratch(async (scratch) => {
      const copies = files.map((file, index) => {
        const copy = `${scratch}/${index}`;
        writeScratchFile(copy, Deno.readFileSync(file));
        return copy;
      });
      const outcome = await use({ path: copies[0] ?? "", header: copies[1] });
      if (outcome.outcome === "accepted") return outcome;
      // A message names the file of the caller.
      const message = copies.reduce((text, copy, index) => {
        return text.replaceAll(copy, [path, header ?? ""][index] ?? "");
      }, outcome.message);
      return { ...outcome, message };
    }, this.#options.scratch);
  }
}

/** The outcome of a call that gave no answer. */
function said(result: ToolResult): Outcome<never> {
  const { end, stderr } = result;
  const message = stderr.trim();
  if (end.kind !== "exited" || end.code === NO_PERMISSION) return failure(result);
  return LACKING.test(message) ? unsupported(message) : failure(result);
}
