import type { Cause } from "./finding.ts";
import type { Observation } from "./observation.ts";

/** Longest name of a cause. */
const NAME_MAX = 100;

/**
 * The cause of crashes and hangs with the same message, where the images are about different things:
 * one bug that many images meet.
 *
 * @param failing crashes and hangs that no feature explains, and other failures, which are ignored
 * @param nameOf what a failure is counted as on its own
 */
export function bySymptom(
  failing: readonly Observation[],
  observed: readonly Observation[],
  nameOf: (failure: Observation) => string,
): Map<Observation, Cause> {
  const kept = new Set(
    observed.filter(({ kind, rule }) => kind === undefined && rule !== undefined)
      .map(({ operation, rule }) => `${operation} ${rule}`),
  );
  const causes = new Map<Observation, Cause>();
  for (const { isHang, symptom, failures } of groupsOf(failing)) {
    // A message that says nothing has many causes: a rule is one if the image that keeps it passes.
    const alike = isTelling(symptom)
      ? failures
      : failures.filter(({ operation, rule }) => !kept.has(`${operation} ${rule}`));
    if (new Set(alike.map(nameOf)).size < 2) continue;
    const cause = causeOfSymptom(symptom, isHang);
    for (const failure of alike) causes.set(failure, cause);
  }
  return causes;
}

interface Group {
  readonly isHang: boolean;
  readonly symptom: readonly string[];
  readonly failures: Observation[];
}

/** Failures of one kind with the same message, or with a longer one: the end of it may be lost. */
function groupsOf(failing: readonly Observation[]): Group[] {
  const groups: Group[] = [];
  const all = failing.filter(({ kind }) => kind === "crash" || kind === "hang")
    .map((failure) => ({ failure, symptom: linesOf(failure) }))
    .sort((a, b) => a.symptom.length - b.symptom.length);
  for (const { failure, symptom } of all) {
    const isHang = failure.kind === "hang";
    const group = groups.find((it) =>
      it.isHang === isHang && isTelling(it.symptom) === isTelling(symptom) &&
      it.symptom.every((line, at) => line === symptom[at])
    );
    if (group !== undefined) group.failures.push(failure);
    else groups.push({ isHang, symptom, failures: [failure] });
  }
  return groups;
}

/** The lines of a message without what differs from run to run: folders, numbers and addresses. */
function linesOf({ kind, message = "" }: Observation): readonly string[] {
  if (kind === "hang") return [];
  return message.trim().replaceAll(/\S*\//g, "")
    .replaceAll(/0x[0-9a-f]+|\d+/gi, "N").split("\n").map((line) => line.trimEnd());
}

/** Whether a message says more than that there was a crash, such as `SIGSEGV` or `panic`. */
function isTelling([first = "", ...more]: readonly string[]): boolean {
  return more.length > 0 || first.replace(/^SIG[A-Z]+:?/, "").trim().includes(" ");
}

/** The line of a message that names the cause: the last one of a stack trace of Python. */
function causeOfSymptom(symptom: readonly string[], isHang: boolean): Cause {
  const [first = isHang ? "no answer in time" : ""] = symptom;
  const line = first.startsWith("Traceback") ? symptom.at(-1) ?? first : first;
  return {
    type: "message",
    name: line.slice(0, NAME_MAX) || "no message",
    says: "the same for images that have no feature and no rule in common",
  };
}
