import type { CheckCounts, InfoReport, MapEntry } from "../format/mod.ts";
import type { VolumeReport } from "./volume.ts";

export type { InfoReport, MapEntry, VolumeReport };

/** The questions that an implementation can be asked. */
export type Operation = "probe" | "info" | "map" | "check" | "digest" | "unlock";

/**
 * An answer. A crash is never a rejection, and a question that an implementation has no answer for is
 * neither.
 */
export type Outcome<T> =
  | { readonly outcome: "accepted"; readonly value: T }
  | { readonly outcome: "rejected"; readonly message: string }
  | { readonly outcome: "unsupported"; readonly message: string }
  | { readonly outcome: "crashed"; readonly message: string }
  | { readonly outcome: "timed-out"; readonly message: string };

/**
 * `check` in qemu-img's shape: exit status and, but for status 63, the counts. A checker that cannot
 * open the image or gives up gives no report: that is a rejection.
 */
export interface CheckReport {
  /** 0 clean, 1 error, 2 corruptions, 3 leaks, 63 no checker for the format. */
  readonly exitCode: number;
  readonly counts?: CheckCounts;
}

/** A digest of the guest content. */
export interface DigestReport {
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes that went into it. */
  readonly length: number;
}

/** What became of a passphrase that opens a key slot. */
export interface UnlockReport {
  /** Number of the key slot; absent where the tool does not name it. */
  readonly slot?: number;
}

/** An image to ask about: a path, and what a peer must be told because the image does not say it. */
export interface Subject {
  readonly path: string;
  /** The format, where probing is not what is asked for. */
  readonly format?: string;
  /**
   * The directory that a peer answers in: `path` is relative to it, and so is the name of an
   * external data file, which is taken literally. The caller's own where absent.
   */
  readonly directory?: string;
  /**
   * What encrypted content is read with: the first one for the image itself, the next ones for its
   * backing files from the top down, the last one for all further ones. The reference tries each on all.
   */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of `path`, relative to `directory` like it. */
  readonly header?: string;
  /** Milliseconds that qemu-img is waited for, where that is less than it is given anyway. */
  readonly patienceMs?: number;
}

/** What of the guest content goes into a digest; all of it where nothing is said. */
export interface DigestScope {
  /** Id or name of an internal snapshot, read instead of the active content. */
  readonly snapshot?: string;
  /** In bytes; both are multiples of 512, and the range lies within the virtual size. */
  readonly range?: { readonly start: number; readonly length: number };
}

/** Members of a subject that not every peer can do something with. */
export type Taken = "passphrases" | "header";

/** Who answers. */
export interface PeerDescription {
  readonly name: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  /** The formats that it knows by name; any one where it names none. */
  readonly formats: readonly string[];
  /** What the peer takes in beside a path and a format; nothing where absent. */
  readonly takes?: readonly Taken[];
}

/**
 * An implementation under test. Images are passed by path; each question stands by itself; a peer
 * never throws for anything that an image can cause.
 */
export interface Peer {
  /** @throws {PeerError} when the implementation cannot be started at all */
  describe(): Promise<PeerDescription>;
  probe(subject: Subject): Promise<Outcome<{ format: string }>>;
  info(subject: Subject): Promise<Outcome<InfoReport>>;
  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>>;
  check(subject: Subject): Promise<Outcome<CheckReport>>;
  digest(subject: Subject, scope?: DigestScope): Promise<Outcome<DigestReport>>;
  /** Tries the first passphrase on the key slots of a LUKS volume. */
  unlock?(subject: Subject): Promise<Outcome<UnlockReport>>;
  /**
   * What a tool tells of a LUKS volume that knows nothing else: such a tool is asked this in place of
   * everything above, and `unlock`.
   */
  volume?(subject: Subject): Promise<Outcome<VolumeReport>>;
  /** Lets go of processes that the peer keeps. */
  close?(): Promise<void>;
}

/** A peer that cannot be started or breaks the protocol: not a verdict on any image. */
export class PeerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PeerError";
  }
}
