/** Reports for machines and for people, with texts that try to break out of them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  badge,
  githubAnnotations,
  renderReport,
  REPORT_FORMATS,
  withEmbargo,
} from "../../src/conformance/mod.ts";
import { HOSTILE, sampleReport } from "./sample_report.ts";

const report = sampleReport();

/** The elements of XML with their attributes; fails for text that is not well-formed. */
function elementsIn(xml: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = [];
  const found: { name: string; attributes: Record<string, string> }[] = [];
  const body = xml.replace(/^<\?xml [^>]*\?>\n/, "");
  for (
    const [token, slash, name = "", rest = "", empty] of body.matchAll(
      /<(\/?)([\w-]+)((?: [\w:-]+="[^"<]*")*)\s*(\/?)>|<|&(?!(?:amp|lt|gt|quot|apos|#39);)/g,
    )
  ) {
    assert(name !== "", `not well-formed: ${token}`);
    if (slash === "/") {
      assertEquals(open.pop(), name);
      continue;
    }
    const pairs = [...rest.matchAll(/ ([\w:-]+)="([^"]*)"/g)];
    const attributes = Object.fromEntries(pairs.map(([, key, value]) => [key, value]));
    found.push({ name, attributes: attributes as Record<string, string> });
    if (empty !== "/") open.push(name);
  }
  assertEquals(open, []);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(xml), "a character that XML has not");
  return found;
}

Deno.test("JUnit XML is well-formed and has what its published schema requires", () => {
  const xml = renderReport("junit", report);
  const elements = elementsIn(xml);
  assertEquals(elements[0]?.name, "testsuites");
  const suites = elements.filter(({ name }) => name === "testsuite");
  assertEquals(
    suites.map(({ attributes: { tests, failures, errors, skipped } }) => {
      return [tests, failures, errors, skipped];
    }),
    [["4", "1", "1", "2"], ["4", "0", "0", "1"]],
  );
  const [suite] = suites;
  for (const name of ["name", "timestamp", "hostname", "time", "package", "id"]) {
    assert(suite?.attributes[name] !== undefined, name);
  }
  assertEquals(suite?.attributes["timestamp"], "2026-01-02T03:04:05");
  const cases = elements.filter(({ name }) => name === "testcase");
  assertEquals(cases.length, 8);
  for (const { attributes } of cases) {
    assertEquals(Object.keys(attributes), ["name", "classname", "time"]);
  }
  const failed = elements.filter(({ name }) => name === "failure" || name === "error");
  assertEquals(failed.map(({ name, attributes: { type } }) => [name, type]), [
    ["error", "crash"],
    ["failure", "accepts-invalid"],
  ]);
  // The schema has them in this order.
  const order = elements.map(({ name }) => name)
    .filter((name) => /^(testsuite|properties|testcase|system-out|system-err)$/.test(name));
  const one = ["testsuite", "properties", ..."1234".split("").map(() => "testcase")];
  assertEquals(order, [0, 1].flatMap(() => [...one, "system-out", "system-err"]));
});

/** Members that the published schema of SARIF 2.1.0 allows, where it allows no others. */
const SARIF: Readonly<Record<string, readonly string[]>> = {
  log: ["$schema", "version", "runs"],
  run: ["tool", "automationDetails", "invocations", "results"],
  driver: ["name", "version", "semanticVersion", "rules"],
  rule: [
    ...["id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
  ],
  result: [
    ...["ruleId", "ruleIndex", "kind", "level", "message", "locations", "partialFingerprints"],
    ...["occurrenceCount", "suppressions"],
  ],
};

function hasOnly(value: object, kind: string): void {
  assertEquals(Object.keys(value).filter((key) => !SARIF[kind]?.includes(key)), [], kind);
}

Deno.test("SARIF has what version 2.1.0 requires, and refers from each result to its rule", () => {
  const log = JSON.parse(renderReport("sarif", report));
  hasOnly(log, "log");
  assertEquals([log.version, log.runs.length], ["2.1.0", 2]);
  for (const run of log.runs) {
    hasOnly(run, "run");
    hasOnly(run.tool.driver, "driver");
    assertEquals(run.tool.driver.name, "diskproof");
    assertEquals(typeof run.invocations[0].executionSuccessful, "boolean");
    for (const rule of run.tool.driver.rules) {
      hasOnly(rule, "rule");
      assert(rule.id !== "" && rule.shortDescription.text !== "");
    }
    for (const result of run.results) {
      hasOnly(result, "result");
      assertEquals(run.tool.driver.rules[result.ruleIndex].id, result.ruleId);
      assertEquals([result.kind, result.level], ["fail", "error"]);
      assert(result.message.text.length > 0);
      const { uri } = result.locations[0].physicalLocation.artifactLocation;
      assert(/^[\w.%!~*'()-]+$/.test(uri), uri);
      assertEquals(result.partialFingerprints["diskproof/v1"], result.ruleId);
    }
  }
  const [known, crash] = log.runs[0].results;
  assertEquals(known.suppressions[0].kind, "external");
  assertEquals(crash.suppressions, undefined);
});

Deno.test("HTML loads nothing, and no text of an image or implementation becomes markup", () => {
  const html = renderReport("html", report);
  assert(!/\s(?:src|srcset|action|data)=/.test(html.replaceAll(/&lt;.*?&gt;/g, "")), "it loads");
  assertEquals([...html.matchAll(/href="([^"]*)"/g)].filter(([, to]) => !to?.startsWith("#")), []);
  assert(!/url\(|@import|https?:\/\/(?!example)/.test(html.replaceAll(/<pre>.*?<\/pre>/gs, "")));
  assertEquals(html.match(/<script/g)?.length, 1);
  assert(!html.includes("<img"), "a name becomes an element");
  assert(!html.includes("\u0007") && !html.includes("\u202e"), "a control character is left");
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assertEquals(new Set(ids).size, ids.length);
  const linked = [...html.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
  assertEquals(linked.filter((id) => !ids.includes(id)), []);
  assertStringIncludes(html, "The version is 2 or 3.");
  assertStringIncludes(html, 'class="bad"><a href="#cell-');
});

Deno.test("an embargo leaves crashes, hangs and memory out of every report, and says how many", () => {
  const kept = withEmbargo(report);
  for (const format of REPORT_FORMATS.filter((it) => it !== "badge")) {
    const [before, after] = [report, kept].map((it) => renderReport(format, it));
    assert(/crash(-|: )zstd/.test(before ?? ""), format);
    assert(!/crash(-|: )zstd/.test(after ?? ""), format);
  }
  assert(/1 under embargo/.test(renderReport("html", kept)));
  assertEquals(githubAnnotations(kept).length, 1);
  const zstd = kept.peers[0]?.features.find(({ feature }) => feature === "zstd");
  assertEquals(zstd?.failing, []);
});

Deno.test("Markdown keeps hostile text in its cell and in its code", () => {
  const markdown = renderReport("markdown", report);
  const rows = markdown.split("\n").filter((line) => line.startsWith("| "));
  for (const row of rows) {
    const cells = row.replaceAll("\\|", "").split("|").length;
    assertEquals(cells, 6, row);
  }
  assertEquals(rows.length, 5);
  assert(!markdown.includes("\u0007") && !markdown.includes("\u202e"));
  const outside = markdown.replaceAll(/```text[^]*?```/g, "");
  assertEquals([...outside.matchAll(/<\/?(\w+)/g)].map(([, name]) => name).sort(), [
    ...["details", "details", "details", "details", "details", "details"],
    ...["summary", "summary", "summary", "summary", "summary", "summary"],
  ]);
});

Deno.test("GitHub gets at most ten annotations, one line each, for new findings alone", () => {
  const lines = githubAnnotations(report);
  assertEquals(lines.length, 2);
  for (const line of lines) {
    assert(/^::error title=[^,:\n]*::[^\n\r]*$/.test(line), line);
    assertEquals(line.replaceAll(/%(?:25|3A|2C|0A)/g, "").includes("%"), false, line);
  }
  const [finding] = report.peers[0]?.findings.slice(-1) ?? [];
  assert(finding !== undefined);
  const many = Array.from({ length: 30 }, () => finding);
  const [first] = report.peers;
  assert(first !== undefined);
  assertEquals(githubAnnotations({ ...report, peers: [{ ...first, findings: many }] }).length, 10);
});

Deno.test("a badge is SVG that says how many answers are right, and is green without new findings", () => {
  const [mine, clean] = report.peers;
  assert(mine !== undefined && clean !== undefined);
  const red = badge(mine);
  assertEquals(elementsIn(red)[0]?.name, "svg");
  assertStringIncludes(red, "13 of 16, 2 new findings");
  assertStringIncludes(badge(clean), "16 of 16, 0 new findings");
  assert(red.includes("#b3261e") && badge(clean).includes("#1a7f37"));
});

Deno.test("the report as JSON is the report", () => {
  assertEquals(JSON.parse(renderReport("json", report)), JSON.parse(JSON.stringify(report)));
  assertStringIncludes(HOSTILE, "</script>");
});
