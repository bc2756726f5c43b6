import { type ByteSource, hex } from "../bytes/mod.ts";
import { type AnatomyRow, type Format, Marks, type Part } from "../format/mod.ts";
import { formatOf } from "../formats.ts";
import { anatomyOf, probe } from "../image/mod.ts";
import { noteLines, offsetDigits, partHeading, rowLines } from "./part_text.ts";
import { type Note, Placing } from "./placing.ts";

/** What an excerpt shows. */
export interface ExcerptOptions {
  /** The format; probed where absent. */
  readonly format?: Format | string;
  /** Rows before and behind each one that is noted. */
  readonly context?: number;
  /** Lines at most. */
  readonly lines?: number;
}

const CONTEXT = 2;
const LINES = 40;
/** Entries that are looked at: an excerpt is made of images that something is wrong with. */
const ENTRIES = 2 ** 20;
const ENTRY_BYTES = 8;

/**
 * The annotated rows of an image around some places, with notes: findings, or anything with an
 * offset or a path. The header if there are no notes.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { excerptOf } from "./mod.ts";
 *
 * const source = new MemorySource(Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 9));
 * excerptOf(source, [{ path: "/header/version", offset: 4, message: "The version is 9" }]);
 * ```
 */
export function excerptOf(
  source: ByteSource,
  notes: readonly Note[],
  options: ExcerptOptions = {},
): string {
  const { context = CONTEXT, lines: limit = LINES } = options;
  const definition = options.format === undefined ? probe(source) : formatOf(options.format);
  const marks = new Marks(notes.flatMap(({ offset }) => around(offset, context)));
  const anatomy = anatomyOf(
    { definition, source },
    { rows: 4, tables: 4, entries: ENTRIES, marks },
  );
  const placing = new Placing(anatomy.parts, notes);
  const digits = offsetDigits(source.size);
  const shown = anatomy.parts.toSorted((a, b) => a.offset - b.offset).flatMap((part) => {
    const rows = rowsOf(part, { placing, context, whole: notes.length === 0 });
    if (rows.length === 0 && placing.ofPart(part).length === 0) return [];
    return [
      partHeading(part, digits),
      ...noteLines(placing.ofPart(part), "  "),
      ...rowLines(part, rows, { placing, digits }),
    ];
  });
  const elsewhere = placing.loose.flatMap((note) => noteLines([withPlace(note)], ""));
  const lines = [`${definition.name}, ${source.size} bytes`, ...shown, ...elsewhere];
  const left = lines.length - limit;
  return left > 0
    ? [...lines.slice(0, limit), `… ${left} more lines`].join("\n")
    : lines.join("\n");
}

/** The offset, and those of the entries around it. */
function around(offset: Note["offset"], context: number): number[] {
  if (typeof offset !== "number") return [];
  const count = 2 * context + 1;
  return Array.from({ length: count }, (_, i) => offset + (i - context) * ENTRY_BYTES);
}

/** The rows with notes and their neighbours; all rows of the header if requested. */
function rowsOf(
  part: Part,
  { placing, context, whole }: { placing: Placing; context: number; whole: boolean },
): AnatomyRow[] {
  if (whole) return part.path === "/header" ? [...part.rows] : [];
  const rows = [...part.rows];
  const noted = rows.flatMap((row, index) => placing.ofRow(part, row).length > 0 ? [index] : []);
  return rows.filter((_, index) => noted.some((at) => Math.abs(index - at) <= context));
}

function withPlace(note: Note): Note {
  const { offset, path, message } = note;
  const at = offset === null || offset === undefined ? path : `${path} at ${hex(BigInt(offset))}`;
  return { ...note, message: `${at}: ${message}` };
}
