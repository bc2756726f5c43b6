/** Text for a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** A table with a heading line; columns are as wide as their text. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map((row) => line(row.map(cell)))]
    .join("\n");
}

/** The name of a link target that a heading or a slug gets. */
export function anchor(id: string): string {
  return `<a id="${id}"></a>`;
}

/** A list of slugs as links into the page of rules. */
export function ruleLinks(rules: readonly string[], page = ""): string {
  return rules.map((rule) => `[\`${rule}\`](${page}#${rule})`).join(", ");
}
