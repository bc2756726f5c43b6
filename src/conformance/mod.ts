/**
 * What is wrong with an implementation, as its maintainer needs it: failures grouped by their cause,
 * findings that are known already, and reports.
 *
 * Invariants:
 *
 * - One cause is one finding, however many images and questions show it.
 * - Findings are in the order of severity, and nothing is left out of them: what a report does not
 *   show is counted.
 * - Everything here is a pure function of its arguments; no file is read or written.
 * - Texts of images and of implementations are escaped for each kind of report.
 *
 * @module
 */

export {
  answerTexts,
  caseOf,
  type Cause,
  causeOfFeature,
  causeOfRule,
  type FindingCase,
  FindingList,
  kindOf,
  type KnownFinding,
  type PeerFinding,
} from "./finding.ts";
export { type CaseCommands, PeerCollector } from "./collect.ts";
export { causesOf } from "./cause.ts";
export type { Observation } from "./observation.ts";
export {
  KnownFindingsError,
  type KnownResult,
  knownText,
  parseKnown,
  withKnown,
  withNewFindings,
} from "./known.ts";
export {
  type ConformanceReport,
  type FeatureResult,
  type PeerResult,
  REPORT_FORMATS,
  type ReportFile,
  type ReportFormat,
} from "./report.ts";
export { badge } from "./badge.ts";
export { githubAnnotations } from "./github.ts";
export { type ByteRange, changedRanges, type Picture, pictureOf } from "./picture.ts";
export { renderReport, withEmbargo } from "./write.ts";
export {
  countText,
  evidenceText,
  expectationText,
  findingLines,
  findingTitle,
  ruleText,
  scoreOf,
  summaryLine,
} from "./text.ts";
