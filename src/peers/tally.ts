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
  UnlockReport,
  VolumeReport,
} from "./peer.ts";

/** How often a peer gave each kind of outcome. */
export type OutcomeCounts = Readonly<Record<Outcome<unknown>["outcome"], number>>;

/** A peer that counts what another one answers. */
export class TallyPeer implements Peer {
  readonly unlock?: (subject: Subject) => Promise<Outcome<UnlockReport>>;
  readonly volume?: (subject: Subject) => Promise<Outcome<VolumeReport>>;
  readonly #peer: Peer;
  readonly #counts = new Map<Operation, Record<Outcome<unknown>["outcome"], number>>();
  readonly #passedOver = new Map<string, number>();

  constructor(peer: Peer) {
    this.#peer = peer;
    const { unlock, volume } = peer;
    if (unlock !== undefined) {
      this.unlock = (subject) => this.#count("unlock", unlock.call(peer, subject));
    }
    if (volume !== undefined) {
      this.volume = (subject) => this.#count("info", volume.call(peer, subject));
    }
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

  /** Counts a question that the peer is not asked. */
  passOver(operation: Operation, reason: string): void {
    this.#add(operation, { outcome: "unsupported", message: reason });
  }

  async #count<T>(operation: Operation, answer: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const outcome = await answer;
    this.#add(operation, outcome);
    return outcome;
  }

  #add(operation: Operation, outcome: Outcome<unknown>): void {
    const counts = this.#counts.get(operation) ??
      { accepted: 0, rejected: 0, unsupported: 0, crashed: 0, "timed-out": 0 };
    counts[outcome.outcome]++;
    if (outcome.outcome === "unsupported") {
      this.#passedOver.set(outcome.message, (this.#passedOver.get(outcome.message) ?? 0) + 1);
    }
    this.#counts.set(operation, counts);
  }
}
