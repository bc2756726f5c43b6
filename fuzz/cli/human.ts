import {
  type Finding,
  formatDuration,
  type Plan,
  type Progress,
  type Replayed,
  type ReportedFailure,
  type Reporter,
  sumCounts,
  type Summary,
  type TargetResult,
} from "../engine/mod.ts";
import { factsOfFailure, failureText } from "./failure_text.ts";
import { figuresOf, grouped, overallLine, progressLine } from "./figures.ts";
import { indent, table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the progress of a run for a person. */
export class HumanReporter implements Reporter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  started({ seed, shard, targets, milliseconds, runs }: Plan): void {
    const part = shard === undefined ? "" : `, shard ${shard.first + 1}/${shard.of}`;
    const bounds = [
      milliseconds === Infinity ? undefined : formatDuration(milliseconds),
      runs === Infinity ? undefined : `${grouped(runs)} cases each`,
    ].filter((bound) => bound !== undefined);
    const what = targets.length === 1 ? "1 target" : `${targets.length} targets`;
    this.#terminal.print(`seed ${seed}${part}, ${what}, ${bounds.join(" or ")}`);
  }

  progress(progress: Progress, all: readonly Progress[]): void {
    this.#terminal.status(() => all.length > 1 ? overallLine(all) : progressLine(progress));
  }

  replayed({ name, target, kind, signature, verdict, reason }: Replayed): void {
    const failure = `${target}: ${kind}, ${signature}`;
    if (verdict === "passed") this.#terminal.print(`fixed: ${name} (${failure})`);
    else if (verdict === "same") this.#terminal.print(`still fails: ${name} (${failure})`);
    else if (verdict === "other") this.#terminal.print(`fails differently: ${name} (${failure})`);
    else this.#terminal.print(`not replayed: ${name} (${reason})`);
  }

  found({ target, fault: { kind, signature }, path }: Finding): void {
    this.#terminal.print(`found in ${target}: ${kind}, ${signature} (case ${path})`);
  }

  failed(failure: ReportedFailure): void {
    this.#terminal.print(`\n${failureText(factsOfFailure(failure))}`);
  }

  targetDone(result: TargetResult): void {
    if (endOf(result) === "") return;
    this.#terminal.print(progressLine(result));
    this.#terminal.print(indent(endOf(result)));
  }

  finished(summary: Summary): void {
    this.#terminal.print(`\n${summaryText(summary)}`);
  }
}

/** The tables at the end of a run. */
export function summaryText(summary: Summary): string {
  const { counts, reached, missed } = summary;
  const sections = [
    resultTable(summary),
    `rules reached: ${reached.length} of ${reached.length + missed.length}`,
    countTable("explained divergences", counts.divergences),
    countTable("skipped", counts.skipped),
    failureTable(summary.failures),
    idleLine(summary),
    verdictOf(summary),
  ];
  return sections.filter((section) => section !== undefined).join("\n\n");
}

/** Most targets without a case that are named. */
const IDLE_NAMED = 4;

const HEADING = [
  "target",
  "cases",
  "skipped",
  "cases/s",
  "header",
  "tables",
  "data",
  "accepted",
  "rules",
  "divergences",
  "failures",
  "time",
  "ended",
];

function resultTable({ results, milliseconds }: Summary): string {
  const rows = results.map((result) => [...cells(result), endOf(result)]);
  if (results.length > 1) {
    const counts = sumCounts(results.map((result) => result.counts));
    rows.push([...cells({ target: "all", counts, milliseconds }), ""]);
  }
  return table(HEADING, rows);
}

function cells(progress: Progress): string[] {
  const figures = figuresOf(progress);
  return [
    progress.target,
    figures.cases,
    figures.skipped,
    figures.perSecond,
    ...figures.depths,
    figures.rules,
    figures.divergences,
    figures.failures,
    formatDuration(progress.milliseconds),
  ];
}

/** Why a target ended, unless it ran to its end. */
function endOf({ end, message }: TargetResult): string {
  if (end === "time" || end === "runs") return "";
  return message === undefined ? end : `${end}: ${message}`;
}

function countTable(title: string, counts: Readonly<Record<string, number>>): string | undefined {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return undefined;
  return table([title, "count"], entries.map(([name, count]) => [name, grouped(count)]));
}

function failureTable(failures: readonly ReportedFailure[]): string | undefined {
  if (failures.length === 0) return undefined;
  const rows = failures.map(({ target, found, artifact }) => [
    target,
    found.fault.kind,
    found.fault.signature,
    artifact ?? "(not kept)",
  ]);
  return table(["failure in", "kind", "signature", "artifact"], rows);
}

/** Targets without a case, which show nothing; at most a few are named. */
function idleLine({ results }: Summary): string | undefined {
  const idle = results.flatMap(({ target, end, counts }) =>
    end === "time" && counts.cases === 0 ? [target] : []
  );
  if (idle.length === 0) return undefined;
  const named = idle.slice(0, IDLE_NAMED).join(", ");
  const more = idle.length > IDLE_NAMED ? ` and ${idle.length - IDLE_NAMED} others` : "";
  return `no case of ${named}${more} has run: a longer --time reaches them`;
}

function verdictOf({ failures, seed, interrupted, status }: Summary): string {
  const complete = status === 0 || status === interrupted;
  const found = failures.length === 0
    ? complete ? "no failures" : "no failures, but not all cases ran"
    : failures.length === 1
    ? "1 failure"
    : `${failures.length} different failures`;
  return `${interrupted === undefined ? "" : "interrupted, "}${found}, seed ${seed}`;
}
