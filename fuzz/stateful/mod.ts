/**
 * Sequences of changes to an image, and what is expected of the image after them.
 *
 * Invariants:
 *
 * - What is expected follows from the model of the image and the actions alone. No writer is trusted.
 * - A step names nothing: it counts, so that it means something for any image.
 * - A sequence is a list of plain values. It is stored, replayed and made smaller like any case.
 *
 * @module
 */

export { actionOf, describeAction } from "./action.ts";
export type { Action } from "./step.ts";
export { changeOf, factsFor } from "./changes.ts";
export { commandOf } from "./commands.ts";
export { type CrashBounds, CrashLog } from "./crash_log.ts";
export { type CrashOptions, runToCrash, verifyCrashed } from "./crash.ts";
export { Disk } from "./disk.ts";
export { whole } from "./marks.ts";
export { contradictionIn, type TimedRequest } from "./overlap.ts";
export { PeerFiles, UnsupportedImage } from "./peer.ts";
export { type KnownFailure, QEMU_FAILURES } from "./known.ts";
export { QemuFiles, QemuLacks } from "./qemu.ts";
export { type Abilities, abilitiesOf, ReferenceFiles, type ReferenceOptions } from "./reference.ts";
export { actionsOf, runSequence, type SequenceOptions, type SequenceReport } from "./sequence.ts";
export type { ScriptAdapter } from "./adapter_script.ts";
export { type Access, accessOf, scriptOf } from "./script.ts";
export { emptyState, startOf } from "./start.ts";
export { after, afterRejected, mayReject, type State } from "./state.ts";
export { requireStep, type Step, stepLists, type TurnStep } from "./step.ts";
export { verify } from "./verify.ts";
export type { Start, Writer } from "./writer.ts";
