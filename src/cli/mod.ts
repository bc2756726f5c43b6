/**
 * The command line.
 *
 * Invariants:
 *
 * - A verb is one module, loaded when it is called. The list of verbs names the permissions that it
 *   needs in addition to reading files; all others are dropped.
 * - Results go to standard output, in one form. An error is one line on standard error.
 * - Exit status (except for `check`): 0 success, 1 the image or the thing under test is at fault, 2 the
 *   command line or a file cannot be used, 3 a peer could not be started, 70 a bug of diskproof.
 *
 * @module
 */

export { usersDirectory } from "./directory.ts";
export { main } from "./main.ts";
export { didYouMean } from "./nearest.ts";
export { type OptionNames, type Options, parseOptions, wholeNumber } from "./options.ts";
export { complain, jsonLine, print, Printer, writeAll } from "./output.ts";
export {
  type NamedPeer,
  namedPeer,
  type NamedPeerOptions,
  type PeerKind,
  PEERS_HELP,
} from "./peers.ts";
export { KNOWN_HELP, readKnown, writeKnown, writeReportFile } from "./known_file.ts";
export { type ImageChoice, patternOf, recordedImages } from "./recorded_images.ts";
export { REPORT_HELP, reportFiles, type ReportOptions, writeReports } from "./report_files.ts";
export { runProgram } from "./program.ts";
export { verbs } from "./verbs.ts";
export { unsupportedFormat, whyUnreadable } from "./reasons.ts";
export { ImageError, type Permission, UsageError, type Verb, type VerbEntry } from "./verb.ts";
