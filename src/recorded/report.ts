import type { Difference } from "../peers/mod.ts";
import type { KnownFailure } from "./known.ts";

/** A question that a peer answers differently than was recorded. */
export interface VerifyFailure {
  readonly image: string;
  /**
   * `probe`, `info`, `map`, `check`, `digest`, `digest of snapshot …`, `digest of START+LENGTH` or
   * `unlock with PASSPHRASE`.
   */
  readonly question: string;
  /**
   * Whose answer is recorded: `qemu-img 7.2.22`; `diskproof` if no tool has given one; empty if
   * any answer is accepted.
   */
  readonly recordedBy: readonly string[];
  /** Recorded answer left, the peer's right. */
  readonly differences: readonly Difference[];
}

/** The end of a verification. */
export interface VerifyReport {
  readonly images: number;
  readonly questions: number;
  /** Questions that the peer has no answer for. */
  readonly unsupported: number;
  readonly failures: readonly VerifyFailure[];
  /** Crashes, hangs and faults that are recorded of the peer itself, and are no failures. */
  readonly known: readonly KnownFailure[];
}

/** Several reports as one, with what differs in the order of the images. */
export function joinReports(reports: readonly VerifyReport[]): VerifyReport {
  const sum = (count: (report: VerifyReport) => number) =>
    reports.reduce((total, report) => total + count(report), 0);
  return {
    images: sum(({ images }) => images),
    questions: sum(({ questions }) => questions),
    unsupported: sum(({ unsupported }) => unsupported),
    failures: reports.flatMap(({ failures }) => failures).sort(byImage),
    known: reports.flatMap(({ known }) => known).sort(byImage),
  };
}

function byImage(a: { readonly image: string }, b: { readonly image: string }): number {
  return a.image < b.image ? -1 : a.image > b.image ? 1 : 0;
}
