import { hex, hexOf } from "../bytes/mod.ts";
import { type AnatomyRow, type Part, visible } from "../format/mod.ts";
import { isRuleId, ruleOf } from "../rules/mod.ts";
import type { Note, Placing } from "./placing.ts";

/** Bytes that are shown of a row. */
const BYTES_SHOWN = 8;
/** A value that is longer pushes what is after it to the right. */
const VALUE_WIDTH = 44;

/** How the offsets of a file are written: all in as many digits. */
export function offsetDigits(size: number): number {
  return Math.max(6, size.toString(16).length);
}

/** The line above the rows of a part. */
export function partHeading({ offset, path, title, length }: Part, digits: number): string {
  return visible(`${hex(offset, digits)}  ${path}: ${title}, ${BigInt(length)} bytes`);
}

/**
 * The rows of a part in aligned columns, each with its notes below. Only one row is kept at a time.
 */
export function* rowLines(
  part: Part,
  rows: Iterable<AnatomyRow>,
  { placing, digits }: { placing: Placing; digits: number },
): Generator<string> {
  let [bytes, name, value] = [0, 0, 0];
  for (const row of rows) {
    const cells = cellsOf(part, row);
    bytes = Math.max(bytes, cells.bytes.length);
    name = Math.max(name, cells.name.length);
    value = Math.max(value, Math.min(cells.value.length, VALUE_WIDTH));
  }
  for (const row of rows) {
    const cells = cellsOf(part, row);
    const columns = [
      `  ${hex(row.offset, digits)}`,
      cells.bytes.padEnd(bytes),
      cells.name.padEnd(name),
      cells.value.padEnd(value),
      visible(row.doc),
    ];
    yield columns.join("  ").trimEnd();
    yield* noteLines(placing.ofRow(part, row), "    ");
  }
}

function cellsOf(part: Part, row: AnatomyRow): { bytes: string; name: string; value: string } {
  return {
    bytes: bytesText(row),
    name: visible(nameIn(part, row)),
    value: visible(row.value),
  };
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
  const shown = hexOf(bytes.length > BYTES_SHOWN ? bytes.subarray(0, BYTES_SHOWN) : bytes, " ");
  return length > BYTES_SHOWN ? `${shown} …` : shown;
}

/** The path of a row without that of its part. */
function nameIn(part: Part, { path }: AnatomyRow): string {
  return path.startsWith(`${part.path}/`) ? path.slice(part.path.length + 1) : path;
}
