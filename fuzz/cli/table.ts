/** Rows under a heading, in aligned columns; numbers and the like to the right. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  return [heading, ...rows].map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isText(rows, column) ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}

function isText(rows: readonly (readonly string[])[], column: number): boolean {
  return rows.some((row) => /^[^\d-]/.test(row[column] ?? ""));
}

/** Text with each line moved to the right. */
export function indent(text: string): string {
  return text.split("\n").map((line) => line === "" ? "" : `  ${line}`).join("\n");
}
