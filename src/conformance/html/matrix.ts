import { htmlText } from "../escape.ts";
import type { FeatureResult, PeerResult } from "../report.ts";
import { counted } from "../text.ts";
import { type CaseImage, caseLinks } from "./cases.ts";

interface MatrixRow {
  readonly feature: string;
  readonly isRules: boolean;
  readonly says?: string;
  readonly cells: readonly (FeatureResult | undefined)[];
}

/** Features and areas of rules by implementation; a cell with failures opens the cases behind it. */
export function matrixHtml(
  peers: readonly PeerResult[],
  cases: ReadonlyMap<string, CaseImage>,
): string {
  const rows = rowsOf(peers);
  if (rows.length === 0) return "";
  const columns = peers.map(({ name }) => `<th scope="col">${htmlText(name)}</th>`).join("");
  const parts = [[false, "Features"], [true, "Rules, by the structure they are about"]] as const;
  const body = parts.flatMap(([isRules, title]) => {
    const own = rows.filter((row) => row.isRules === isRules);
    const heading = `<tr class="group"><th colspan="${
      peers.length + 1
    }" scope="colgroup">${title}</th></tr>`;
    return own.length === 0 ? [] : [heading, ...own.map((row) => rowHtml(row, rows.indexOf(row)))];
  });
  const panels = rows.flatMap((row, index) =>
    row.cells.map((cell, column) => panelHtml(cell, { id: `cell-${index}-${column}`, cases }))
  );
  return [
    '<h2 id="matrix">Features and implementations</h2>',
    "<p>Each cell counts the images with a wrong answer, or else the right answers. A cell with wrong " +
    "answers opens the cases behind it.</p>",
    '<div class="scroll"><table class="matrix"><thead><tr><th scope="col">needed by the image</th>',
    `${columns}</tr></thead><tbody>${body.join("")}</tbody></table></div>`,
    ...panels,
  ].join("");
}

function rowsOf(peers: readonly PeerResult[]): MatrixRow[] {
  const keys = new Map<string, FeatureResult>();
  for (const { features } of peers) {
    for (const it of features) if (!keys.has(it.feature)) keys.set(it.feature, it);
  }
  return [...keys.values()].map(({ feature, isRules, says }) => ({
    ...{ feature, isRules },
    ...(says === undefined ? {} : { says }),
    cells: peers.map(({ features }) => features.find((it) => it.feature === feature)),
  })).sort((a, b) => Number(a.isRules) - Number(b.isRules) || (a.feature < b.feature ? -1 : 1));
}

function rowHtml({ feature, says, cells }: MatrixRow, index: number): string {
  const meaning = says === undefined ? "" : `<br><small class="none">${htmlText(says)}</small>`;
  const columns = cells.map((cell, column) => cellHtml(cell, `cell-${index}-${column}`));
  return `<tr><th scope="row"><code>${htmlText(feature)}</code>${meaning}</th>${
    columns.join("")
  }</tr>`;
}

function cellHtml(cell: FeatureResult | undefined, id: string): string {
  if (cell === undefined || cell.failing.length === 0 && cell.right === 0) {
    return '<td class="none" aria-label="not supported">–</td>';
  }
  const { failing, right } = cell;
  if (failing.length === 0) {
    return `<td class="good" aria-label="${counted(right, "right answer")}">✓ ${right}</td>`;
  }
  const label = `${counted(failing.length, "image")} with a wrong answer`;
  return `<td class="bad"><a href="#${id}" aria-label="${label}">✗ ${failing.length}</a></td>`;
}

function panelHtml(
  cell: FeatureResult | undefined,
  { id, cases }: { readonly id: string; readonly cases: ReadonlyMap<string, CaseImage> },
): string {
  if (cell === undefined || cell.failing.length === 0) return "";
  return `<section class="panel" id="${id}" tabindex="-1"><p><b>${htmlText(cell.feature)}</b>: ${
    counted(cell.failing.length, "image")
  } with a wrong answer. <a href="#matrix">Close</a></p>${
    caseLinks(cell.failing, cases)
  }</section>`;
}
