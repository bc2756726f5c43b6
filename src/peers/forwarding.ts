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
  /** The format of an image, as the implementation detects it. */
  readonly probe: { format: string };
  /** The answer to `info`. */
  readonly info: InfoReport;
  /** The answer to `map`. */
  readonly map: readonly MapEntry[];
  /** The answer to `check`. */
  readonly check: CheckReport;
  /** The SHA-256 of the content, or of a part of it. */
  readonly digest: DigestReport;
  /** Whether a passphrase opens the volume. */
  readonly unlock: UnlockReport;
}

/** A peer that hands every question to one method. */
export abstract class ForwardingPeer implements Peer {
  /** Name, version and operations of the implementation. */
  abstract describe(): Promise<PeerDescription>;

  /** Answers any question. */
  protected abstract ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>>;

  /** The format of an image, as the implementation detects it. */
  probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return this.ask("probe", subject);
  }

  /** The answer to `info`. */
  info(subject: Subject): Promise<Outcome<InfoReport>> {
    return this.ask("info", subject);
  }

  /** The answer to `map`. */
  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return this.ask("map", subject);
  }

  /** The answer to `check`. */
  check(subject: Subject): Promise<Outcome<CheckReport>> {
    return this.ask("check", subject);
  }

  /** The SHA-256 of the content, or of a part of it. */
  digest(subject: Subject, scope?: DigestScope): Promise<Outcome<DigestReport>> {
    return this.ask("digest", subject, scope);
  }

  unlock(subject: Subject): Promise<Outcome<UnlockReport>> {
    return this.ask("unlock", subject);
  }
}
