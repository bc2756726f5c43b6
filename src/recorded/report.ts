import type { Expectation } from "../expect/mod.ts";
import type { Difference, FailureKind } from "../peers/mod.ts";
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
  /** The kind of failure, where the peer is compared with what the format expects. */
  readonly kind?: FailureKind;
  /** What the format expects. */
  readonly expectation?: Expectation;
}

/** The end of a verification. */
export interface VerifyReport {
  readonly images: number;
  readonly questions: number;
  /** Questions that the peer has no answer for. */
  readonly unsupported: number;
  /** Questions without an answer because of a feature that the peer does not list, by feature. */
  readonly lacking?: Readonly<Record<string, number>>;
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
    ...lackingOf(reports),
    failures: reports.flatMap(({ failures }) => failures).sort(byImage),
    known: reports.flatMap(({ known }) => known).sort(byImage),
  };
}

function lackingOf(reports: readonly VerifyReport[]): Pick<VerifyReport, "lacking"> {
  const sums: Record<string, number> = {};
  for (const { lacking = {} } of reports) {
    for (const [feature, count] of Object.entries(lacking)) {
      sums[feature] = (sums[feature] ?? 0) + count;
    }
  }
  return Object.keys(sums).length === 0 ? {} : { lacking: sums };
}

function byImage(a: { readonly image: string }, b: { readonly image: string }): number {
  return a.image < b.image ? -1 : a.image > b.image ? 1 : 0;
}
