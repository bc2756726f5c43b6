import { roundUp, utf8 } from "../../bytes/mod.ts";
import { Buffer } from "node:buffer";
import { PeerError } from "../../peers/mod.ts";
import { UNPACKED_MAX } from "../parse.ts";

/**
 * Archives of mostly empty files: tar, with files in the sparse format that GNU tar has had from its
 * beginnings (GNU tar manual, "Old GNU Format"). GNU tar, bsdtar and the tar modules of Python and Go
 * unpack them.
 */

/** A file in an archive. */
export interface TarFile {
  /** With slashes between directories. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The unit of an archive in bytes. */
const BLOCK = 512;
const ZEROS = new Uint8Array(BLOCK);
/** An archive ends with as many empty blocks. */
const END_BLOCKS = 2;
/** Stretches of data that a header has room for, and each further block. */
const STRETCHES_MAX = 4;
const FURTHER_MAX = 21;
/** Where a further block says whether another one follows. */
const FURTHER_FLAG = 504;
/** Stretches of data that a file may have. */
const ALL_STRETCHES_MAX = 2 ** 20;
/** The name of an entry with the name of the next one, which does not fit in its header. */
const LONG_NAME = "././@LongLink";
const NAME_MAX = 4096;

/** The fields of a header. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  stretches: [386, 24],
  extended: [482, 1],
  realSize: [483, 12],
} as const;

/** Width of a number of a stretch, of which it has two. */
const NUMBER = 12;

type Field = keyof typeof FIELDS;
/** Where a field starts, and how many bytes it has. */
type Place = readonly [start: number, length: number];

/** Bytes of a file that are not a hole. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
}

/**
 * Packs files in the order given. Blocks of zeros are left out of those that have any.
 *
 * @throws {RangeError} for a name that no file can have
 */
export function packTar(files: Iterable<TarFile>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, bytes } of files) {
    const stretches = stretchesOf(bytes);
    const whole = stretches.length === 1 && stretches[0]?.length === bytes.length;
    const stored = whole || bytes.length === 0 ? undefined : stretches;
    const data = (stored ?? [{ offset: 0, length: bytes.length }]).map((stretch) =>
      padded(bytes.subarray(stretch.offset, stretch.offset + stretch.length))
    );
    parts.push(...longNameOf(name), ...headerOf(name, bytes.length, stored), ...data);
  }
  const tar = new Uint8Array(parts.reduce((sum, part) => sum + part.length, END_BLOCKS * BLOCK));
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  return tar;
}

/**
 * Where a file has blocks that are not all zeros, and where it ends: by a stretch without bytes if that
 * is behind a hole.
 */
export function stretchesOf(bytes: Uint8Array): Stretch[] {
  const stretches: Stretch[] = [];
  for (let offset = 0; offset < bytes.length; offset += BLOCK) {
    const block = bytes.subarray(offset, offset + BLOCK);
    if (Buffer.compare(block, ZEROS.subarray(0, block.length)) === 0) continue;
    const last = stretches.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      stretches[stretches.length - 1] = { ...last, length: last.length + block.length };
    } else stretches.push({ offset, length: block.length });
  }
  const last = stretches.at(-1);
  const end = last === undefined ? 0 : last.offset + last.length;
  return end === bytes.length ? stretches : [...stretches, { offset: bytes.length, length: 0 }];
}

/** The entry with a name that is too long for a header. */
function longNameOf(name: string): Uint8Array[] {
  const bytes = utf8(name);
  if (name === "" || name.includes("\0")) {
    throw new RangeError(`Cannot pack ${JSON.stringify(name)}: it is not the name of a file`);
  }
  if (bytes.length <= FIELDS.name[1]) return [];
  const header = basicHeader({ name: LONG_NAME, size: bytes.length + 1, type: "L" });
  return [withChecksum(header), padded(utf8(`${name}\0`))];
}

/** The header of a file, and the further blocks for its stretches. */
function headerOf(
  name: string,
  size: number,
  stretches: readonly Stretch[] | undefined,
): Uint8Array[] {
  if (stretches === undefined) return [withChecksum(basicHeader({ name, size, type: "0" }))];
  const stored = stretches.reduce((sum, { length }) => sum + length, 0);
  const header = basicHeader({ name, size: stored, type: "S" });
  const [first, ...further] = inBlocks(stretches);
  putStretches(header, FIELDS.stretches[0], first ?? []);
  putText(header, FIELDS.realSize[0], octal(size, FIELDS.realSize[1]));
  if (further.length > 0) header[FIELDS.extended[0]] = 1;
  const blocks = further.map((part, index) => {
    const block = new Uint8Array(BLOCK);
    putStretches(block, 0, part);
    if (index < further.length - 1) block[FURTHER_FLAG] = 1;
    return block;
  });
  return [withChecksum(header), ...blocks];
}

/** Stretches in groups: those of the header, and those of each further block. */
function inBlocks(stretches: readonly Stretch[]): Stretch[][] {
  const groups = [stretches.slice(0, STRETCHES_MAX)];
  for (let at = STRETCHES_MAX; at < stretches.length; at += FURTHER_MAX) {
    groups.push(stretches.slice(at, at + FURTHER_MAX));
  }
  return groups;
}

function basicHeader(
  { name, size, type }: { readonly name: string; readonly size: number; readonly type: string },
): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (field: Field, text: string) => putText(header, FIELDS[field][0], text);
  header.set(utf8(name).subarray(0, FIELDS.name[1]), FIELDS.name[0]);
  put("mode", octal(0o644, FIELDS.mode[1]));
  put("uid", octal(0, FIELDS.uid[1]));
  put("gid", octal(0, FIELDS.gid[1]));
  put("size", octal(size, FIELDS.size[1]));
  put("mtime", octal(0, FIELDS.mtime[1]));
  put("type", type);
  put("magic", "ustar  ");
  return header;
}

function putStretches(block: Uint8Array, at: number, stretches: readonly Stretch[]): void {
  stretches.forEach(({ offset, length }, index) => {
    const start = at + index * FIELDS.stretches[1];
    putText(block, start, octal(offset, NUMBER));
    putText(block, start + NUMBER, octal(length, NUMBER));
  });
}

function withChecksum(header: Uint8Array): Uint8Array {
  putText(header, FIELDS.checksum[0], `${octal(checksumOf(header), 7)}\0 `);
  return header;
}

function putText(target: Uint8Array, at: number, text: string): void {
  target.set(utf8(text), at);
}

/** Digits that leave room for a NUL byte. */
function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, "0");
}

/** The sum of a header's bytes, with blanks in place of the sum. */
function checksumOf(header: Uint8Array): number {
  const [start, length] = FIELDS.checksum;
  const blank = " ".charCodeAt(0) * length;
  const others = header.reduce((sum, byte, at) => {
    return at >= start && at < start + length ? sum : sum + byte;
  }, 0);
  return others + blank;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(roundUp(bytes.length, BLOCK));
  whole.set(bytes);
  return whole;
}

/** A file in an archive that is not yet unpacked. */
export interface PackedFile {
  readonly name: string;
  /** Length of the file, in bytes. */
  readonly size: number;
  /** All of its bytes. */
  unpack(): Uint8Array;
}

/**
 * Lists what {@link packTar} has packed.
 *
 * @throws {PeerError} for what it would not have written
 */
export function readTar(tar: Uint8Array): PackedFile[] {
  const files: PackedFile[] = [];
  let at = 0;
  let longName: string | undefined;
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const { type, end, ...file } = entryAt(tar, at);
    if (type === "L") longName = nameIn(file);
    else {
      files.push({ ...file, name: longName ?? file.name });
      longName = undefined;
    }
    at = end;
  }
  if (files.length === 0) throw unreadable("it is empty");
  return files;
}

function nameIn({ size, unpack }: PackedFile): string {
  if (size > NAME_MAX) throw unreadable("a name is too long");
  return textAt(unpack(), [0, size]);
}

/** The entry at an offset, and where the next one is. */
function entryAt(tar: Uint8Array, at: number): PackedFile & { type: string; end: number } {
  const header = tar.subarray(at, at + BLOCK);
  const number = (field: Field) => octalAt(header, FIELDS[field]);
  if (number("checksum") !== checksumOf(header)) throw unreadable("a checksum is wrong");
  const name = textAt(header, FIELDS.name);
  const stored = number("size");
  const type = textAt(header, FIELDS.type);
  if (!["0", "S", "L"].includes(type)) throw unreadable(`${name} is not a file`);
  const isSparse = type === "S";
  const size = isSparse ? number("realSize") : stored;
  const { stretches, start } = isSparse
    ? allStretches(tar, at)
    : { stretches: [{ offset: 0, length: stored }], start: at + BLOCK };
  const data = tar.subarray(start);
  const sum = stretches.reduce((total, { length }) => total + length, 0);
  if (sum !== stored || stored > data.length || size > UNPACKED_MAX) {
    throw unreadable(`${name} is truncated`);
  }
  if (!areInOrder(stretches, size)) throw unreadable(`${name} has invalid data ranges`);
  const unpack = () => {
    const bytes = new Uint8Array(size);
    let from = 0;
    for (const { offset, length } of stretches) {
      bytes.set(data.subarray(from, from + length), offset);
      from += roundUp(length, BLOCK);
    }
    return bytes;
  };
  return { name, size, unpack, type, end: start + roundUp(stored, BLOCK) };
}

/** The stretches of a header and of the further blocks after it, and where the data starts. */
function allStretches(tar: Uint8Array, at: number): { stretches: Stretch[]; start: number } {
  const header = tar.subarray(at, at + BLOCK);
  const stretches = stretchesAt(header, FIELDS.stretches[0], STRETCHES_MAX);
  let start = at + BLOCK;
  let isLast = header[FIELDS.extended[0]] === 0;
  while (!isLast) {
    const block = tar.subarray(start, start + BLOCK);
    if (block.length < BLOCK || stretches.length > ALL_STRETCHES_MAX) {
      throw unreadable("a list of data ranges does not end");
    }
    stretches.push(...stretchesAt(block, 0, FURTHER_MAX));
    start += BLOCK;
    isLast = block[FURTHER_FLAG] === 0;
  }
  return { stretches, start };
}

/** Whether stretches are in order, in whole blocks except for the end, and inside the file. */
function areInOrder(stretches: readonly Stretch[], size: number): boolean {
  let end = 0;
  for (const { offset, length } of stretches.filter((it) => it.length > 0)) {
    if (offset < end || end % BLOCK !== 0) return false;
    end = offset + length;
  }
  return end <= size;
}

function stretchesAt(block: Uint8Array, start: number, count: number): Stretch[] {
  return Array.from({ length: count }, (_, index): Stretch => {
    const at = start + index * FIELDS.stretches[1];
    return {
      offset: octalAt(block, [at, NUMBER]),
      length: octalAt(block, [at + NUMBER, NUMBER]),
    };
  });
}

/**
 * A number; 0 where there is none.
 *
 * @throws {PeerError} for anything but octal digits: a size below zero would lead backwards
 */
function octalAt(header: Uint8Array, place: Place): number {
  const digits = textAt(header, place).trim();
  if (!/^[0-7]*$/.test(digits)) throw unreadable("a number is not octal");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function textAt(header: Uint8Array, [start, length]: Place): string {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function unreadable(reason: string): PeerError {
  return new PeerError(`Cannot read an archive: ${reason}`);
}
