import {
  causeOfFeature,
  causeOfRule,
  type ConformanceReport,
  type FindingCase,
  FindingList,
  type PeerFinding,
  type PeerResult,
} from "../../src/conformance/mod.ts";

/** Text that would end an element, an attribute, a comment, a cell, a line and a command. */
export const HOSTILE =
  "</script><img src=x onerror=alert(1)>\"'`|\u0007\u202e\n::error::%0A]]>--> &amp;";

/** An image whose case is in the report. */
export const IMAGE = "qcow2.header.version-2-breaks";

function caseAbout(image: string, more: Partial<FindingCase> = {}): FindingCase {
  return {
    ...{ image, question: "info", operation: "info", bytes: 28672 },
    ...{ expected: "must-reject", answered: `rejected: ${HOSTILE}` },
    ...{ reproduce: `deno task validate mine --case ${image}`, writeOut: `corpus show ${image}` },
    ...more,
  };
}

function findings(): PeerFinding[] {
  const list = new FindingList();
  const when = "2026-01-02T03:04:05.678Z";
  const rule = causeOfRule("qcow2.header.version");
  list.add({ kind: "accepts-invalid", cause: rule, case: caseAbout(IMAGE), when });
  list.add({ kind: "crash", cause: causeOfFeature(["zstd"]), case: caseAbout(HOSTILE), when });
  const known = caseAbout("known", { changes: [HOSTILE] });
  list.add({ kind: "wrong-content", cause: causeOfFeature(["backing"]), case: known, when });
  return list.findings.map((finding) => {
    return finding.cause.name === "backing"
      ? { ...finding, known: { slug: finding.slug, reason: HOSTILE, link: HOSTILE } }
      : finding;
  });
}

function peer(name: string, found: readonly PeerFinding[]): PeerResult {
  const row = (feature: string, failing: readonly string[], right: number, isRules = false) => {
    return { feature, isRules, right, wrong: failing.length, unsupported: 2, failing };
  };
  const has = found.length > 0;
  return {
    ...{ name, version: "1.0", images: 10, questions: 20, unsupported: 4, findings: found },
    notMet: [{ slug: "hang-bitmaps", reason: HOSTILE }],
    lacking: { [HOSTILE]: 3 },
    skipped: [{ reason: HOSTILE, questions: 1 }],
    features: [
      row("backing", has ? ["known"] : [], 4),
      row("zstd", has ? [HOSTILE] : [], 4),
      row("snapshots", [], 0),
      row("qcow2.header", has ? [IMAGE] : [], 1, true),
    ],
  };
}

/** Two implementations: one with three findings, of which one is known and one a crash. */
export function sampleReport(): ConformanceReport {
  return {
    version: "0.1.0",
    when: "2026-01-02T03:04:05.678Z",
    command: `deno task validate ${HOSTILE}`,
    peers: [peer(`mine ${HOSTILE}`, findings()), peer("clean", [])],
  };
}
