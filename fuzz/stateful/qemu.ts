import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemorySource } from "../../src/bytes/mod.ts";
import { hasFailed, type Outcome, type QemuWriter } from "../../src/peers/mod.ts";
import { wordsOf, writeDensely } from "../compare/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import { describeAction } from "./action.ts";
import type { Action } from "./step.ts";
import { commandOf, isDoubtful } from "./commands.ts";
import type { Start, Writer } from "./writer.ts";

/** The installed QEMU lacks a cipher or a hash that an image needs. */
export class QemuLacks extends Error {
  override readonly name = "QemuLacks";
}

/** What QEMU says of a cipher or a hash that its crypto library lacks. */
const LACKS = /(can't open device|could not open).*(algorithm|cipher).*not supported/i;

/**
 * Changes an image with qemu-io and qemu-img. Actions that QEMU cannot reject wait, so that one open
 * image takes as many as possible.
 */
export class QemuFiles implements Writer {
  readonly name = "qemu";
  readonly #writer: QemuWriter;
  readonly #directory: string;
  #start: Start = { files: [], format: "raw", passphrases: [] };
  #waiting: { readonly action: Action; readonly command: string }[] = [];

  /** @param directory where the writer runs, and the files are */
  constructor(writer: QemuWriter, directory: string) {
    this.#writer = writer;
    this.#directory = directory;
  }

  load(start: Start): void {
    this.#start = start;
    for (const { name, source } of start.files) {
      writeDensely(join(this.#directory, name), source);
    }
  }

  async apply(action: Action): Promise<string | undefined> {
    const command = commandOf(action, this.#start.format);
    if ("reopen" in command) {
      await this.settle();
      return undefined;
    }
    if ("img" in command) {
      await this.settle();
      // Of the verbs of qemu-img, `bitmap` does not open backing files.
      const alone = action.do.startsWith("bitmap-");
      const managed = await this.#writer.manage(this.#image, command.img, { alone });
      return this.#rejection(action, managed);
    }
    const { io, file } = command;
    if (file !== undefined) this.#keep(file.name, file.bytes);
    this.#waiting.push({ action, command: io });
    return isDoubtful(action) ? await this.#flush(action) : undefined;
  }

  async settle(): Promise<void> {
    await this.#flush();
  }

  files(): readonly CaseFile[] {
    return this.#start.files.map(({ name }) => ({
      name,
      source: new MemorySource(readFileSync(join(this.#directory, name))),
    }));
  }

  get #image(): { path: string; format: string; passphrases: readonly string[] } {
    const { files, format, passphrases } = this.#start;
    return { path: files[0]?.name ?? "", format, passphrases };
  }

  #keep(name: string, bytes: Uint8Array): void {
    const path = join(this.#directory, name);
    if (!existsSync(path)) writeFileSync(path, bytes);
  }

  /** Runs what waits. @returns why the last action was rejected, if it is the doubtful one */
  async #flush(doubtful?: Action): Promise<string | undefined> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const [first] = waiting;
    if (first === undefined) return undefined;
    const ran = await this.#writer.run(this.#image, waiting.map(({ command }) => command));
    if (ran.outcome !== "accepted") throw this.#failed(first.action, ran);
    for (const [index, { action }] of waiting.entries()) {
      const said = ran.value.outputs[index]?.trim() || complaintIn(action, ran.value.errors);
      if (said === "") continue;
      if (action === doubtful) return said;
      throw this.#failed(action, { outcome: "rejected", message: said });
    }
    return undefined;
  }

  #rejection(action: Action, outcome: Outcome<unknown>): string | undefined {
    if (outcome.outcome === "accepted") return undefined;
    if (hasFailed(outcome) || LACKS.test(outcome.message)) throw this.#failed(action, outcome);
    return outcome.message;
  }

  #failed(action: Action, outcome: Exclude<Outcome<unknown>, { outcome: "accepted" }>): Failure {
    const { message } = outcome;
    if (LACKS.test(message)) throw new QemuLacks(message);
    return new Failure(
      `qemu.${action.do}.${outcome.outcome}.${wordsOf(message)}`,
      `${describeAction(action)}: ${message}`,
    );
  }
}

/** A truncate that fails says so on standard error, where an open reports its repairs, too. */
function complaintIn(action: Action, errors: string): string {
  if (action.do !== "resize") return "";
  return errors.split("\n").find((line) => line.startsWith("qemu-io: ")) ?? "";
}
