import { type Answers, ForwardingPeer } from "./forwarding.ts";
import {
  type DigestScope,
  type Operation,
  type Outcome,
  type Peer,
  type PeerDescription,
  type Subject,
  unsupported,
  type VolumeReport,
} from "./peer.ts";

/** How often a peer gave each kind of outcome. */
export type OutcomeCounts = Readonly<Record<Outcome<unknown>["outcome"], number>>;

/** A peer that counts what another one answers. */
export class TallyPeer extends ForwardingPeer {
  readonly volume?: (subject: Subject) => Promise<Outcome<VolumeReport>>;
  readonly #peer: Peer;
  readonly #counts = new Map<Operation, Record<Outcome<unknown>["outcome"], number>>();
  readonly #skipped = new Map<string, number>();

  constructor(peer: Peer) {
    super();
    this.#peer = peer;
    if (peer.volume === undefined) return;
    const volume = peer.volume.bind(peer);
    this.volume = async (subject) => this.#add("info", await volume(subject));
  }

  /** The counts of each operation that was queried. */
  get counts(): ReadonlyMap<Operation, OutcomeCounts> {
    return this.#counts;
  }

  /** Why questions had no answer (`unsupported`), and how many questions each reason applies to. */
  get skipped(): ReadonlyMap<string, number> {
    return this.#skipped;
  }

  describe(): Promise<PeerDescription> {
    return this.#peer.describe();
  }

  /** Counts a question that the peer is not asked. */
  skip(operation: Operation, reason: string): void {
    this.#add(operation, unsupported(reason));
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>> {
    const asked = this.#peer[operation]?.(subject, scope) ??
      unsupported("The peer cannot unlock key slots");
    if (subject.again !== undefined) this.#remove(operation, subject.again);
    return this.#add(operation, await asked as Outcome<Answers[O]>);
  }

  /** A question that is asked again counts once. */
  #remove(operation: Operation, outcome: Outcome<unknown>): void {
    const counts = this.#counts.get(operation);
    if (counts !== undefined) counts[outcome.outcome]--;
    if (outcome.outcome !== "unsupported") return;
    this.#skipped.set(outcome.message, (this.#skipped.get(outcome.message) ?? 0) - 1);
  }

  #add<T>(operation: Operation, outcome: Outcome<T>): Outcome<T> {
    const counts = this.#counts.get(operation) ?? {
      accepted: 0,
      rejected: 0,
      unsupported: 0,
      crashed: 0,
      "timed-out": 0,
      "out-of-memory": 0,
      "malformed-answer": 0,
    };
    counts[outcome.outcome]++;
    this.#counts.set(operation, counts);
    if (outcome.outcome === "unsupported") {
      this.#skipped.set(outcome.message, (this.#skipped.get(outcome.message) ?? 0) + 1);
    }
    return outcome;
  }
}
