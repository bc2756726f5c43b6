import { visible } from "../../src/format/mod.ts";
import type { NamedAnswer } from "../engine/mod.ts";

/** Characters of one answer in a line, so that two fit into a terminal of 100 with an indent. */
const COLUMN = 46;
/** Equal lines that are shown before and after those that differ. */
const CONTEXT = 2;
/** Lines that differ and are shown. */
const LINES_MAX = 24;
/** Pieces that a line that differs is broken into; of a longer one, the part around the place is shown. */
const PIECES_MAX = 4;
/** Characters of such a line that are shown before the place. */
const LEAD = 12;

/** A line of both answers. */
interface Row {
  readonly left: string;
  readonly right: string;
  readonly mark: " " | "|" | "<" | ">";
}

/**
 * The answers of two implementations beside each other, in plain text. Lines that differ have a `|`
 * between them, those of one side alone a `<` or `>`, and carets stand below the part that differs.
 */
export function sideBySide([left, right]: readonly [NamedAnswer, NamedAnswer]): string {
  const rows = rowsOf(linesOf(left.text), linesOf(right.text));
  const lines = [pairOf([left.by, right.by])];
  for (const row of rows) lines.push(...row === undefined ? ["…"] : linesOfRow(row));
  return lines.join("\n");
}

/** An answer alone, where there are not two of them. */
export function oneAnswer({ by, text }: NamedAnswer): string {
  const lines = linesOf(text);
  const more = lines.length > LINES_MAX ? ["…"] : [];
  return [by, ...lines.slice(0, LINES_MAX).map((line) => cut(line, 2 * COLUMN)), ...more].join(
    "\n",
  );
}

function linesOf(text: string): string[] {
  return text.split("\n").map(visible);
}

/** The rows to show; `undefined` stands for rows that are left out. */
function rowsOf(left: readonly string[], right: readonly string[]): (Row | undefined)[] {
  const shorter = Math.min(left.length, right.length);
  let head = 0;
  while (head < shorter && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < shorter - head && left.at(-1 - tail) === right.at(-1 - tail)) tail++;
  const equal = (lines: readonly string[]): Row[] =>
    lines.map((line) => ({ left: line, right: line, mark: " " }));
  const before = equal(left.slice(Math.max(0, head - CONTEXT), head));
  const after = equal(left.slice(left.length - tail, left.length - tail + CONTEXT));
  const differing = pairs(
    left.slice(head, left.length - tail),
    right.slice(head, right.length - tail),
  );
  return [
    ...(head > CONTEXT ? [undefined] : []),
    ...before,
    ...differing.slice(0, LINES_MAX),
    ...(differing.length > LINES_MAX ? [undefined] : after),
    ...(differing.length <= LINES_MAX && tail > CONTEXT ? [undefined] : []),
  ];
}

function pairs(left: readonly string[], right: readonly string[]): Row[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const [ours, theirs] = [left[index], right[index]];
    const mark = ours === undefined
      ? ">"
      : theirs === undefined
      ? "<"
      : ours === theirs
      ? " "
      : "|";
    return { left: ours ?? "", right: theirs ?? "", mark };
  });
}

function linesOfRow(row: Row): string[] {
  const { left, right, mark } = row;
  if (mark !== "|") return [pairOf([left, right], mark)];
  const start = commonStart(left, right);
  const end = commonEnd(left.slice(start), right.slice(start));
  const long = Math.max(left.length, right.length) > PIECES_MAX * COLUMN;
  const from = long ? Math.max(0, start - LEAD) : 0;
  const [ours, theirs] = [left, right].map((line) => {
    const marks = " ".repeat(start) + "^".repeat(Math.max(1, line.length - start - end));
    return [partOf(line, from), marks.slice(from)] as const;
  }) as [readonly [string, string], readonly [string, string]];
  const lines: string[] = [];
  for (let at = 0; at < PIECES_MAX * COLUMN; at += COLUMN) {
    const [texts, carets] = [0, 1].map((which) =>
      [ours, theirs].map((side) => (side[which] as string).slice(at, at + COLUMN))
    ) as [[string, string], [string, string]];
    if (texts.join("") !== "") lines.push(pairOf(texts, at === 0 ? "|" : " "));
    if (carets.join("").trim() !== "") lines.push(pairOf(carets));
  }
  return lines;
}

function commonStart(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  let length = 0;
  while (length < shorter && left[length] === right[length]) length++;
  return length;
}

function commonEnd(left: string, right: string): number {
  const backwards = (text: string) => [...text].reverse().join("");
  return commonStart(backwards(left), backwards(right));
}

/** The part of a line that is shown, with an ellipsis for what comes before and after it. */
function partOf(line: string, from: number): string {
  const part = from === 0 ? line : `…${line.slice(from + 1)}`;
  return cut(part, PIECES_MAX * COLUMN);
}

function pairOf([left, right]: readonly [string, string], mark: Row["mark"] = " "): string {
  return `${cut(left, COLUMN).padEnd(COLUMN)} ${mark} ${cut(right, COLUMN)}`.trimEnd();
}

function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
