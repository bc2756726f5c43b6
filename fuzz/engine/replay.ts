import type { Sidecar } from "./artifact.ts";
import type { Crew } from "./crew.ts";
import type { Dossier } from "./dossier.ts";
import { fingerprint } from "./extents.ts";
import { type Fault, isFault, isTrouble, sameFault } from "./fault.ts";
import { Finding } from "./finding.ts";
import type { Answer, CaseRef, Found } from "./protocol.ts";
import { parsePath } from "./random.ts";

/** The result of a replay. */
export interface Replay {
  /**
   * `same`: it fails as before; `other`: it fails in another way; `skipped`: a tool or a feature that it
   * needs is missing; `unusable`: it is not a case of the target.
   */
  readonly verdict: "same" | "other" | "passed" | "skipped" | "unusable";
  /** How it fails now. */
  readonly fault?: Fault;
  /** Why it was skipped or is unusable. */
  readonly reason?: string;
  /** Names of files that differ from the stored ones. */
  readonly changedFiles: readonly string[];
}

/** Runs a stored case once. */
export async function replay(sidecar: Sidecar, crew: Crew): Promise<Replay> {
  const ref = refOf(sidecar);
  if (ref === undefined) return unusable(`'${sidecar.path}' is not the path of a case`);
  return replayIn(sidecar, await crew.once({ ask: "replay", ref }));
}

/** What the answer of a worker says about a stored case. */
export function replayIn(sidecar: Sidecar, answer: Answer): Replay {
  if (answer.say === "lost") return judged(sidecar, answer.fault, []);
  if (answer.say === "refused") {
    return answer.trouble === true ? skipped(answer.message) : unusable(answer.message);
  }
  if (answer.say !== "replayed") return unusable("the worker did not answer the question");
  const changedFiles = changesIn(sidecar, answer.dossier);
  if (isFault(answer.attempt)) return judged(sidecar, answer.attempt, changedFiles);
  const { skipped: reason } = answer.attempt;
  return reason === undefined
    ? { verdict: "passed", changedFiles }
    : { ...skipped(reason), changedFiles };
}

/**
 * Makes a stored case smaller.
 *
 * @returns the smaller case, or why there is none
 */
export async function minimize(
  sidecar: Sidecar,
  crew: Crew,
  milliseconds: number,
): Promise<Found | string> {
  const ref = refOf(sidecar);
  if (ref === undefined) return `'${sidecar.path}' is not the path of a case`;
  const { kind, signature, message, stack } = sidecar;
  const finding = new Finding({ ref, fault: { kind, signature, message, stack } });
  await finding.shrink({ crew, job: 0, milliseconds, met: () => {} });
  if (finding.failsAgain === false) return "the case no longer fails in that way";
  return await finding.found(crew);
}

/** The stored case; `undefined` if its path is not one. */
export function refOf(sidecar: Sidecar): CaseRef | undefined {
  const place = parsePath(sidecar.path);
  if (place === undefined) return undefined;
  const { target, seed } = sidecar;
  return {
    target,
    seed,
    ...place,
    ...(sidecar.case === undefined ? {} : { case: sidecar.case }),
  };
}

function unusable(reason: string): Replay {
  return { verdict: "unusable", reason, changedFiles: [] };
}

function skipped(reason: string): Replay {
  return { verdict: "skipped", reason, changedFiles: [] };
}

function judged(sidecar: Sidecar, fault: Fault, changedFiles: readonly string[]): Replay {
  if (isTrouble(fault)) return { ...skipped(fault.message), changedFiles };
  const stored = { ...fault, kind: sidecar.kind, signature: sidecar.signature };
  return { verdict: sameFault(stored, fault) ? "same" : "other", fault, changedFiles };
}

/** Another release may build other bytes for the same case. */
function changesIn(sidecar: Sidecar, dossier: Dossier): string[] {
  const now = new Map(dossier.files.map((file) => [file.name, fingerprint(file)]));
  return sidecar.files.filter((file) => now.get(file.name) !== file.fingerprint)
    .map((file) => file.name);
}
