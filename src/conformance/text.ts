import { visible } from "../format/mod.ts";
import type { Cause, FindingCase, PeerFinding } from "./finding.ts";
import type { ConformanceReport, PeerResult } from "./report.ts";

/** Lines of an answer that are shown. */
const ANSWER_LINES = 8;
const LAST_LINES = 2;
const LINE_MAX = 300;

/** `wrong-content: extended-l2`. */
export function findingTitle({ kind, cause: { name, type } }: PeerFinding): string {
  return `${kind}: ${type === "operation" ? "every image, " : ""}${name}`;
}

/** `spec, must; section "Header"`; empty if the cause is no rule. */
export function ruleText({ rule }: Cause): string {
  return rule === undefined ? "" : `${rule.class}, ${rule.level}; section: ${rule.section}`;
}

/** `12 images that need it fail, and none passes`. */
export function evidenceText({ evidence }: Cause): string {
  if (evidence === undefined) return "";
  const { failing, passing } = evidence;
  const pass = passing === 0 ? "none passes" : `${counted(passing, "image")} that need it pass`;
  return `${counted(failing, "image")} that need it fail, and ${pass}`;
}

/** `41 wrong answers about 23 images (digest, map)`. */
export function countText({ count, images, operations }: PeerFinding): string {
  return `${counted(count, "wrong answer")} about ${counted(images, "image")} (${
    operations.join(", ")
  })`;
}

/** What the format expects of a case: `must-reject (qcow2.header.version)`. */
export function expectationText({ expectation, recordedBy = [], answered }: FindingCase): string {
  const isWrong = answered.startsWith("/") && recordedBy.length > 0;
  const source = isWrong ? `, as recorded of ${recordedBy.join(", ")}` : "";
  if (expectation === undefined) return recordedBy.join(", ") || "any answer";
  const { verdict, rules = [], reason } = expectation;
  const because = [...(reason === undefined ? [] : [reason]), ...rules];
  return `${verdict}${because.length === 0 ? "" : ` (${because.join(", ")})`}${source}`;
}

/** A finding for a person: its cause, how often, the smallest case, and the commands for it. */
export function findingLines(finding: PeerFinding, { all = false } = {}): string[] {
  const { cause, smallest, cases, known, images } = finding;
  const names = [...new Set(cases.map(({ image }) => image))].filter((it) => it !== smallest.image);
  const more = images - 1;
  return [
    findingTitle(finding),
    ...[ruleText(cause), cause.says ?? "", evidenceText(cause)].filter((it) => it !== "")
      .map((it) => `  ${it}`),
    ...(known === undefined ? [] : [`  known: ${known.reason}${linkText(known.link)}`]),
    `  ${countText(finding)}`,
    ...caseLines(smallest),
    ...(all ? names.map((name) => `  also: ${name}`) : []),
    ...(more > (all ? names.length : 0)
      ? [`  ${counted(more, "more image")}${all ? "" : "; --all lists them"}`]
      : []),
  ].map(visible);
}

function linkText(link: string | undefined): string {
  return link === undefined ? "" : ` (${link})`;
}

function caseLines(smallest: FindingCase): string[] {
  const { image, bytes, question, changes = [], expected, answered, expectation } = smallest;
  // A tool is compared with its record, which says nothing about others.
  const of = expectation === undefined ? "compared with the record of" : "the format expects";
  return [
    `  smallest case: ${image} (${counted(bytes, "byte")}), ${question}`,
    ...changes.map((change) => `  the image: ${change}`),
    `  ${of}: ${expectationText(smallest)}`,
    ...answerLines("expected", expected),
    ...answerLines("answered", answered),
    ...(smallest.reproduce === undefined ? [] : [`  query it again: ${smallest.reproduce}`]),
    ...(smallest.writeOut === undefined ? [] : [`  write its files: ${smallest.writeOut}`]),
  ];
}

function answerLines(side: string, text: string): string[] {
  const lines = text.split("\n");
  const more = lines.length - ANSWER_LINES;
  // The last line of a stack trace may be the only one that says what happened.
  const shown = more <= 0 ? lines : [
    ...lines.slice(0, ANSWER_LINES - LAST_LINES),
    `… ${counted(more, "more line")}; --json prints them`,
    ...lines.slice(-LAST_LINES),
  ];
  return shown.map((line) =>
    line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}… (--json prints all of it)` : line
  ).map((line, index) => `    ${index === 0 ? side : "        "}  ${line}`);
}

/** `1 image`, `2 images`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Questions that an implementation answers as expected, wrongly, and not at all. */
export function scoreOf({ questions, unsupported, findings }: PeerResult): {
  readonly right: number;
  readonly wrong: number;
  readonly unsupported: number;
} {
  const wrong = findings.reduce((sum, { count }) => sum + count, 0);
  return { right: Math.max(0, questions - unsupported - wrong), wrong, unsupported };
}

/** One line about an implementation, such as for a README. */
export function summaryLine(
  result: PeerResult,
  { version }: Pick<ConformanceReport, "version">,
): string {
  const { right, unsupported, wrong } = scoreOf(result);
  const { withheld = 0 } = result;
  const kept = withheld === 0 ? "" : ` and ${withheld} under embargo`;
  const found = `${counted(result.findings.length, "finding")}${kept}`;
  const missing = unsupported === 0 ? "" : `, ${unsupported} not supported`;
  return visible(
    `${result.name} ${result.version}: ${right} of ${counted(right + wrong, "answer")} ` +
      `as expected, ${found}${missing} (diskproof ${version})`,
  );
}
