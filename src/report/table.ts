/** A table for a person: a heading and rows of cells. */
export interface TableText {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The lines of a table in aligned columns; a column that holds nothing but figures to the right. */
export function tableLines({ heading, rows }: TableText): string[] {
  const columns = heading.map((title, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    const width = Math.max(title.length, ...cells.map((cell) => cell.length));
    const figures = cells.length > 0 && cells.every((cell) => /^[\d.,-]*$/.test(cell));
    return (cell: string) => figures ? cell.padStart(width) : cell.padEnd(width);
  });
  return [heading, ...rows].map((row) =>
    columns.map((align, column) => align(row[column] ?? "")).join("  ").trimEnd()
  );
}
