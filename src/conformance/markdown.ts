import { markdownBlock, markdownCode, markdownText } from "./escape.ts";
import type { PeerFinding } from "./finding.ts";
import type { ConformanceReport, PeerResult } from "./report.ts";
import { countText, findingLines, summaryLine } from "./text.ts";

/** The report as Markdown, such as for the summary of a CI job. */
export function markdownReport(report: ConformanceReport): string {
  return `${report.peers.map((peer) => peerText(peer, report)).join("\n")}`;
}

function peerText(peer: PeerResult, report: ConformanceReport): string {
  const { findings, lacking, notMet } = peer;
  return [
    `## ${markdownText(`${peer.name} ${peer.version}`)}`,
    "",
    markdownText(summaryLine(peer, report)),
    "",
    ...(findings.length === 0 ? [] : [
      "| kind | cause | answers | |",
      "| --- | --- | --- | --- |",
      ...findings.map(rowText),
      "",
    ]),
    ...findings.flatMap(detailLines),
    ...listLines("Not supported, by feature", Object.entries(lacking)),
    ...listLines("Not supported, by reason", peer.skipped.map((it) => [it.reason, it.questions])),
    ...listLines("Known and not met", notMet.map(({ slug, reason }) => [slug, reason])),
    "",
  ].join("\n");
}

function rowText(finding: PeerFinding): string {
  const { kind, cause, known } = finding;
  const cells = [
    markdownText(kind),
    markdownCode(cause.name),
    markdownText(countText(finding)),
    known === undefined ? "new" : `known: ${markdownText(known.reason)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function detailLines(finding: PeerFinding): string[] {
  const { slug } = finding;
  return [
    `<details><summary>${markdownText(slug)}</summary>`,
    "",
    ...markdownBlock(findingLines(finding)),
    "",
    "</details>",
    "",
  ];
}

function listLines(
  title: string,
  entries: readonly (readonly [string, string | number])[],
): string[] {
  if (entries.length === 0) return [];
  return [
    `### ${title}`,
    "",
    ...entries.map(([name, value]) => `- ${markdownText(name)}: ${markdownText(String(value))}`),
    "",
  ];
}
