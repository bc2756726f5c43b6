import { visible } from "../format/mod.ts";
import {
  type Difference,
  hasFailed,
  type Operation,
  type Outcome,
  type OutcomeCounts,
} from "../peers/mod.ts";
import type { PeerResult } from "../conformance/mod.ts";
import type { KnownFailure, VerifyFailure, VerifyReport } from "../recorded/mod.ts";
import { tableLines } from "../report/mod.ts";
import { jsonLine } from "./output.ts";

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

/** An answer that differs, for a program. */
export function failureJson(
  failure: VerifyFailure,
  { peer, changes = [] }: { readonly peer: string; readonly changes?: readonly string[] },
): string {
  return jsonLine({ event: "difference", peer, ...failure, changes });
}

const REASONS_LISTED = 10;

/** The result of a validation, for a person; the findings are printed before. */
export function summaryLines(
  { images, sums, passedOver, known }: Validation,
  { name, version, lacking, notMet }: PeerResult,
  { all = false } = {},
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
  return [
    visible(`${name} ${version} over ${images} recorded images`),
    "",
    ...tableLines({ heading, rows }),
    ...knownLines(known),
    ...featureLines(lacking),
    ...reasonLines(passedOver, all),
    ...notMetLines(notMet),
  ];
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
    ...gone.map(({ image, question, version }) =>
      visible(`  ${image}: ${question}, of version ${version}`)
    ),
  ];
}

/** Features that the peer does not list; no lines if it was not asked about any. */
function featureLines(lacking: PeerResult["lacking"]): string[] {
  const rows = Object.entries(lacking).sort(([, a], [, b]) => b - a)
    .map(([feature, questions]) => [String(questions), visible(feature)]);
  if (rows.length === 0) return [];
  return ["", ...tableLines({ heading: ["unsupported", "feature"], rows })];
}

/** Why questions had no answer; no lines if all were answered. */
function reasonLines(passedOver: Validation["passedOver"], all: boolean): string[] {
  if (passedOver.length === 0) return [];
  const listed = passedOver.slice(0, all ? Infinity : REASONS_LISTED);
  const rows = listed.map(({ reason, questions }) => [
    String(questions),
    visible(reason === "" ? "no reason given" : reason.trim()),
  ]);
  const more = passedOver.length - listed.length;
  return [
    "",
    ...tableLines({ heading: ["unsupported", "because"], rows }),
    ...(more > 0 ? [`… ${more} more reasons; --all lists them`] : []),
  ];
}

function notMetLines(notMet: PeerResult["notMet"]): string[] {
  if (notMet.length === 0) return [];
  return [
    "",
    "known findings that were not met:",
    ...notMet.map(({ slug, reason }) => visible(`  ${slug}: ${reason}`)),
  ];
}

/**
 * The result of a validation, for a program: a line for each recorded failure of a tool and for each
 * finding, then one with the sums.
 */
export function jsonLines(validation: Validation, result: PeerResult): string[] {
  const { images, sums, passedOver, known } = validation;
  const { name: peer, version, findings, lacking, notMet } = result;
  return [
    ...known.map((failure) => jsonLine({ event: "known", ...failure })),
    ...findings.map(({ cases, ...finding }) => {
      const images = [...new Set(cases.map(({ image }) => image))];
      return jsonLine({ event: "finding", peer, ...finding, cases: images });
    }),
    jsonLine({ event: "summary", peer, version, images, sums, passedOver, lacking, notMet }),
  ];
}
