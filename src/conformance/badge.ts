import { xmlText } from "./escape.ts";
import type { PeerResult } from "./report.ts";
import { counted, scoreOf } from "./text.ts";

/** Width of a character and of the space around a text, in pixels. */
const CHARACTER = 6.6;
const PADDING = 12;
const HEIGHT = 20;
const GREEN = "#1a7f37";
const RED = "#b3261e";

/** A badge for a README: how many answers are as expected. */
export function badge(peer: PeerResult): string {
  const { right, wrong } = scoreOf(peer);
  const fresh = peer.findings.filter(({ known }) => known === undefined).length;
  const label = "diskproof";
  const value = `${right} of ${right + wrong}, ${counted(fresh, "new finding")}`;
  const [left, whole] = [widthOf(label), widthOf(label) + widthOf(value)];
  const text = (at: number, content: string) =>
    `<text x="${at}" y="14" text-anchor="middle">${xmlText(content)}</text>`;
  const title = xmlText(`${peer.name} ${peer.version}: ${value}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${HEIGHT}" role="img" ` +
    `aria-label="${title}">`,
    `  <title>${title}</title>`,
    `  <rect width="${whole}" height="${HEIGHT}" rx="3" fill="#444"/>`,
    `  <rect x="${left}" width="${whole - left}" height="${HEIGHT}" rx="3" fill="${
      fresh === 0 ? GREEN : RED
    }"/>`,
    '  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
    `    ${text(left / 2, label)}`,
    `    ${text((left + whole) / 2, value)}`,
    "  </g>",
    "</svg>",
    "",
  ].join("\n");
}

function widthOf(text: string): number {
  return Math.round(text.length * CHARACTER + PADDING);
}
