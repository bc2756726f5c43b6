import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MemorySource } from "../../src/bytes/mod.ts";
import {
  type Change,
  hasFailed,
  type Outcome,
  type Overlapped,
  type Peer,
  type Subject,
} from "../../src/peers/mod.ts";
import { wordsOf, writeDensely } from "../compare/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import { describeAction } from "./action.ts";
import type { Action } from "./step.ts";
import { changeOf } from "./changes.ts";
import { isDoubtful } from "./commands.ts";
import type { Start, Writer } from "./writer.ts";

/** An implementation lacks a feature that an image needs. */
export class UnsupportedImage extends Error {
  override readonly name = "UnsupportedImage";
}

/** Changes an image with any implementation. */
export class PeerFiles implements Writer {
  readonly name = "peer";
  readonly #peer: Peer;
  readonly #directory: string;
  readonly #closes: boolean;
  #start: Start = { files: [], format: "raw", passphrases: [] };
  #worked = false;

  /** @param closes it has the operation `close` */
  constructor(peer: Peer, { directory, closes }: { directory: string; closes: boolean }) {
    this.#peer = peer;
    this.#directory = directory;
    this.#closes = closes;
  }

  load(start: Start): void {
    this.#start = start;
    for (const { name, source } of start.files) writeDensely(join(this.#directory, name), source);
  }

  async apply(action: Action): Promise<string | undefined> {
    const change = action.do === "reopen" && !this.#closes
      ? { operation: "flush" } as const
      : changeOf(action);
    if (change === undefined) return "there is no such operation";
    const reason = this.#reasonOf(action, await this.change(change));
    this.#worked ||= reason === undefined && action.do !== "flush" && action.do !== "reopen";
    return reason;
  }

  /** Sends a change. */
  async change(change: Change): Promise<Outcome<null>> {
    return await this.#peer.change?.(this.#subject(), change) ??
      { outcome: "unsupported", message: "It cannot change images" };
  }

  /** Sends changes with several of them in flight. */
  async overlap(changes: readonly Change[], atOnce: number): Promise<readonly Overlapped[]> {
    this.#worked = true;
    return await this.#peer.overlap?.(this.#subject(), changes, atOnce) ?? [];
  }

  #subject(): Subject {
    const { files: [top], format, passphrases } = this.#start;
    return {
      path: top?.name ?? "",
      format,
      directory: this.#directory,
      ...(passphrases.length === 0 ? {} : { passphrases }),
    };
  }

  async settle(): Promise<void> {
    const action = { do: this.#closes ? "reopen" : "flush" } as const;
    const reason = await this.apply(action);
    if (reason === undefined) return;
    throw new Failure(`peer.${action.do}.rejected`, `${describeAction(action)}: ${reason}`);
  }

  files(): readonly CaseFile[] {
    return this.#start.files.map(({ name }) => ({
      name,
      source: new MemorySource(readFileSync(join(this.#directory, name))),
    }));
  }

  #reasonOf(action: Action, outcome: Outcome<null>): string | undefined {
    if (outcome.outcome === "accepted") return undefined;
    const { message } = outcome;
    if (hasFailed(outcome)) {
      throw new Failure(
        `peer.${action.do}.${outcome.outcome}.${wordsOf(message)}`,
        `${describeAction(action)}: ${message}`,
      );
    }
    // Nothing was done to the image yet.
    if (outcome.outcome === "unsupported" && !this.#worked) throw new UnsupportedImage(message);
    if (isDoubtful(action)) return message;
    throw new Failure(`peer.${action.do}.rejected`, `${describeAction(action)}: ${message}`);
  }
}
