import { hex } from "../bytes/mod.ts";
import type { AnatomyRow, Part } from "../format/mod.ts";
import { isRuleId, ruleOf } from "../rules/mod.ts";
import type { Note, Placing } from "./placing.ts";
import { visible } from "./visible.ts";

/** Bytes that are shown of a row. */
const BYTES_SHOWN = 8;
/** A value that is longer pushes what stands behind it to the right. */
const VALUE_WIDTH = 44;

/** How the offsets of a file are written: all in as many digits. */
export function offsetDigits(size: number): number {
  return Math.max(6, size.toString(16).length);
}

/** The line above the rows of a part. */
export function partHeading({ offset, path, title, length }: Part, digits: number): string {
  return visible(`${hex(offset, digits)}  ${path}: ${title}, ${BigInt(length)} bytes`);
}

/** The rows of a part in aligned columns, each with what is to say of it below. */
export function rowLines(
  part: Part,
  rows: readonly AnatomyRow[],
  { placing, digits }: { placing: Placing; digits: number },
): string[] {
  const cells = rows.map((row) => ({
    bytes: bytesText(row),
    name: visible(nameIn(part, row)),
    value: visible(row.value),
    doc: visible(row.doc),
  }));
  // A table may have more rows than a call takes arguments.
  const width = (column: "bytes" | "name" | "value") =>
    cells.reduce((most, cell) => Math.max(most, cell[column].length), 0);
  const bytes = width("bytes");
  const name = width("name");
  const value = Math.min(width("value"), VALUE_WIDTH);
  return rows.flatMap((row, index) => {
    const cell = cells[index] as typeof cells[number];
    const columns = [
      `  ${hex(row.offset, digits)}`,
      cell.bytes.padEnd(bytes),
      cell.name.padEnd(name),
      cell.value.padEnd(value),
      cell.doc,
    ];
    return [columns.join("  ").trimEnd(), ...noteLines(placing.ofRow(row), "    ")];
  });
}

/** Notes as lines, of which those that matter to a reader or a checker catch the eye. */
export function noteLines(notes: readonly Note[], indent: string): string[] {
  return notes.map(({ message, rule }) =>
    visible(
      `${indent}${isMild(rule) ? "--" : "!!"} ${message}${rule === undefined ? "" : ` (${rule})`}`,
    )
  );
}

/** Whether breaking a rule has no consequence, and is not forbidden either. */
function isMild(id: string | undefined): boolean {
  if (id === undefined || !isRuleId(id)) return false;
  const { level, effect } = ruleOf(id);
  return level !== "must" && (effect === "ignored" || effect === "warning");
}

function bytesText({ bytes, length }: AnatomyRow): string {
  const shown = Array.from(
    bytes.subarray(0, BYTES_SHOWN),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join(" ");
  return length > BYTES_SHOWN ? `${shown} …` : shown;
}

/** The path of a row without that of its part. */
function nameIn(part: Part, { path }: AnatomyRow): string {
  return path.startsWith(`${part.path}/`) ? path.slice(part.path.length + 1) : path;
}
