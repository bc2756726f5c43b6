import { LineProcess } from "./process.ts";

/**
 * Deno lets a program read `/proc` only with every permission, so a shell does. It prints the peak of
 * the resident memory of each process whose number it reads, in KiB.
 */
const SCRIPT = `while read -r pid; do
  peak=
  if [ -r "/proc/$pid/status" ]; then
    while read -r key value _; do
      if [ "$key" = VmHWM: ]; then peak=$value; break; fi
    done < "/proc/$pid/status"
  fi
  echo "$peak"
done 2>/dev/null`;

const TIMEOUT_MS = 5_000;
const KIB = 1024;

/** Reads the peak memory of processes, where the system tells. */
export class MemoryMeter {
  #shell: LineProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** The peak of the resident memory of a process that lives, in bytes. */
  async peakBytes(pid: number): Promise<number | undefined> {
    const reading = this.#last.then(() => this.#read(pid));
    this.#last = reading;
    return await reading;
  }

  async #read(pid: number): Promise<number | undefined> {
    if (this.#shell?.isUsable !== true) {
      await this.#shell?.close();
      this.#shell = new LineProcess(["/bin/sh", "-c", SCRIPT]);
    }
    const reply = await this.#shell.ask(`${pid}`, TIMEOUT_MS);
    const text = "line" in reply ? new TextDecoder().decode(reply.line) : "";
    return /^\d+$/.test(text) ? Number(text) * KIB : undefined;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#shell?.close();
    this.#shell = undefined;
  }
}
