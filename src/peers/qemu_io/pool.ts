import { type Exchange, QemuIoProcess, type QemuIoProcessOptions } from "./process.ts";
import { withSecrets } from "../qemu_img/secrets.ts";

/** How the processes of a pool are started and bounded. */
export interface QemuIoPoolOptions extends QemuIoProcessOptions {
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
}

/** A process is replaced after so many questions, so that nothing it keeps can add up. */
const BATCHES_PER_PROCESS = 2_000;
/** Sets of passphrases that a process is kept for, none at all being one of them. */
const PROCESSES_MAX = 4;

/**
 * Keeps qemu-io processes: it reads secrets only when it starts, so each set of passphrases has a
 * process of its own. The one that has not been used for longest makes room for a new one.
 */
export class QemuIoPool {
  readonly #options: QemuIoPoolOptions;
  /** By passphrases, the one used last at the end. */
  readonly #processes = new Map<string, QemuIoProcess>();

  constructor(options: QemuIoPoolOptions) {
    this.#options = options;
  }

  /** Runs commands in a process that knows these passphrases, as the secrets that `secretId` names. */
  async run(commands: readonly string[], passphrases: readonly string[] = []): Promise<Exchange> {
    const key = JSON.stringify(passphrases);
    const kept = await this.#take(key);
    if (kept !== undefined) return await this.#keep(key, kept).run(commands);
    const { command, scratch } = this.#options;
    return await withSecrets(passphrases, async (objects) => {
      const options = { ...this.#options, command: [...command, ...objects] };
      // The secrets have been read when the first command is answered.
      return await this.#keep(key, new QemuIoProcess(options)).run(commands);
    }, scratch);
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const processes = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.all(processes.map((process) => process.close()));
  }

  /** Takes out the process for a key, if it can go on; else makes room for a new one. */
  async #take(key: string): Promise<QemuIoProcess | undefined> {
    const old = this.#processes.get(key);
    this.#processes.delete(key);
    if (old !== undefined && !old.ended && old.batches < BATCHES_PER_PROCESS) return old;
    await old?.close();
    const [unused] = this.#processes;
    if (unused !== undefined && this.#processes.size >= PROCESSES_MAX) {
      this.#processes.delete(unused[0]);
      await unused[1].close();
    }
    return undefined;
  }

  #keep(key: string, process: QemuIoProcess): QemuIoProcess {
    this.#processes.set(key, process);
    return process;
  }
}
