import type { CheckCounts, InfoReport, Json, MapEntry } from "../format/mod.ts";

export type { InfoReport, MapEntry };

/** The questions that an implementation can be asked. */
export type Operation = "probe" | "info" | "map" | "check" | "digest" | "unlock";

/** What an implementation can do with an image that it may keep open. */
export type ChangeOperation =
  | "create"
  | "read"
  | "write"
  | "write-zeroes"
  | "discard"
  | "flush"
  | "close"
  | "resize"
  | `snapshot-${"create" | "apply" | "delete"}`;

/** A change of an image, or `read`, with what its operation needs. Offsets and lengths are in bytes. */
export interface Change {
  /** What is done. */
  readonly operation: ChangeOperation;
  /** Where a range starts. */
  readonly offset?: number;
  /** Length of a range. */
  readonly length?: number;
  /** The bytes of `write`. */
  readonly data?: Uint8Array;
  /** The size of the disk after `create` or `resize`. */
  readonly size?: number;
  /** The name of the snapshot. */
  readonly snapshot?: string;
}

/** A change that was sent while others were in flight. */
export interface Overlapped {
  /** The answer; `read` has its bytes. */
  readonly outcome: Outcome<Uint8Array>;
  /** When it was sent, by a clock of which no two readings are the same. */
  readonly sent: number;
  /** When it was answered, by the same clock. */
  readonly answered: number;
}

/**
 * An answer. A crash is never a rejection, and an unsupported question is
 * neither.
 */
export type Outcome<T> =
  | { readonly outcome: "accepted"; readonly value: T }
  | { readonly outcome: "rejected"; readonly message: string }
  | {
    readonly outcome: "unsupported";
    readonly message: string;
    /** The feature that is missing, as docs/adapter.md lists it, where the implementation names it. */
    readonly feature?: string;
  }
  | FailedOutcome;

/** An implementation that failed to answer, whatever the image. */
export type FailedOutcome =
  | { readonly outcome: "crashed"; readonly message: string }
  | { readonly outcome: "timed-out"; readonly message: string }
  /** It used more memory than the limit that the caller set. */
  | { readonly outcome: "out-of-memory"; readonly message: string }
  /** It succeeded, and its answer does not have the shape that every answer has. */
  | {
    readonly outcome: "malformed-answer";
    readonly message: string;
    /** The start of the answer: printable ASCII, and every other byte as `\xNN`. */
    readonly printed: string;
  };

/** Whether an implementation failed to answer. */
export function hasFailed(outcome: Outcome<unknown>): outcome is FailedOutcome {
  return ["crashed", "timed-out", "out-of-memory", "malformed-answer"].includes(outcome.outcome);
}

/** The outcome with an answer. */
export function accepted<T>(value: T): Outcome<T> {
  return { outcome: "accepted", value };
}

/** The outcome of an image that is rejected. */
export function rejected(message: string): Outcome<never> {
  return { outcome: "rejected", message };
}

/** The outcome of a question that an implementation has no answer for. */
export function unsupported(message: string): Outcome<never> {
  return { outcome: "unsupported", message };
}

/**
 * `check` in qemu-img's shape: exit status and, except for status 63, the counts. A checker that
 * cannot open the image or gives up gives no report: that is a rejection.
 */
export interface CheckReport {
  /** 0 clean, 1 error, 2 corruptions, 3 leaks, 63 no checker for the format. */
  readonly exitCode: number;
  /** The counts that the tool printed. */
  readonly counts?: Partial<CheckCounts>;
}

/** A digest of the guest content. */
export interface DigestReport {
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes that went into it. */
  readonly length: number;
}

/** The result for a passphrase that opens a key slot. */
export interface UnlockReport {
  /** Number of the key slot; absent where the tool does not name it. */
  readonly slot?: number;
}

/**
 * What a tool prints of a LUKS volume: members of the `data` of qemu-img's format-specific information
 * of `luks`, and `cipher`, the name of the cipher alone; of LUKS version 2 what diskproof prints in that
 * place. What the tool does not print is absent.
 */
export type VolumeReport = { readonly [key: string]: Json };

/** What is known of an image of a chain before it is opened. */
export interface ChainImage {
  /** Name of the format. */
  readonly format: string;
  /** Whether its content is encrypted. */
  readonly encrypted: boolean;
}

/** An image to query, and what a peer has to know beside it. */
export interface Subject {
  /** Path of the image. */
  readonly path: string;
  /** The format; probed where absent. */
  readonly format?: string;
  /**
   * The directory that a peer answers in: `path` is relative to it, and so is the name of an
   * external data file, which is taken literally. The caller's own where absent.
   */
  readonly directory?: string;
  /**
   * The passphrases that encrypted content is read with: the first one for the image itself, the next
   * ones for its backing files from the top down, the last one for all further ones. The reference
   * tries each on all.
   */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of `path`, relative to `directory` like it. */
  readonly header?: string;
  /**
   * The outcome of the same question that is asked again: a long-lived adapter is started again first,
   * so that no earlier question plays a part.
   */
  readonly again?: Outcome<unknown>;
  /**
   * The images of the chain, the top one first, where the caller knows them: without this, qemu-img is
   * called first to learn which of them need a passphrase.
   */
  readonly chain?: readonly ChainImage[];
  /** Time limit for qemu-img in milliseconds, where that is less than its usual one. */
  readonly patienceMs?: number;
}

/** The part of the guest content that goes into a digest; all of it where nothing is said. */
export interface DigestScope {
  /** Id or name of an internal snapshot, read instead of the active content. */
  readonly snapshot?: string;
  /** In bytes; both are multiples of 512, and the range is within the virtual size. */
  readonly range?: { readonly start: number; readonly length: number };
}

/** Members of a subject that not every peer supports. */
export type Taken = "passphrases" | "header";

/** The description of a peer. */
export interface PeerDescription {
  /** Name of the implementation. */
  readonly name: string;
  /** The version. */
  readonly version: string;
  /** The language that it is written in. */
  readonly language?: string;
  /** Where it is published. */
  readonly homepage?: string;
  /** The operations that it supports. */
  readonly operations: readonly Operation[];
  /** The changes that it supports; none if absent. */
  readonly changes?: readonly ChangeOperation[];
  /** How many changes of an image it accepts at a time; one if absent. */
  readonly concurrent?: number;
  /** The formats that it supports; all formats if the list is empty. */
  readonly formats: readonly string[];
  /** What the peer supports beside a path and a format; nothing if absent. */
  readonly takes?: readonly Taken[];
  /** The features that the peer lists, where `*` stands for any text; absent if it lists none. */
  readonly features?: readonly string[];
}

/**
 * An implementation under test. Images are passed by path; each question is independent; a peer never
 * throws for anything that an image can cause.
 */
export interface Peer {
  /**
   * Name, version and operations of the implementation.
   *
   * @throws {PeerError} when the implementation cannot be started at all
   */
  describe(): Promise<PeerDescription>;
  /** The format of an image, as the implementation detects it. */
  probe(subject: Subject): Promise<Outcome<{ format: string }>>;
  /** The answer to `info`. */
  info(subject: Subject): Promise<Outcome<InfoReport>>;
  /** The answer to `map`. */
  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>>;
  /** The answer to `check`. */
  check(subject: Subject): Promise<Outcome<CheckReport>>;
  /** The SHA-256 of the content, or of a part of it. */
  digest(subject: Subject, scope?: DigestScope): Promise<Outcome<DigestReport>>;
  /** Tries the first passphrase on the key slots of a LUKS volume. */
  unlock?(subject: Subject): Promise<Outcome<UnlockReport>>;
  /**
   * The report of a tool that supports only LUKS volumes. Such a tool is queried only for this and for
   * `unlock`.
   */
  volume?(subject: Subject): Promise<Outcome<VolumeReport>>;
  /** Changes an image. The changes of an image go to one process, which may keep it open. */
  change?(subject: Subject, change: Change): Promise<Outcome<null>>;
  /**
   * Sends changes of an image to one process, in order and up to `atOnce` of them before an answer.
   * After one without an answer no other is sent.
   */
  overlap?(
    subject: Subject,
    changes: readonly Change[],
    atOnce: number,
  ): Promise<readonly Overlapped[]>;
  /** Ends the processes that the peer keeps at once, whatever they do, as a crash would. */
  kill?(): Promise<void>;
  /** Ends the processes that the peer keeps. */
  close?(): Promise<void>;
}

/** A peer that cannot be started or breaks the protocol: not a verdict on any image. */
export class PeerError extends Error {
  /** The name of the class. */
  static override readonly name: string = "PeerError";

  /** An error with this message. */
  constructor(message: string) {
    super(message);
    this.name = PeerError.name;
  }
}
