import { withSecrets } from "../qemu_img/secrets.ts";
import { type Exchange, QemuIoProcess, type QemuIoProcessOptions } from "./process.ts";

/** How a process is started and bounded. */
export interface KeptProcessOptions extends QemuIoProcessOptions {
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
}

/** A process is replaced after so many questions, so that nothing it keeps can add up. */
const BATCHES_PER_PROCESS = 2_000;
/** Passphrases that a process is given before it starts with new ones alone. */
const SECRETS_MAX = 32;

/**
 * Keeps a qemu-io process. It reads secrets only when it starts, so it is given all passphrases that were
 * used so far, and one that is new starts another process.
 */
export class KeptQemuIo {
  readonly #options: KeptProcessOptions;
  /** The number of a passphrase in this list is that of its secret. */
  #passphrases: string[] = [];
  #process: QemuIoProcess | undefined;
  /** The list that the process was started with, and how many of it there were. */
  #given: { readonly list: readonly string[]; readonly count: number } | undefined;

  constructor(options: KeptProcessOptions) {
    this.#options = options;
  }

  /** The secrets of an image and its backing files by depth; the last passphrase is for all further ones. */
  secretsOf(passphrases: readonly string[]): (depth: number) => string {
    const more = passphrases.filter((it) => !this.#passphrases.includes(it));
    if (more.length > 0 && this.#passphrases.length > SECRETS_MAX) this.#passphrases = [];
    const known = this.#passphrases;
    for (const passphrase of passphrases) {
      if (!known.includes(passphrase)) known.push(passphrase);
    }
    return (depth) => `s${known.indexOf(passphrases[depth] ?? passphrases.at(-1) ?? "")}`;
  }

  /**
   * Runs commands in a process that knows the secrets that were named.
   *
   * @param timeoutMs for all of them; that of the options by default
   */
  async run(commands: readonly string[], timeoutMs?: number): Promise<Exchange> {
    const list = this.#passphrases;
    const count = list.length;
    const isKnown = this.#given?.list === list && this.#given.count === count;
    if (isKnown && this.#process?.ended === false && this.#process.batches < BATCHES_PER_PROCESS) {
      return await this.#process.run(commands, timeoutMs);
    }
    await this.close();
    const { command, scratch } = this.#options;
    return await withSecrets(list, async (objects) => {
      this.#given = { list, count };
      this.#process = new QemuIoProcess({ ...this.#options, command: [...command, ...objects] });
      // The secrets have been read when the first command is answered.
      return await this.#process.run(commands, timeoutMs);
    }, scratch);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.close();
  }
}
