import type { ByteSource } from "../bytes/mod.ts";
import { type AnatomyRow, type Claim, Marks, type Part } from "../format/mod.ts";
import { formatNames, formatOf } from "../formats.ts";
import { anatomyOf, probe } from "../image/mod.ts";
import { stretchesIn, type StretchKind } from "../report/mod.ts";

/** A range of bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A range of a file that has one use. */
export interface PictureRange extends ByteRange {
  readonly kind: StretchKind;
  /** What refers to it: `/l2[0]/3 (guest 0x30000)`. */
  readonly says: string;
  /** The guest offsets of the data that is there. */
  readonly guest: readonly number[];
}

/** The ranges of an image file in their order. */
export interface Picture {
  /** Name of the file, where the image has several. */
  readonly name?: string;
  readonly format: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly ranges: readonly PictureRange[];
  /** Ranges that are left out. */
  readonly omitted: number;
  /** The bytes that were changed, or that differ from the nearest valid image. */
  readonly changed: readonly ByteRange[];
}

const RANGES_MAX = 400;
const ENTRIES_MAX = 2 ** 16;
const TABLES_MAX = 64;
const ROWS_MAX = 64;
const CHANGED_MAX = 64;
/** Changed bytes this close to each other are one change. */
const CLOSE = 8;

/** What is where in an image file. */
export function pictureOf(
  source: ByteSource,
  { name: file, format, changes = [], differs }: {
    /** Name of the file. */
    readonly name?: string;
    /** Probed where absent or not supported. */
    readonly format?: string;
    /** What was done to a valid image, in words that start with the path of a field. */
    readonly changes?: readonly string[];
    /** Bytes that differ from the nearest valid image: marked if no field is known. */
    readonly differs?: () => readonly ByteRange[];
  } = {},
): Picture {
  const isKnown = format !== undefined && formatNames.includes(format);
  const definition = isKnown ? formatOf(format) : probe(source);
  const anatomy = anatomyOf(
    { definition, source },
    { rows: ROWS_MAX, tables: TABLES_MAX, entries: ENTRIES_MAX, marks: new Marks([]) },
  );
  const ranges: PictureRange[] = [];
  let omitted = 0;
  for (const { offset, length, kind, claims } of stretchesIn(anatomy.claims, source.size)) {
    if (ranges.length === RANGES_MAX || offset >= source.size) {
      omitted++;
      continue;
    }
    const listed = claims();
    const says = listed.map(claimText).join("; ");
    ranges.push({ offset, length, kind, says, guest: listed.flatMap(guestOf) });
  }
  const { name } = definition;
  const named = changes.flatMap((change) => changedIn(change, anatomy.parts));
  const changed = named.length > 0 || changes.length === 0 ? named : differs?.() ?? [];
  return {
    ...(file === undefined ? {} : { name: file }),
    format: name,
    size: source.size,
    ranges,
    omitted,
    changed: changed.slice(0, CHANGED_MAX),
  };
}

function claimText({ path, says }: Claim): string {
  return says === undefined ? path : `${path} (${says})`;
}

function guestOf({ kind, says = "" }: Claim): number[] {
  const [, offset] = /^guest (0x[0-9a-f]+)$/.exec(says) ?? [];
  return offset === undefined || kind !== "data" && kind !== "compressed" ? [] : [Number(offset)];
}

/** The bytes that a change is about: those of the field that it names. */
function changedIn(change: string, parts: readonly Part[]): ByteRange[] {
  if (change.startsWith(UNCHANGED)) return [];
  const [, length, at, skip] = /^(\d+) bytes at offset (\d+) \+ (\d+)/.exec(change) ?? [];
  if (length !== undefined) return [{ offset: Number(at) + Number(skip), length: Number(length) }];
  const [path] = /\/[\w[\]./-]+/.exec(change) ?? [];
  if (path === undefined) return [];
  const found = parts.filter((part) => isWithin(path, part.path))
    .flatMap(({ rows }) => [...rows].flatMap((row) => rangeIn(row, path)));
  return found.slice(0, 1);
}

/** How a valid image is described: by the change that it is the nearest one to. */
const UNCHANGED = "nothing of this";

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

/** The part of a row that a path names: of `/l2[0]/0..7` the entry `/l2[0]/3/l2_entry`. */
function rangeIn({ path: row, offset, length }: AnatomyRow, path: string): ByteRange[] {
  if (isWithin(path, row)) return [{ offset, length }];
  const [, table, from, to] = /^(.*)\/(\d+)\.\.(\d+)$/.exec(row) ?? [];
  if (table === undefined || !path.startsWith(`${table}/`)) return [];
  const index = Number.parseInt(path.slice(table.length + 1), 10);
  const [first, last] = [Number(from), Number(to)];
  if (!(index >= first && index <= last)) return [];
  const size = length / (last - first + 1);
  return [{ offset: Math.floor(offset + (index - first) * size), length: Math.ceil(size) }];
}

/** Where two files differ; also what only the first one has at its end. */
export function changedRanges(bytes: Uint8Array, nearest: Uint8Array): ByteRange[] {
  const ranges: { offset: number; length: number }[] = [];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === nearest[at]) continue;
    const last = ranges.at(-1);
    if (last !== undefined && at - (last.offset + last.length) < CLOSE) {
      last.length = at + 1 - last.offset;
    } else ranges.push({ offset: at, length: 1 });
  }
  return ranges;
}
