import { xmlText } from "./escape.ts";
import type { PeerFinding } from "./finding.ts";
import type { ConformanceReport, PeerResult } from "./report.ts";
import { findingLines, findingTitle, summaryLine } from "./text.ts";

/**
 * The report as JUnit XML: a suite for each implementation, in it a test that fails for each finding,
 * and one for each feature and each area of rules that has no wrong answer. Known findings are skipped.
 */
export function junitReport(report: ConformanceReport): string {
  const suites = report.peers.map((peer, index) => suiteText(peer, index, report));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteText(peer: PeerResult, id: number, report: ConformanceReport): string {
  const fresh = peer.findings.filter(({ known }) => known === undefined);
  const errors = fresh.filter(({ securityRelevant }) => securityRelevant).length;
  const passed = peer.features.filter(({ failing }) => failing.length === 0);
  const missing = passed.filter(({ right }) => right === 0);
  const known = peer.findings.length - fresh.length;
  const name = `${peer.name} ${peer.version}`;
  const counts = {
    tests: peer.findings.length + passed.length,
    failures: fresh.length - errors,
    errors,
    skipped: known + missing.length,
    time: 0,
  };
  // The time has no zone in the schema.
  const timestamp = report.when.slice(0, "2026-01-01T00:00:00".length);
  const about = { name, package: "diskproof", id, timestamp, hostname: "localhost", ...counts };
  return [
    `  <testsuite ${attributes(about)}>`,
    "    <properties>",
    `      <property name="diskproof" value="${xmlText(report.version)}"/>`,
    "    </properties>",
    ...peer.findings.map((finding) => findingCase(finding, name)),
    ...passed.map(({ feature, right }) =>
      testCase({ name: feature, classname: name }, right === 0 ? "<skipped/>" : "")
    ),
    `    <system-out>${xmlText(summaryLine(peer, report))}</system-out>`,
    "    <system-err/>",
    "  </testsuite>",
  ].join("\n");
}

function findingCase(finding: PeerFinding, classname: string): string {
  const { kind, known, securityRelevant, slug } = finding;
  if (known !== undefined) return testCase({ name: slug, classname }, "<skipped/>");
  const element = securityRelevant ? "error" : "failure";
  const start = attributes({ message: findingTitle(finding), type: kind });
  const text = xmlText(findingLines(finding, { all: true }).join("\n"));
  return testCase({ name: slug, classname }, `<${element} ${start}>${text}</${element}>`);
}

function testCase(about: { readonly name: string; readonly classname: string }, result: string) {
  const start = `    <testcase ${attributes({ ...about, time: 0 })}`;
  return result === "" ? `${start}/>` : `${start}>${result}</testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([name, value]) => `${name}="${xmlText(String(value))}"`)
    .join(" ");
}
