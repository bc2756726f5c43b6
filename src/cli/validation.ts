import { visible } from "../format/mod.ts";
import {
  type Difference,
  hasFailed,
  type Operation,
  type Outcome,
  type OutcomeCounts,
  type PeerDescription,
} from "../peers/mod.ts";
import type { Expectation } from "../expect/mod.ts";
import type { ImageRecord, KnownFailure, VerifyFailure, VerifyReport } from "../recorded/mod.ts";
import { tableLines } from "../report/mod.ts";

/** The results of the questions of one operation. */
export interface OperationSums {
  readonly operation: Operation;
  readonly same: number;
  readonly differs: number;
  readonly unsupported: number;
  /** Crashed, and no such crash is recorded. */
  readonly crashed: number;
  /** Gave no answer in time, and no such hang is recorded. */
  readonly timedOut: number;
  /** Gave a malformed answer. */
  readonly malformed: number;
  /** Crashed or hung as recorded for this tool. */
  readonly known: number;
}

/** The result of a validation. */
export interface Validation {
  readonly images: number;
  readonly sums: readonly OperationSums[];
  /** Why questions had no answer, and how many for each reason; the most frequent first. */
  readonly passedOver: readonly { readonly reason: string; readonly questions: number }[];
  readonly differences: readonly VerifyFailure[];
  /** Recorded crashes, hangs and wrong answers of the peer itself. */
  readonly known: readonly KnownFailure[];
}

/** The answers of a peer, as `TallyPeer` counts them. */
export interface Answered {
  readonly counts: ReadonlyMap<Operation, OutcomeCounts>;
  readonly skipped: ReadonlyMap<string, number>;
}

/** Combines the differences and the counts of answers. */
export function validationOf(report: VerifyReport, { counts, skipped }: Answered): Validation {
  const differences = reportedFailures(report.failures);
  const sums = [...counts].map(([operation, outcomes]) => {
    const own = differences.filter((failure) => operationOf(failure) === operation);
    const answered = own.filter((failure) => !gaveNoAnswer(failure));
    const differs = new Set(answered.map(({ image, question }) => `${image} ${question}`)).size;
    const knownOf = (kind: KnownFailure["kind"]) =>
      report.known.filter((it) => {
        return it.kind === kind && !it.gone && operationOf(it) === operation;
      }).length;
    const [crashes, hangs] = [knownOf("crash"), knownOf("hang")];
    return {
      operation,
      same: outcomes.accepted + outcomes.rejected - differs,
      differs,
      unsupported: outcomes.unsupported,
      crashed: outcomes.crashed - crashes,
      timedOut: outcomes["timed-out"] - hangs,
      malformed: outcomes["malformed-answer"],
      known: crashes + hangs,
    };
  });
  const passedOver = [...skipped].map(([reason, questions]) => ({ reason, questions }))
    .sort((a, b) => b.questions - a.questions);
  const { images, known } = report;
  return { images, sums, passedOver, differences, known };
}

/** The operation of a question: `digest of snapshot x` is a digest. */
function operationOf({ question }: Pick<VerifyFailure, "question">): string {
  return question.split(" ")[0] ?? question;
}

/** Whether the peer failed to answer: such differences are not counted as answers that differ. */
function gaveNoAnswer({ differences }: VerifyFailure): boolean {
  return differences.some(({ path, right }) =>
    path === "" && typeof right === "object" && right !== null &&
    hasFailed(right as unknown as Outcome<unknown>)
  );
}

/** The failures without the members that the peer leaves out, if other parts differ as well. */
export function reportedFailures(failures: readonly VerifyFailure[]): VerifyFailure[] {
  return failures.flatMap((failure) => {
    const differences = failure.differences.filter((difference) => !isLeftOut(difference));
    return differences.length === 0 ? [] : [{ ...failure, differences }];
  });
}

/** Whether the peer leaves out a member; an item that is missing in a list is something else. */
function isLeftOut({ path, right }: Difference): boolean {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return right === undefined && path !== "" && !/^\d+$/.test(last);
}

/** The limits on listed differences per answer, and on listed answers. */
const LISTED = 8;
export const ANSWERS_LISTED = 50;
const REASONS_LISTED = 10;

/** An answer that differs, for a person: where, what the image is, and how to query it again. */
export function failureLines(failure: VerifyFailure, { changes = [] }: ImageRecord): string[] {
  const { image, question, differences } = failure;
  return [
    `${image}: ${question}${sideOf(failure)}`,
    ...differences.slice(0, LISTED).map(differenceLine),
    ...(differences.length > LISTED ? ["  …"] : []),
    ...changes.map((change) => `  the image: ${change}`),
    `  again with: --only ${image}`,
  ].map(visible);
}

/** An answer that differs, for a program. */
export function failureJson(failure: VerifyFailure, { changes = [] }: ImageRecord): string {
  return JSON.stringify({ event: "difference", ...failure, changes });
}

/** The result of a validation, for a person. */
export function summaryLines(
  { images, sums, passedOver, differences, known }: Validation,
  { name, version }: PeerDescription,
): string[] {
  const heading = [
    "operation",
    "same",
    "differs",
    "unsupported",
    "crashed",
    "timed out",
    "malformed",
  ];
  const rows = sums.map((it) =>
    [it.operation, it.same, it.differs, it.unsupported, it.crashed, it.timedOut, it.malformed]
      .map(String)
  );
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

function sideOf({ recordedBy, kind, expectation }: VerifyFailure): string {
  if (kind?.startsWith("wrong-")) return `: ${kind}, differs from ${recordedBy.join(", ")}`;
  if (kind !== undefined) return `: ${kind}, ${expectationText(expectation)}`;
  return recordedBy.length === 0
    ? " has no answer, and any answer passes"
    : ` differs from ${recordedBy.join(", ")}`;
}

function expectationText({ verdict, rules = [] }: Expectation = { verdict: "either" }): string {
  return rules.length === 0 ? `expected ${verdict}` : `expected ${verdict} (${rules.join(", ")})`;
}

/** The recorded failures of the peer; no lines if there are none. */
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
    `recorded and gone: ${gone.length}`,
    ...gone.slice(0, ANSWERS_LISTED).map(({ image, question, version }) =>
      visible(`  ${image}: ${question}, of version ${version}`)
    ),
  ];
}

/** Why questions had no answer; no lines if all were answered. */
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

/** The result of a validation, for a program: a line for each known failure, then one with the sums. */
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
