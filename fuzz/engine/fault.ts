import * as fc from "fast-check";
import {
  type CaseReport,
  Failure,
  type FailureDetails,
  type Target,
  type TargetContext,
} from "./target.ts";

/**
 * What kind of failure a case meets. `malformed-answer`: a tool that is compared with did not print an
 * answer; `peer`: a tool could not be started; `harness`: the machine lacks
 * something. Neither says anything about the case.
 */
export type FaultKind = "crash" | "malformed-answer" | "timeout" | "oom" | "peer" | "harness";

/** Why a case fails, as plain data. Faults of the same kind and signature are the same failure. */
export interface Fault extends Omit<FailureDetails, "kind"> {
  readonly kind: FaultKind;
  readonly signature: string;
  readonly message: string;
  /** Frames in this repository, innermost first: `src/qcow2/l2.ts:40:3 readEntry`. */
  readonly stack: readonly string[];
}

/** How a run of one case ended. */
export type Attempt = CaseReport | Fault;

/** Whether a case failed. */
export function isFault(attempt: Attempt): attempt is Fault {
  return "signature" in attempt;
}

/** Whether a fault says nothing about the case. */
export function isTrouble({ kind }: Fault): boolean {
  return kind === "peer" || kind === "harness";
}

/** Identifies a failure within a target. */
export function nameOf({ kind, signature }: Fault): string {
  return `${kind} ${signature}`;
}

/** Signatures of hangs and the like in no particular step, which earlier releases stored for all. */
const ANYWHERE: readonly string[] = ["timeout", "out of memory"];

/** Whether two failures are the same one. */
export function sameFault(a: Fault, b: Fault): boolean {
  const anywhere = [a, b].some(({ signature }) => ANYWHERE.includes(signature));
  return a.kind === b.kind && (a.signature === b.signature || anywhere);
}

/** Runs one case. Costs no promise for a target that answers without one. */
export function attempt(
  target: Target,
  value: unknown,
  context: TargetContext,
): Attempt | Promise<Attempt> {
  try {
    const report = target.run(value, context);
    return report instanceof Promise ? report.catch(attemptOf) : report;
  } catch (error) {
    return attemptOf(error);
  }
}

/** The result of a case that threw. */
function attemptOf(error: unknown): Attempt {
  if (fc.PreconditionFailure.isFailure(error)) {
    return { depth: "header", rules: [], skipped: "precondition" };
  }
  return faultOf(error);
}

/** Names of the errors of src/peers. */
const PEER_ERRORS: readonly string[] = ["PeerError", "ToolError"];

/** Names of other errors that no case causes; the last one is Deno's for a missing permission. */
const HARNESS_ERRORS: readonly string[] = ["HarnessError", "ScratchError", "NotCapable"];

/** Error codes for limits of the machine. */
const SYSTEM_CODES: readonly string[] = ["ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EMFILE", "ENFILE"];

function troubleOf(error: Error): "peer" | "harness" | undefined {
  if (PEER_ERRORS.includes(error.name)) return "peer";
  const { code } = error as { readonly code?: unknown };
  const system = typeof code === "string" && SYSTEM_CODES.includes(code);
  return system || HARNESS_ERRORS.includes(error.name) ? "harness" : undefined;
}

/** The fault of a thrown value. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) {
    return {
      kind: "crash",
      signature: `thrown ${typeof error}`,
      message: String(error),
      stack: [],
    };
  }
  const stack = framesOf(error.stack ?? "");
  const { message } = error;
  if (error instanceof Failure) {
    return { kind: "crash", signature: error.signature, message, stack, ...error.details };
  }
  const trouble = troubleOf(error);
  if (trouble !== undefined) return { kind: trouble, signature: trouble, message, stack };
  if (isOutOfMemory(message)) return { kind: "oom", signature: "out of memory", message, stack };
  return {
    kind: "crash",
    signature: signatureOf(error, stack),
    message: `${error.name}: ${message}`,
    stack,
  };
}

/** V8's messages for a failed allocation, in an error and at the end of a worker. */
function isOutOfMemory(message: string): boolean {
  return /allocation failed|out of memory|memory limit/i.test(message);
}

/**
 * Class and place without line numbers, so that the signature stays when the file changes. A stack
 * overflow has no place: it differs from run to run.
 */
function signatureOf(error: Error, stack: readonly string[]): string {
  if (error.message.startsWith("Maximum call stack")) return "stack overflow";
  const place = stack[0]?.replace(/:\d+:\d+/, "");
  return place === undefined ? error.name : `${error.name} at ${place}`;
}

const ROOT = new URL("../../", import.meta.url).href;
const FRAME = /^\s*at (?:async )?(?:(?:new )?(.*?) \()?([^()\s]+?:\d+:\d+)\)?$/;

/** The frames of a V8 stack in this repository, without those of the engine. */
function framesOf(stack: string): string[] {
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    const [, name, place] = FRAME.exec(line) ?? [];
    if (place === undefined || !place.startsWith(ROOT)) continue;
    const path = place.slice(ROOT.length);
    if (path.startsWith("fuzz/engine/")) continue;
    frames.push(name === undefined ? path : `${path} ${plainName(name)}`);
  }
  return frames;
}

/** The name of a function without its receiver: `Object.run [as reader]` is `run`. */
function plainName(name: string): string {
  return name.replace(/ \[as .*\]$/, "").replace(/^Object\./, "");
}
