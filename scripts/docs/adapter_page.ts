import { publishedFeatures } from "../../src/expect/mod.ts";

const START = "<!-- features -->";
const END = "<!-- end of features -->";

/** The page about adapters with the table of features between its marks. */
export function adapterPage(page: string): string {
  const start = page.indexOf(START) + START.length;
  const end = page.indexOf(END);
  return `${page.slice(0, start)}\n\n${featureTable()}\n\n${page.slice(end)}`;
}

/** As the formatter writes it. */
function featureTable(): string {
  const rows = Object.entries(publishedFeatures).map(([name, meaning]) => [`\`${name}\``, meaning]);
  const lines = [["feature", "the image has"], ...rows];
  const widths = [0, 1].map((column) => Math.max(...lines.map((it) => it[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(lines[0] ?? []), rule, ...rows.map(line)].join("\n");
}
