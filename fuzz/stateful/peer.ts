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

/** An implementation lacks something that an image or a change of it needs. */
export class UnsupportedImage extends Error {
  override readonly name = "UnsupportedImage";
}

/** How an implementation is used. */
export interface PeerOptions {
  readonly directory: string;
  /** It has the operation `close`. */
  readonly closes: boolean;
  /** The image may be rejected, for example because of a feature that the implementation does not list. */
  readonly mayReject: boolean;
}

/** Changes an image with any implementation. */
export class PeerFiles implements Writer {
  readonly name = "peer";
  readonly #peer: Peer;
  readonly #directory: string;
  readonly #closes: boolean;
  /** The image may be rejected. */
  readonly mayReject: boolean;
  #start: Start = { files: [], format: "raw", passphrases: [] };
  #worked = false;

  /** Changes images in a folder. */
  constructor(peer: Peer, { directory, closes, mayReject }: PeerOptions) {
    this.#peer = peer;
    this.#directory = directory;
    this.#closes = closes;
    this.mayReject = mayReject;
  }

  load(start: Start): void {
    this.#start = start;
    for (const { name, source } of start.files) writeDensely(join(this.#directory, name), source);
  }

  /** Has it make the image, with a disk of this size, and close it. */
  async create(start: Start, size: number): Promise<void> {
    this.#start = start;
    const reason = reasonOf("create", await this.change({ operation: "create", size }));
    if (reason !== undefined) throw new Failure("peer.create.rejected", `create: ${reason}`);
    await this.settle();
  }

  async apply(action: Action): Promise<string | undefined> {
    const change = action.do === "reopen" && !this.#closes
      ? { operation: "flush" } as const
      : changeOf(action);
    if (change === undefined) return "there is no such operation";
    const reason = reasonOf(describeAction(action), await this.change(change), action.do);
    if (reason !== undefined && this.mayReject && !this.#worked) throw new UnsupportedImage(reason);
    if (reason !== undefined && !isDoubtful(action)) throw rejected(action, reason);
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
    await this.apply({ do: this.#closes ? "reopen" : "flush" });
  }

  files(): readonly CaseFile[] {
    return this.#start.files.map(({ name }) => ({
      name,
      source: new MemorySource(readFileSync(join(this.#directory, name))),
    }));
  }
}

function rejected(action: Action, reason: string): Failure {
  return new Failure(
    `peer.${action.do}.rejected.${wordsOf(reason)}`,
    `${describeAction(action)}: ${reason}`,
  );
}

/**
 * Why a change was rejected.
 *
 * @throws {Failure} if there was no answer
 */
function reasonOf(says: string, outcome: Outcome<null>, verb: string = says): string | undefined {
  if (outcome.outcome === "accepted") return undefined;
  const { message } = outcome;
  if (outcome.outcome === "unsupported") throw new UnsupportedImage(message);
  if (!hasFailed(outcome)) return message;
  throw new Failure(`peer.${verb}.${outcome.outcome}.${wordsOf(message)}`, `${says}: ${message}`);
}
