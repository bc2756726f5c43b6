import { badge } from "./badge.ts";
import { htmlReport } from "./html/page.ts";
import { junitReport } from "./junit.ts";
import { markdownReport } from "./markdown.ts";
import type { Picture } from "./picture.ts";
import type { ConformanceReport, PeerResult, ReportFormat } from "./report.ts";
import { sarifReport } from "./sarif.ts";

/** The text of a report. A badge is about the first implementation. */
export function renderReport(
  format: ReportFormat,
  report: ConformanceReport,
  pictures: ReadonlyMap<string, readonly Picture[]> = new Map(),
): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(report, null, 2)}\n`;
    case "junit":
      return junitReport(report);
    case "sarif":
      return sarifReport(report);
    case "markdown":
      return markdownReport(report);
    case "html":
      return htmlReport(report, pictures);
    case "badge":
      return report.peers[0] === undefined ? "" : badge(report.peers[0]);
  }
}

/** The report without what an attacker could use: crashes, hangs and excessive memory. */
export function withEmbargo(report: ConformanceReport): ConformanceReport {
  return { ...report, peers: report.peers.map(peerWithEmbargo) };
}

function peerWithEmbargo(peer: PeerResult): PeerResult {
  const findings = peer.findings.filter(({ securityRelevant }) => !securityRelevant);
  const withheld = peer.findings.length - findings.length;
  if (withheld === 0) return peer;
  const shown = new Set(findings.flatMap(({ cases }) => cases.map(({ image }) => image)));
  return {
    ...peer,
    findings,
    withheld,
    features: peer.features.map((row) => ({
      ...row,
      failing: row.failing.filter((image) => shown.has(image)),
    })),
  };
}
