import { type ByteSource, hex, isZero } from "../bytes/mod.ts";
import type { Anatomy, Claim, Part } from "../format/mod.ts";
import { noteLines, offsetDigits, partHeading, rowLines } from "./part_text.ts";
import { type Note, Placing } from "./placing.ts";
import { type Stretch, stretchesOf } from "./stretches.ts";
import { visible } from "./visible.ts";

/** An image, and what there is to say of it. */
export interface Inspection {
  readonly source: ByteSource;
  readonly anatomy: Anatomy;
  readonly notes: readonly Note[];
  /** Stretches that nothing is said of and that are listed; the rest is counted. */
  readonly stretches: number;
}

/** Stretches that are odd are listed so many times as often. */
const ODD_SHARE = 4;

interface Block {
  readonly offset: number;
  /** Blocks at one offset: what is wrong with it first. */
  readonly rank: number;
  readonly lines: () => string[];
  /** How much there is to see here: a structure or a note, something odd, or nothing. */
  readonly interest: "high" | "odd" | "none";
}

/**
 * An image from its first byte to its last: every structure with its fields, what the rest is used
 * for, and what is wrong where it is.
 */
export function* inspectionLines(inspection: Inspection): Generator<string> {
  const { anatomy, source, notes } = inspection;
  const placing = new Placing(anatomy.parts, notes);
  const digits = offsetDigits(source.size);
  const said = new Set<Note>();
  const blocks = [
    ...anatomy.parts.map((part) => partBlock(part, { placing, digits, source })),
    ...stretchBlocks(inspection, { placing, digits, said }),
  ].sort((a, b) => a.offset - b.offset || a.rank - b.rank);
  const { stretches } = inspection;
  const room = { high: Infinity, odd: ODD_SHARE * stretches, none: stretches };
  let left = 0;
  for (const { lines, interest } of blocks) {
    if (--room[interest] < 0) left++;
    else yield* lines();
  }
  if (left > 0) yield `(${left} more stretches of data or free space; --all lists them)`;
  const elsewhere = placing.loose.filter((note) => !said.has(note));
  if (elsewhere.length > 0) yield "elsewhere";
  for (const note of elsewhere) {
    const { offset } = note;
    const at = offset === null || offset === undefined ? "" : ` at ${hex(BigInt(offset))}`;
    yield* noteLines([{ ...note, message: `${note.path}${at}: ${note.message}` }], "  ");
  }
  for (const gap of anatomy.gaps) yield `(${visible(gap)})`;
}

interface Around {
  readonly placing: Placing;
  readonly digits: number;
}

function partBlock(part: Part, around: Around & { source: ByteSource }): Block {
  const { placing, digits, source } = around;
  const lines = () => [
    partHeading(part, digits) + (part.offset >= source.size ? ", past the end of the file" : ""),
    ...noteLines(placing.ofPart(part), "  "),
    ...rowLines(part, part.rows, around),
    ...(part.omitted === 0 ? [] : [`  (${part.omitted} more rows; --all lists them)`]),
  ];
  return { offset: part.offset, rank: 1, lines, interest: "high" };
}

/** Bytes of unused space that are looked at to tell whether they are zeros. */
const SEARCHED_MAX = 2 ** 24;

function stretchBlocks(
  { anatomy, source }: Inspection,
  { placing, digits, said }: Around & { said: Set<Note> },
): Block[] {
  let searched = 0;
  return stretchesOf(anatomy.claims, source.size).flatMap((stretch): Block[] => {
    const { offset, length, kind } = stretch;
    const notes = placing.within(offset, length);
    const outside = offset >= source.size;
    // Structures that nobody else claims are listed as such.
    const listed = (kind === "header" || kind === "table") && !outside;
    if (listed && notes.length === 0) return [];
    for (const note of notes) said.add(note);
    const search = kind === "unused" && searched + length <= SEARCHED_MAX;
    if (search) searched += length;
    const content = search ? isZero(source.read(offset, length)) ? ", zeros" : ", not zero" : "";
    const end = outside ? ", past the end of the file" : "";
    const lines = () => [
      visible(`${hex(offset, digits)}  ${stretchText(stretch, anatomy)}${content}${end}`),
      ...noteLines(notes, "  "),
    ];
    const odd = kind === "conflict" || outside;
    const interest = notes.length > 0 ? "high" : odd ? "odd" : "none";
    return [{ offset, rank: interest === "none" ? 2 : 0, lines, interest }];
  });
}

const WORDS: Readonly<Record<Stretch["kind"], string>> = {
  header: "header",
  table: "table",
  data: "data",
  compressed: "compressed data",
  unused: "nobody's",
  conflict: "!! claimed by several",
};

function stretchText(
  { kind, length, count, claims }: Stretch,
  { complete }: Pick<Anatomy, "complete">,
): string {
  const named = claims.map(claimText).join("; ");
  const more = count > claims.length ? `; ${count - claims.length} more` : "";
  const several = count > 1 ? `, ${count} claims` : "";
  const owners = claims.length === 0 ? "" : `: ${named}${more}`;
  const word = kind === "unused" && !complete ? "not known whose" : WORDS[kind];
  return `${word}, ${BigInt(length)} bytes${several}${owners}`;
}

function claimText({ path, says }: Claim): string {
  return says === undefined ? path : `${path} (${says})`;
}
