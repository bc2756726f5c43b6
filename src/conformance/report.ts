import type { KnownFinding, PeerFinding } from "./finding.ts";

/** The kinds of reports. */
export const REPORT_FORMATS = ["json", "junit", "sarif", "markdown", "html", "badge"] as const;

/** A kind of report. */
export type ReportFormat = typeof REPORT_FORMATS[number];

/** A report to be written: `html=report.html`. */
export interface ReportFile {
  readonly format: ReportFormat;
  readonly path: string;
}

/** How an implementation does with the images that need a feature, or that are about some rules. */
export interface FeatureResult {
  /** The feature, or the start of the slugs of rules. */
  readonly feature: string;
  /** Whether it is about rules. */
  readonly isRules: boolean;
  /** The meaning of the feature. */
  readonly says?: string;
  /** Questions that are answered as expected, wrongly, and not at all. */
  readonly right: number;
  readonly wrong: number;
  readonly unsupported: number;
  /** Names of the images with a wrong answer. */
  readonly failing: readonly string[];
}

/** What was found out about one implementation. */
export interface PeerResult {
  readonly name: string;
  readonly version: string;
  /** Images and questions that it was asked about. */
  readonly images: number;
  readonly questions: number;
  /** Questions that it has no answer to. */
  readonly unsupported: number;
  /** The worst first; known ones say so. */
  readonly findings: readonly PeerFinding[];
  /** Findings that are left out because they could be used in an attack. */
  readonly withheld?: number;
  /** Known, and not found in this run. */
  readonly notMet: readonly KnownFinding[];
  /** Questions without an answer because of a feature that it does not list, by feature. */
  readonly lacking: Readonly<Record<string, number>>;
  /** Why other questions have no answer, and how many for each reason. */
  readonly skipped: readonly { readonly reason: string; readonly questions: number }[];
  /** By feature, for a matrix. */
  readonly features: readonly FeatureResult[];
}

/** A run over one implementation or several. */
export interface ConformanceReport {
  /** The version of diskproof. */
  readonly version: string;
  /** When the run started, in ISO 8601. */
  readonly when: string;
  /** The command line of the run. */
  readonly command: string;
  readonly peers: readonly PeerResult[];
}
