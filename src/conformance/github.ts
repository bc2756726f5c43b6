import { visible } from "../format/mod.ts";
import type { ConformanceReport } from "./report.ts";
import { countText, findingTitle } from "./text.ts";

/** GitHub shows so many annotations of a step. */
const ANNOTATIONS_MAX = 10;

/** Commands that make GitHub show the worst new findings next to a job; the summary has all of them. */
export function githubAnnotations({ peers }: ConformanceReport): string[] {
  const fresh = peers.flatMap(({ name, findings }) =>
    findings.filter(({ known }) => known === undefined).map((finding) => ({ name, finding }))
  );
  return fresh.slice(0, ANNOTATIONS_MAX).map(({ name, finding }) => {
    const { cause, smallest } = finding;
    const title = property(`${name}: ${findingTitle(finding)}`);
    const text = [cause.says, countText(finding), smallest.reproduce]
      .filter((it) => it !== undefined).map(data).join("%0A");
    return `::error title=${title}::${text}`;
  });
}

/** Text of a command; `%` would start an escape. */
function data(text: string): string {
  return visible(text).replaceAll("%", "%25");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
