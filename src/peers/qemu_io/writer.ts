import { failure } from "../answers.ts";
import { accepted, type Outcome, rejected, type Subject } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { type BlockOptions, blockOptions, learnChain } from "../qemu_img/options.ts";
import { withSecrets } from "../qemu_img/secrets.ts";
import { runTool, type ToolResult } from "../tool/process.ts";
import { scrubbed } from "../tool/secrets.ts";
import { KeptQemuIo } from "./kept_process.ts";
import type { QemuIoOptions } from "./session.ts";
import { endOutcome, NOTHING_OPEN } from "./text.ts";

/** What commands of qemu-io print. */
export interface Printed {
  /** Standard output of each: nothing for a `-q` that succeeded. */
  readonly outputs: readonly string[];
  /** Standard error of all of them. */
  readonly errors: string;
}

/** An image that is changed. */
export interface Changed extends Omit<Subject, "directory"> {
  /** Name of the format. */
  readonly format: string;
}

const TIMEOUT_MS = 10_000;
/** What qemu-img says of a bitmap that it could not store. It exits with success. */
const LOST = /Lost persistent bitmaps/;

/**
 * Changes images: their content through one qemu-io process, and the rest with qemu-img.
 *
 * ```ts
 * const writer = new QemuWriter();
 * const image = { path: "disk.qcow2", format: "qcow2" };
 * await writer.run(image, ["write -P 1 0 64k", "flush"]);
 * await writer.manage(image, (file) => ["snapshot", "-c", "first", file]);
 * await writer.close();
 * ```
 */
export class QemuWriter {
  readonly #options: QemuIoOptions;
  readonly #qemuIo: KeptQemuIo;
  readonly #limits: { readonly timeoutMs: number; readonly directory?: string };

  /** A writer; programs start with the first change. */
  constructor(options: QemuIoOptions = {}) {
    this.#options = options;
    const { command = ["qemu-io"], timeoutMs = TIMEOUT_MS, directory } = options;
    this.#qemuIo = new KeptQemuIo({ ...options, command, timeoutMs });
    this.#limits = directory === undefined ? { timeoutMs } : { timeoutMs, directory };
  }

  /** Runs commands of qemu-io on an image that is opened for writing before and closed after them. */
  async run(image: Changed, commands: readonly string[]): Promise<Outcome<Printed>> {
    const options = await this.#optionsOf(image, this.#qemuIo.secretsOf(image.passphrases ?? []));
    if (options.outcome !== "accepted") return options;
    // What a crash of the machine would lose does not matter here.
    const open = `open -d unmap -t unsafe ${jsonName(options.value)}`;
    const { passphrases = [] } = image;
    const exchange = await this.#qemuIo.run([open, ...commands, "close"]);
    const errors = scrubbed(exchange.errors, passphrases);
    if (exchange.end !== undefined) return endOutcome(exchange.end, errors);
    if (errors.includes(NOTHING_OPEN)) return rejected(errors.trim());
    return accepted({ outputs: exchange.outputs.slice(1, -1), errors: errors.trim() });
  }

  /**
   * Runs qemu-img.
   *
   * @param args makes the arguments from the name of the image, which has its options in it
   * @param alone the verb does not open the backing file
   */
  async manage(
    image: Changed,
    args: (file: string) => readonly string[],
    { alone = false }: { readonly alone?: boolean } = {},
  ): Promise<Outcome<string>> {
    const options = await this.#optionsOf(image);
    if (options.outcome !== "accepted") return options;
    const { passphrases = [] } = image;
    const own = Object.fromEntries(
      Object.entries(options.value).filter(([key]) => !alone || !key.startsWith("backing.")),
    );
    const result = await withSecrets(
      passphrases,
      (objects) => this.#qemuImg(withObjects(args(jsonName(own)), objects)),
      this.#options.scratch,
    );
    const { end, stdout } = result;
    if (end.kind !== "exited") return failure(result);
    const errors = scrubbed(result.stderr, passphrases);
    const isDone = end.code === 0 && !LOST.test(errors);
    return isDone ? accepted(stdout) : rejected(errors.trim());
  }

  /** Ends the processes. */
  async close(): Promise<void> {
    await this.#qemuIo.close();
  }

  #qemuImg(args: readonly string[]): Promise<ToolResult> {
    return runTool([...this.#options.qemuImg ?? ["qemu-img"], ...args], this.#limits);
  }

  /** The options that open an image; qemu-img knows which images of its chain need a passphrase. */
  async #optionsOf(
    image: Changed,
    secret?: (depth: number) => string,
  ): Promise<Outcome<BlockOptions>> {
    if ((image.passphrases ?? []).length === 0) return accepted(blockOptions(image, []));
    const chain = await learnChain(image, (args) => this.#qemuImg(args));
    return chain.outcome === "accepted"
      ? accepted(blockOptions(image, chain.value, secret))
      : chain;
  }
}

/** Secrets are defined right after the verb. */
function withObjects(
  [verb = "", ...rest]: readonly string[],
  objects: readonly string[],
): string[] {
  return [verb, ...objects, ...rest];
}
