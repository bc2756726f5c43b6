/** Prints the result of a comparison with recorded answers. */

import { print } from "../../src/cli/mod.ts";
import type { Difference } from "../../src/peers/mod.ts";
import type { VerifyReport } from "../../src/recorded/mod.ts";

/** Differences of one answer that are listed. */
const LISTED = 8;

/** Prints the differences and a summary line; returns the number of differing answers. */
export function printReport(report: VerifyReport, who: string): number {
  for (const { image, question, recordedBy, differences } of report.failures) {
    print(`${image}: ${question} differs from ${recordedBy.join(", ") || "any answer"}`);
    printDifferences(differences);
  }
  const { images, questions, unsupported, failures, known } = report;
  const parts = [
    `${images} images`,
    `${questions} questions`,
    ...(unsupported === 0 ? [] : [`${unsupported} without an answer`]),
    ...(known.length === 0 ? [] : [`${known.length} known crashes`]),
    `${failures.length} differ`,
  ];
  print(`${who}: ${parts.join(", ")}`);
  return failures.length;
}

/** Prints a line for each difference, up to a limit. */
export function printDifferences(differences: readonly Difference[]): void {
  for (const { path, left, right } of differences.slice(0, LISTED)) {
    print(`  ${path || "/"}: ${JSON.stringify(left)} recorded, ${JSON.stringify(right)} now`);
  }
}
