import { visible } from "../format/mod.ts";
import type { PeerFinding } from "./finding.ts";
import type { ConformanceReport, PeerResult } from "./report.ts";
import { findingLines, findingTitle, ruleText } from "./text.ts";

const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/** The report as SARIF 2.1.0: a run for each implementation, with a result for each finding. */
export function sarifReport(report: ConformanceReport): string {
  const log = {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: report.peers.map((peer) => runOf(peer, report)),
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function runOf(peer: PeerResult, { version, when, command }: ConformanceReport): object {
  return {
    tool: {
      driver: {
        name: "diskproof",
        version,
        semanticVersion: version,
        rules: peer.findings.map(descriptorOf),
      },
    },
    automationDetails: { id: visible(`${peer.name}/${peer.version}`) },
    invocations: [{ executionSuccessful: true, startTimeUtc: when, commandLine: visible(command) }],
    results: peer.findings.map(resultOf),
  };
}

function descriptorOf(finding: PeerFinding): object {
  const { slug, cause, securityRelevant } = finding;
  const sentence = cause.says ?? findingTitle(finding);
  return {
    id: slug,
    shortDescription: { text: visible(findingTitle(finding)) },
    fullDescription: { text: visible(sentence) },
    ...(cause.rule === undefined ? {} : { help: { text: visible(ruleText(cause)) } }),
    defaultConfiguration: { level: "error" },
    properties: { tags: securityRelevant ? ["security"] : ["correctness"] },
  };
}

function resultOf(finding: PeerFinding, ruleIndex: number): object {
  const { slug, known, smallest, count } = finding;
  return {
    ruleId: slug,
    ruleIndex,
    kind: "fail",
    level: "error",
    message: { text: findingLines(finding).join("\n") },
    locations: [{
      physicalLocation: { artifactLocation: { uri: encodeURIComponent(smallest.image) } },
      logicalLocations: [{ name: visible(smallest.question), kind: "function" }],
    }],
    partialFingerprints: { "diskproof/v1": slug },
    occurrenceCount: count,
    ...(known === undefined
      ? {}
      : { suppressions: [{ kind: "external", justification: visible(known.reason) }] }),
  };
}
