import { type ByteSource, hex, isZero } from "../bytes/mod.ts";
import { type Anatomy, type Claim, type Part, visible } from "../format/mod.ts";
import { noteLines, offsetDigits, partHeading, rowLines } from "./part_text.ts";
import { type Note, Placing } from "./placing.ts";
import { type Stretch, stretchesIn } from "./stretches.ts";

/** An image and the notes about it. */
export interface Inspection {
  readonly source: ByteSource;
  readonly anatomy: Anatomy;
  readonly notes: readonly Note[];
  /** Ranges without anything odd that are listed; the rest is counted. */
  readonly stretches: number;
}

/** Odd ranges are listed as many times as often. */
const ODD_SHARE = 4;

interface Block {
  readonly offset: number;
  /** Blocks at one offset: what is wrong with it first. */
  readonly rank: number;
  readonly lines: () => Iterable<string>;
  /** How much there is to see here: a structure or a note, something odd, or nothing. */
  readonly interest: "high" | "odd" | "none";
}

/**
 * An image from its first byte to its last: every structure with its fields, what the rest is used
 * for, and what is wrong where it is. Lines are made one by one, and nothing is kept of them.
 */
export function* inspectionLines(inspection: Inspection): Generator<string> {
  const { anatomy, source, notes } = inspection;
  const placing = new Placing(anatomy.parts, notes);
  const digits = offsetDigits(source.size);
  const said = new Set<Note>();
  const sorted = anatomy.parts.toSorted((a, b) => a.offset - b.offset);
  const parts = partBlocks(sorted, { placing, digits, source });
  const stretches = stretchBlocks(inspection, { placing, digits, said });
  const { stretches: plain } = inspection;
  const room = { high: Infinity, odd: ODD_SHARE * plain, none: plain };
  let left = 0;
  for (const { lines, interest } of inOrder(parts, stretches)) {
    if (--room[interest] < 0) left++;
    else yield* lines();
  }
  if (left > 0) yield `(${left} more ranges of data or free space; --all lists them)`;
  const elsewhere = placing.loose.filter((note) => !said.has(note));
  if (elsewhere.length > 0) yield "elsewhere";
  for (const note of elsewhere) {
    const { offset } = note;
    const at = offset === null || offset === undefined ? "" : ` at ${hex(BigInt(offset))}`;
    yield* noteLines([{ ...note, message: `${note.path}${at}: ${note.message}` }], "  ");
  }
  for (const gap of anatomy.gaps) yield `(${visible(gap)})`;
}

/** The blocks of two sequences, each of which is in order. */
function* inOrder(some: Iterator<Block>, others: Iterator<Block>): Generator<Block> {
  let a = some.next();
  let b = others.next();
  while (a.done !== true || b.done !== true) {
    const isFirst = a.done !== true && (b.done === true || precedes(a.value, b.value));
    if (isFirst) {
      yield a.value as Block;
      a = some.next();
    } else {
      yield b.value as Block;
      b = others.next();
    }
  }
}

function precedes(a: Block, b: Block): boolean {
  return a.offset < b.offset || a.offset === b.offset && a.rank < b.rank;
}

interface Around {
  readonly placing: Placing;
  readonly digits: number;
}

function* partBlocks(
  parts: readonly Part[],
  around: Around & { source: ByteSource },
): Generator<Block> {
  for (const part of parts) yield partBlock(part, around);
}

function partBlock(part: Part, around: Around & { source: ByteSource }): Block {
  const { placing, digits, source } = around;
  function* lines(): Generator<string> {
    yield partHeading(part, digits) +
      (part.offset >= source.size ? ", past the end of the file" : "");
    yield* noteLines(placing.ofPart(part), "  ");
    yield* rowLines(part, part.rows, around);
    if (part.omitted > 0) yield `  (${part.omitted} more rows; --all lists them)`;
  }
  return { offset: part.offset, rank: 1, lines, interest: "high" };
}

/** Bytes of unused space that are read to find out whether they are zeros. */
const SEARCHED_MAX = 2 ** 24;
const CHUNK = 2 ** 16;

function* stretchBlocks(
  { anatomy, source }: Inspection,
  { placing, digits, said }: Around & { said: Set<Note> },
): Generator<Block> {
  let searched = 0;
  for (const stretch of unlistedStretches(anatomy, source.size, placing)) {
    const { offset, length, kind } = stretch;
    const notes = placing.within(offset, length);
    const outside = offset >= source.size;
    for (const note of notes) said.add(note);
    const isPlain = kind === "data" || kind === "compressed" || kind === "conflict";
    const search = !isPlain && !outside && searched + length <= SEARCHED_MAX;
    if (search) searched += length;
    const isZero = search && areZeros(source, offset, length);
    const content = isZero ? ", zeros" : search && kind === "unused" ? ", not zero" : "";
    const end = outside ? ", past the end of the file" : "";
    const lines = () => [
      visible(`${hex(offset, digits)}  ${stretchText(stretch, anatomy)}${content}${end}`),
      ...noteLines(notes, "  "),
    ];
    const odd = kind === "conflict" || outside;
    const interest = notes.length > 0 ? "high" : odd ? "odd" : "none";
    yield { offset, rank: interest === "none" ? 2 : 0, lines, interest };
  }
}

/** The stretches without what the parts list of structures with one use. */
function* unlistedStretches(
  { claims, parts }: Anatomy,
  size: number,
  placing: Placing,
): Generator<Stretch> {
  const listed = new Listed(parts);
  for (const stretch of stretchesIn(claims, size)) {
    const { offset, length, kind } = stretch;
    const isStructure = (kind === "header" || kind === "table") && offset < size;
    if (!isStructure || placing.within(offset, length).length > 0) yield stretch;
    else {
      for (const [from, to] of listed.without(offset, offset + length)) {
        yield { ...stretch, offset: from, length: to - from };
      }
    }
  }
}

/** The ranges that parts list. */
class Listed {
  /** In the order of their offsets. */
  readonly #parts: readonly Part[];
  #next = 0;
  /** The end of the ranges before the next part. */
  #end = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts.toSorted((a, b) => a.offset - b.offset);
  }

  /** The pieces of a range that no part lists; ranges are given in order. */
  *without(from: number, to: number): Generator<[number, number]> {
    let at = Math.max(from, this.#end);
    for (; this.#next < this.#parts.length; this.#next++) {
      const { offset, length } = this.#parts[this.#next] as Part;
      if (offset >= to) break;
      if (offset > at) yield [at, offset];
      this.#end = Math.max(this.#end, offset + length);
      at = Math.max(at, this.#end);
    }
    if (at < to) yield [at, to];
  }
}

function areZeros(source: ByteSource, offset: number, length: number): boolean {
  for (let at = 0; at < length; at += CHUNK) {
    if (!isZero(source.read(offset + at, Math.min(CHUNK, length - at)))) return false;
  }
  return true;
}

const WORDS: Readonly<Record<Stretch["kind"], string>> = {
  header: "header",
  table: "table",
  data: "data",
  compressed: "compressed data",
  unused: "unreferenced",
  conflict: "!! claimed by several",
};

function stretchText(
  { kind, length, count, claims }: Stretch,
  { complete }: Pick<Anatomy, "complete">,
): string {
  const listed = claims();
  const named = listed.map(claimText).join("; ");
  const more = count > listed.length ? `; ${count - listed.length} more` : "";
  const several = count > 1 ? `, ${count} claims` : "";
  const owners = listed.length === 0 ? "" : `: ${named}${more}`;
  const word = kind === "unused" && !complete ? "use unknown" : WORDS[kind];
  return `${word}, ${BigInt(length)} bytes${several}${owners}`;
}

function claimText({ path, says }: Claim): string {
  return says === undefined ? path : `${path} (${says})`;
}
