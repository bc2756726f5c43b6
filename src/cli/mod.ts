/**
 * The command line.
 *
 * Invariants:
 *
 * - A verb is one file, and says itself what it needs beyond reading files; nothing else is left to it.
 * - Results go to standard output, in one form; what goes wrong is one line on standard error.
 * - Exit status (but for `check`): 0 all as expected, 1 the image or the thing under test is at fault,
 *   2 the command line or a file cannot be used, 3 a peer could not be started, 70 a bug of ours.
 *
 * @module
 */

export { main } from "./main.ts";
export { ImageError, type Permission, UsageError, type Verb } from "./verb.ts";
