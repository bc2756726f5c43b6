import { createHash } from "node:crypto";
import { htmlText } from "../escape.ts";
import type { Picture } from "../picture.ts";
import type { ConformanceReport, PeerResult } from "../report.ts";
import { summaryLine } from "../text.ts";
import { casesHtml, collectCases, findingsHtml } from "./cases.ts";
import { matrixHtml } from "./matrix.ts";
import { STYLE } from "./style.ts";

/** Opens what an address within the page leads to; without it, browsers open most of it as well. */
const SCRIPT = `
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) { target.scrollIntoView(); (target.querySelector("summary, a") || target).focus(); }
}
addEventListener("hashchange", reveal);
reveal();
`;

/**
 * The report as one page that needs no network: a matrix of features and implementations, the findings,
 * and the cases behind them with a picture of each image.
 *
 * @param pictures by the name of the image: one of each of its files
 */
export function htmlReport(
  report: ConformanceReport,
  pictures: ReadonlyMap<string, readonly Picture[]> = new Map(),
): string {
  const { peers, version, when, command } = report;
  const names = peers.map(({ name, version }) => `${name} ${version}`);
  const title = `Conformance of ${names.join(", ")}`;
  const cases = collectCases(peers);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy()}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${htmlText(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${htmlText(title)}</h1>`,
    `<p>diskproof ${htmlText(version)}, ${htmlText(when.slice(0, "2026-01-01".length))}.`,
    command === "" ? "</p>" : ` Made by <code>${htmlText(command)}</code></p>`,
    `<ul>${peers.map((peer) => `<li>${htmlText(summaryLine(peer, report))}</li>`).join("")}</ul>`,
    matrixHtml(peers, cases),
    '<h2 id="findings">Findings</h2>',
    ...peers.map((peer, index) => findingsHtml(peer, { index, cases })),
    casesHtml(cases, { names, pictures }),
    ...peers.map(missingHtml),
    `</main><script>${SCRIPT}</script></body></html>`,
    "",
  ].join("\n");
}

/** Nothing is loaded, and no other script runs. */
function policy(): string {
  const digest = createHash("sha256").update(SCRIPT).digest("base64");
  return `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`;
}

function missingHtml({ name, lacking, skipped, notMet }: PeerResult): string {
  const lists = [
    listHtml("Not supported, by feature", Object.entries(lacking)),
    listHtml("Not supported, by reason", skipped.map((it) => [it.reason, it.questions] as const)),
    listHtml("Known and not met", notMet.map(({ slug, reason }) => [slug, reason] as const)),
  ].filter((it) => it !== "");
  return lists.length === 0 ? "" : `<h2>${htmlText(name)}: not answered</h2>${lists.join("")}`;
}

function listHtml(title: string, rows: readonly (readonly [string, string | number])[]): string {
  if (rows.length === 0) return "";
  const cells = rows.map(([name, value]) =>
    `<tr><td>${htmlText(name)}</td><td>${htmlText(String(value))}</td></tr>`
  );
  return `<details><summary>${title} (${rows.length})</summary><div class="scroll"><table>${
    cells.join("")
  }</table></div></details>`;
}
