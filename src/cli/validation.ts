import type { Difference, Operation, OutcomeCounts, PeerDescription } from "../peers/mod.ts";
import type { GoldenFailure, GoldenRecord, GoldenReport, KnownFailure } from "../recorded/mod.ts";
import { tableLines, visible } from "../report/mod.ts";

/** What became of the questions of one operation. */
export interface OperationSums {
  readonly operation: Operation;
  readonly same: number;
  readonly differs: number;
  readonly unsupported: number;
  /** Crashed, or gave no answer in time, and is not known to. */
  readonly crashed: number;
  /** Crashed or hung as is recorded of this tool. */
  readonly known: number;
}

/** What a validation comes to. */
export interface Validation {
  readonly images: number;
  readonly sums: readonly OperationSums[];
  /** Why questions had no answer, and how many each reason is that of; the most frequent first. */
  readonly passedOver: readonly { readonly reason: string; readonly questions: number }[];
  readonly differences: readonly GoldenFailure[];
  /** Crashes, hangs and wrong answers that are recorded of the peer itself. */
  readonly known: readonly KnownFailure[];
}

/** What a peer has answered, as `TallyPeer` counts it. */
export interface Answered {
  readonly counts: ReadonlyMap<Operation, OutcomeCounts>;
  readonly passedOver: ReadonlyMap<string, number>;
}

/** Puts together what differs and what was answered. */
export function validationOf(
  report: GoldenReport,
  { counts, passedOver }: Answered,
): Validation {
  const differences = toldFailures(report.failures);
  const sums = [...counts].map(([operation, outcomes]) => {
    const failed = new Map<string, boolean>();
    for (const failure of differences) {
      if (operationOf(failure) !== operation) continue;
      const key = `${failure.image} ${failure.question}`;
      failed.set(key, (failed.get(key) ?? false) || hasCrashed(failure));
    }
    const differs = [...failed.values()].filter((crashed) => !crashed).length;
    const { accepted, rejected, unsupported } = outcomes;
    const known = report.known.filter((it) => {
      return it.kind !== "fault" && !it.gone && operationOf(it) === operation;
    }).length;
    const crashed = outcomes.crashed + outcomes["timed-out"] - known;
    const same = accepted + rejected - differs;
    return { operation, same, differs, unsupported, crashed, known };
  });
  const reasons = [...passedOver].map(([reason, questions]) => ({ reason, questions }))
    .sort((a, b) => b.questions - a.questions);
  const { images, known } = report;
  return { images, sums, passedOver: reasons, differences, known };
}

/** `digest of snapshot x` is a digest. */
function operationOf({ question }: Pick<GoldenFailure, "question">): string {
  return question.split(" ")[0] ?? question;
}

function hasCrashed({ differences }: GoldenFailure): boolean {
  return differences.some(({ path, right }) => {
    const outcome = path === "" ? (right as { outcome?: unknown } | undefined)?.outcome : undefined;
    return outcome === "crashed" || outcome === "timed-out";
  });
}

/** Failures without the members that the peer does not tell, as far as more is left of them. */
export function toldFailures(failures: readonly GoldenFailure[]): GoldenFailure[] {
  return failures.flatMap((failure) => {
    const differences = failure.differences.filter((difference) => !isUntold(difference));
    return differences.length === 0 ? [] : [{ ...failure, differences }];
  });
}

/** Whether the peer leaves out a member; an item that is missing in a list is something else. */
function isUntold({ path, right }: Difference): boolean {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return right === undefined && path !== "" && !/^\d+$/.test(last);
}

/** Differences that are listed of one answer, and answers that are listed. */
const LISTED = 8;
export const ANSWERS_LISTED = 50;
const REASONS_LISTED = 10;

/** An answer that differs, for a person: where, what the image is, and how to ask about it again. */
export function failureLines(failure: GoldenFailure, { changes = [] }: GoldenRecord): string[] {
  const { image, question, differences } = failure;
  return [
    `${image}: ${question} ${sideOf(failure)}`,
    ...differences.slice(0, LISTED).map(differenceLine),
    ...(differences.length > LISTED ? ["  …"] : []),
    ...changes.map((change) => `  the image: ${change}`),
    `  again with: --only ${image}`,
  ].map(visible);
}

/** An answer that differs, for a program. */
export function failureJson(failure: GoldenFailure, { changes = [] }: GoldenRecord): string {
  return JSON.stringify({ event: "difference", ...failure, changes });
}

/** The end of a validation, for a person. */
export function summaryLines(
  { images, sums, passedOver, differences, known }: Validation,
  { name, version }: PeerDescription,
): string[] {
  const rows = sums.map(({ operation, same, differs, unsupported, crashed }) =>
    [operation, same, differs, unsupported, crashed].map(String)
  );
  const heading = ["operation", "same", "differs", "unsupported", "crashed"];
  const more = differences.length - ANSWERS_LISTED;
  return [
    ...(more > 0 ? [`… ${more} more answers differ; --json lists all of them`] : []),
    ...(differences.length === 0 ? [] : [""]),
    visible(`${name} ${version} over ${images} recorded images`),
    "",
    ...tableLines({ heading, rows }),
    ...knownLines(known),
    ...reasonLines(passedOver),
  ];
}

function sideOf({ recordedBy }: GoldenFailure): string {
  return recordedBy.length === 0
    ? "has no answer, and any one would do"
    : `differs from ${recordedBy.join(", ")}`;
}

/** What is recorded of the peer that no answer is; nothing where there is no such record. */
function knownLines(known: readonly KnownFailure[]): string[] {
  if (known.length === 0) return [];
  const count = (kind: KnownFailure["kind"]) =>
    known.filter((it) => it.kind === kind && !it.gone).length;
  const gone = known.filter((it) => it.gone);
  return [
    "",
    `crashes as recorded: ${count("crash")}`,
    `hangs as recorded: ${count("hang")}`,
    `wrong answers as recorded: ${count("fault")}`,
    `such that are recorded and gone: ${gone.length}`,
    ...gone.slice(0, ANSWERS_LISTED).map(({ image, question, version }) =>
      visible(`  ${image}: ${question}, of version ${version}`)
    ),
  ];
}

/** Why questions were passed over; nothing where all were answered. */
function reasonLines(passedOver: Validation["passedOver"]): string[] {
  if (passedOver.length === 0) return [];
  const rows = passedOver.slice(0, REASONS_LISTED).map(({ reason, questions }) => [
    String(questions),
    visible(reason === "" ? "no reason given" : reason),
  ]);
  const more = passedOver.length - REASONS_LISTED;
  return [
    "",
    ...tableLines({ heading: ["unsupported", "because"], rows }),
    ...(more > 0 ? [`… ${more} more reasons; --json lists all of them`] : []),
  ];
}

function differenceLine({ path, left, right }: Difference): string {
  const text = (value: unknown): string => value === undefined ? "nothing" : JSON.stringify(value);
  return `  ${path === "" ? "/" : path}: ${text(left)} recorded, ${text(right)} here`;
}

/** The end of a validation, for a program: a line for each known failure, then one with the sums. */
export function jsonLines(validation: Validation, peer: PeerDescription): string[] {
  const { images, sums, passedOver, known } = validation;
  return [
    ...known.map((failure) => JSON.stringify({ event: "known", ...failure })),
    JSON.stringify({
      event: "summary",
      peer: peer.name,
      version: peer.version,
      images,
      sums,
      passedOver,
    }),
  ];
}
