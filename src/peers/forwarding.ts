import type {
  CheckReport,
  DigestReport,
  DigestScope,
  InfoReport,
  MapEntry,
  Outcome,
  Peer,
  PeerDescription,
  Subject,
  UnlockReport,
} from "./peer.ts";

/** What an accepted answer to each operation is. */
export interface Answers {
  readonly probe: { format: string };
  readonly info: InfoReport;
  readonly map: readonly MapEntry[];
  readonly check: CheckReport;
  readonly digest: DigestReport;
  readonly unlock: UnlockReport;
}

/** A peer that hands every question to one method. */
export abstract class ForwardingPeer implements Peer {
  abstract describe(): Promise<PeerDescription>;

  /** Answers any question. */
  protected abstract ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>>;

  probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return this.ask("probe", subject);
  }

  info(subject: Subject): Promise<Outcome<InfoReport>> {
    return this.ask("info", subject);
  }

  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return this.ask("map", subject);
  }

  check(subject: Subject): Promise<Outcome<CheckReport>> {
    return this.ask("check", subject);
  }

  digest(subject: Subject, scope?: DigestScope): Promise<Outcome<DigestReport>> {
    return this.ask("digest", subject, scope);
  }

  unlock(subject: Subject): Promise<Outcome<UnlockReport>> {
    return this.ask("unlock", subject);
  }
}
