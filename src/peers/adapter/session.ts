import type { Json } from "../../format/mod.ts";
import { isMembers, malformed, type Members, membersOf, ShapeError } from "../answers.ts";
import { fewAtOnce } from "../at_once.ts";
import {
  type Change,
  type Outcome,
  type Overlapped,
  type PeerDescription,
  PeerError,
  type Subject,
} from "../peer.ts";
import { Pool } from "../pool.ts";
import { scrubbed } from "../tool/secrets.ts";
import { outcomeIn } from "./answer.ts";
import { bytesIn, changeRequest } from "./change.ts";
import { descriptionIn } from "./description.ts";
import { type AdapterOptions, AdapterPeer } from "./peer.ts";
import { type AdapterRequest, HELLO, withFullPaths } from "./request.ts";

/** A reply to a message: JSON with the text that it was, or why there is none. */
export type SessionReply =
  | { readonly json: Json; readonly printed: Uint8Array | string }
  | { readonly failed: Outcome<never> };

/** A long-lived adapter. Only one that says so in its description gets a message before its answer. */
export interface Session {
  /** Whether it can be asked. One that has failed cannot. */
  readonly isUsable: boolean;
  /** Sends a message, and waits for a reply: that of any message in flight. */
  ask(message: { readonly [key: string]: Json }, timeoutMs: number): Promise<SessionReply>;
  /** Ends it, whatever it does. */
  close(): Promise<void>;
  /** Ends it at once, as a crash would; by `close` if absent. */
  kill?(): Promise<void>;
}

/** Options of each long-lived adapter. */
export interface SessionOptions extends AdapterOptions {
  /** How many answer at the same time; by default one per processor and one more, at most 4. */
  readonly atOnce?: number;
}

const TIMEOUT_MS = 20_000;
/** A compiler may have to run first. */
const START_MS = 120_000;
const AT_ONCE_MAX = 4;

/** A session, how often it has answered since its start, and the messages in flight by their ids. */
interface Kept {
  session: Session | undefined;
  answers: number;
  readonly waiting: Map<string, (reply: SessionReply) => void>;
}

/**
 * An adapter that is started once and answers many questions. One that fails to answer is ended and
 * started again, and the question that it failed at has the blame.
 */
export abstract class SessionPeer extends AdapterPeer {
  readonly #pool: Pool<Kept>;
  readonly #timeoutMs: number;
  readonly #name: string;
  readonly #running = new Set<Session>();
  #ids = 0;

  /**
   * A peer whose adapter is not started yet.
   *
   * @param name of an adapter that does not name itself
   */
  constructor(name: string, options: SessionOptions) {
    super(options);
    this.#name = name;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    const atOnce = options.atOnce ?? Math.min(AT_ONCE_MAX, navigator.hardwareConcurrency + 1);
    this.#pool = new Pool<Kept>(
      () => ({ session: undefined, answers: 0, waiting: new Map() }),
      atOnce,
    );
  }

  /**
   * Starts an adapter.
   *
   * @throws {PeerError} when it cannot be started
   */
  protected abstract start(): Session;

  /** Changes an image. */
  async change(subject: Subject, change: Change): Promise<Outcome<null>> {
    return await this.send(changeRequest(change, subject), subject, () => null);
  }

  /** Changes an image with several requests in flight. */
  async overlap(
    subject: Subject,
    changes: readonly Change[],
    atOnce: number,
  ): Promise<readonly Overlapped[]> {
    return await this.#use(async (kept) => {
      if (kept.session === undefined) await this.#started(kept);
      const overlapped: Overlapped[] = [];
      let clock = 0;
      await fewAtOnce([...changes.entries()], async ([index, change]) => {
        if (kept.session === undefined) return;
        const sent = clock++;
        const message = withFullPaths(changeRequest(change, subject), subject.directory);
        this.checkRequest(message);
        const outcome = await this.#exchange(kept, message, (json) => {
          this.checkStrictly(change.operation, json);
          return bytesIn(change, json);
        });
        overlapped[index] = { outcome, sent, answered: clock++ };
        kept.answers++;
      }, atOnce);
      return overlapped.filter((it) => it !== undefined);
    });
  }

  /** Ends the adapters at once, even one that works on a request. */
  async kill(): Promise<void> {
    await Promise.all(
      [...this.#running].map((it) => it.kill === undefined ? it.close() : it.kill()),
    );
    this.#running.clear();
  }

  /** Ends the adapters, which have to be idle. */
  async close(): Promise<void> {
    await Promise.all(this.#pool.empty().map(({ session }) => session?.close()));
  }

  /** Asks the adapter what it is. */
  protected override async describeOnce(): Promise<PeerDescription> {
    return await this.#use(async (kept) => {
      const { description } = await this.#started(kept);
      return description;
    });
  }

  /** Sends a request to an adapter that is idle. */
  protected override async answer<T>(
    request: AdapterRequest,
    subject: Subject,
    read: (json: Json) => T,
  ): Promise<Outcome<T>> {
    return await this.#use(async (kept) => {
      if (subject.again !== undefined && kept.answers > 0) await end(kept);
      if (kept.session === undefined) await this.#started(kept);
      const message = withFullPaths(request, subject.directory);
      const { answers } = kept;
      const outcome = await this.#exchange(kept, message, read);
      if (kept.session !== undefined) kept.answers++;
      // What earlier questions left in memory is not the fault of this one.
      if (outcome.outcome !== "out-of-memory" || answers === 0) return outcome;
      await this.#started(kept);
      return await this.#exchange(kept, message, read);
    });
  }

  async #use<T>(work: (kept: Kept) => Promise<T>): Promise<T> {
    const kept = await this.#pool.take();
    try {
      if (kept.session?.isUsable === false) await end(kept);
      return await work(kept);
    } finally {
      this.#pool.give(kept);
    }
  }

  /** Starts an adapter and exchanges descriptions. */
  async #started(kept: Kept): Promise<{ description: PeerDescription }> {
    if (kept.session === undefined) {
      kept.session = this.start();
      for (const session of this.#running) if (!session.isUsable) this.#running.delete(session);
      this.#running.add(kept.session);
    }
    const outcome = await this.#exchange(kept, HELLO, (json) => {
      this.checkStrictly("hello", json);
      return membersOf(json);
    }, Math.max(START_MS, this.#timeoutMs));
    switch (outcome.outcome) {
      case "accepted":
        return { description: descriptionIn(outcome.value, this.#name) };
      case "unsupported":
        return { description: descriptionIn({}, this.#name) };
      default: {
        const printed = outcome.outcome === "malformed-answer" ? `: '${outcome.printed}'` : "";
        const message = `${outcome.outcome}: ${outcome.message}${printed}`;
        throw new PeerError(`Cannot start the adapter: hello: ${message}`);
      }
    }
  }

  /** Sends a message. A session that fails to answer, or answers with something else, is ended. */
  async #exchange<T>(
    kept: Kept,
    message: { readonly operation: string; readonly passphrases?: readonly string[] },
    read: (json: Json) => T,
    timeoutMs = this.#timeoutMs,
  ): Promise<Outcome<T>> {
    const id = `${++this.#ids}`;
    const reply = await replyTo(kept, { id, ...message } as unknown as Members, timeoutMs);
    if ("failed" in reply) {
      await end(kept);
      const { failed } = reply;
      return "message" in failed && message.passphrases !== undefined
        ? { ...failed, message: scrubbed(failed.message, message.passphrases) }
        : failed;
    }
    try {
      const answered = membersOf(reply.json)["id"];
      if (answered !== id) {
        throw new ShapeError(`The answer has the id ${JSON.stringify(answered)}, not "${id}"`);
      }
      this.checkEnvelope(reply.json);
      return outcomeIn(reply.json, read);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      await end(kept);
      return malformed(reply.printed, error.message);
    }
  }
}

/** The reply with the id of a message; one that belongs to no message in flight goes to any of them. */
function replyTo(kept: Kept, message: Members, timeoutMs: number): Promise<SessionReply> {
  const { session, waiting } = kept;
  if (session === undefined) throw new PeerError("The adapter is not running");
  const id = String(message["id"]);
  return new Promise((resolve, reject) => {
    waiting.set(id, resolve);
    session.ask(message, timeoutMs).then((reply) => {
      const named = "json" in reply && isMembers(reply.json) ? String(reply.json["id"]) : id;
      const [owner = id] = [named, id, ...waiting.keys()].filter((it) => waiting.has(it));
      const answer = waiting.get(owner);
      waiting.delete(owner);
      answer?.(reply);
    }, reject);
  });
}

async function end(kept: Kept): Promise<void> {
  const { session } = kept;
  kept.session = undefined;
  kept.answers = 0;
  await session?.close();
}
