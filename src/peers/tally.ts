import type {
  CheckReport,
  DigestReport,
  DigestScope,
  InfoReport,
  MapEntry,
  Operation,
  Outcome,
  Peer,
  PeerDescription,
  Subject,
} from "./peer.ts";

/** How often a peer gave each kind of outcome. */
export type OutcomeCounts = Readonly<Record<Outcome<unknown>["outcome"], number>>;

/** A peer that counts what another one answers. */
export class TallyPeer implements Peer {
  readonly #peer: Peer;
  readonly #counts = new Map<Operation, Record<Outcome<unknown>["outcome"], number>>();
  readonly #passedOver = new Map<string, number>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** The counts of each operation that was asked for. */
  get counts(): ReadonlyMap<Operation, OutcomeCounts> {
    return this.#counts;
  }

  /** Why questions had no answer (`unsupported`), and how many each reason is that of. */
  get passedOver(): ReadonlyMap<string, number> {
    return this.#passedOver;
  }

  describe(): Promise<PeerDescription> {
    return this.#peer.describe();
  }

  probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return this.#count("probe", this.#peer.probe(subject));
  }

  info(subject: Subject): Promise<Outcome<InfoReport>> {
    return this.#count("info", this.#peer.info(subject));
  }

  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return this.#count("map", this.#peer.map(subject));
  }

  check(subject: Subject): Promise<Outcome<CheckReport>> {
    return this.#count("check", this.#peer.check(subject));
  }

  digest(subject: Subject, scope?: DigestScope): Promise<Outcome<DigestReport>> {
    return this.#count("digest", this.#peer.digest(subject, scope));
  }

  async #count<T>(operation: Operation, answer: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const outcome = await answer;
    const counts = this.#counts.get(operation) ??
      { accepted: 0, rejected: 0, unsupported: 0, crashed: 0, "timed-out": 0 };
    counts[outcome.outcome]++;
    if (outcome.outcome === "unsupported") {
      this.#passedOver.set(outcome.message, (this.#passedOver.get(outcome.message) ?? 0) + 1);
    }
    this.#counts.set(operation, counts);
    return outcome;
  }
}
