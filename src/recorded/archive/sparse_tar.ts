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
  /** At most 100 bytes of ASCII, with slashes between directories. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The unit of an archive in bytes. */
const BLOCK = 512;
const ZEROS = new Uint8Array(BLOCK);
/** An archive ends with as many empty blocks. */
const END_BLOCKS = 2;
/** Stretches of data that a header has room for. */
const STRETCHES_MAX = 4;

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
interface Stretch {
  readonly offset: number;
  readonly length: number;
}

/**
 * Packs files in the order given. Blocks of zeros are left out of those that have any.
 *
 * @throws {RangeError} when a file has data in more than four places
 */
export function packTar(files: readonly TarFile[]): Uint8Array {
  const parts = files.flatMap(({ name, bytes }) => {
    const stretches = stretchesOf(bytes);
    const whole = stretches.length === 1 && stretches[0]?.length === bytes.length;
    const stored = whole || bytes.length === 0 ? undefined : stretches;
    const data = (stored ?? [{ offset: 0, length: bytes.length }]).map((stretch) =>
      padded(bytes.subarray(stretch.offset, stretch.offset + stretch.length))
    );
    return [headerOf(name, bytes.length, stored), ...data];
  });
  const tar = new Uint8Array(parts.reduce((sum, part) => sum + part.length, END_BLOCKS * BLOCK));
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  return tar;
}

/** Where whole blocks of a file are not all zeros. */
function stretchesOf(bytes: Uint8Array): Stretch[] {
  const stretches: Stretch[] = [];
  for (let offset = 0; offset < bytes.length; offset += BLOCK) {
    const block = bytes.subarray(offset, offset + BLOCK);
    if (Buffer.compare(block, ZEROS.subarray(0, block.length)) === 0) continue;
    const last = stretches.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      stretches[stretches.length - 1] = { ...last, length: last.length + block.length };
    } else stretches.push({ offset, length: block.length });
  }
  // A file that ends in a hole says where it ends by a stretch without bytes.
  const last = stretches.at(-1);
  const end = last === undefined ? 0 : last.offset + last.length;
  return end === bytes.length ? stretches : [...stretches, { offset: bytes.length, length: 0 }];
}

function headerOf(
  name: string,
  size: number,
  stretches: readonly Stretch[] | undefined,
): Uint8Array {
  if (name.length > FIELDS.name[1] || /[^\x20-\x7e]/.test(name)) {
    throw new RangeError(`Cannot pack ${name}: the name is too long or not ASCII`);
  }
  if (stretches !== undefined && stretches.length > STRETCHES_MAX) {
    throw new RangeError(`Cannot pack ${name}: it has more than ${STRETCHES_MAX} data ranges`);
  }
  const header = new Uint8Array(BLOCK);
  const put = (field: Field, text: string) => putText(header, FIELDS[field][0], text);
  put("name", name);
  put("mode", octal(0o644, FIELDS.mode[1]));
  put("uid", octal(0, FIELDS.uid[1]));
  put("gid", octal(0, FIELDS.gid[1]));
  const stored = stretches?.reduce((sum, { length }) => sum + length, 0) ?? size;
  put("size", octal(stored, FIELDS.size[1]));
  put("mtime", octal(0, FIELDS.mtime[1]));
  put("type", stretches === undefined ? "0" : "S");
  put("magic", "ustar  ");
  stretches?.forEach(({ offset, length }, index) => {
    const at = FIELDS.stretches[0] + index * FIELDS.stretches[1];
    putText(header, at, octal(offset, NUMBER));
    putText(header, at + NUMBER, octal(length, NUMBER));
  });
  if (stretches !== undefined) put("realSize", octal(size, FIELDS.realSize[1]));
  put("checksum", `${octal(checksumOf(header), 7)}\0 `);
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
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const header = tar.subarray(at, at + BLOCK);
    const { stored, ...file } = fileOf(header, tar.subarray(at + BLOCK));
    files.push(file);
    at += BLOCK + roundUp(stored, BLOCK);
  }
  if (files.length === 0) throw unreadable("it is empty");
  return files;
}

function fileOf(header: Uint8Array, data: Uint8Array): PackedFile & { stored: number } {
  const number = (field: Field) => octalAt(header, FIELDS[field]);
  if (number("checksum") !== checksumOf(header)) throw unreadable("a checksum is wrong");
  const name = textAt(header, FIELDS.name);
  const stored = number("size");
  const type = textAt(header, FIELDS.type);
  if (type !== "0" && type !== "S") throw unreadable(`${name} is not a file`);
  if (header[FIELDS.extended[0]] !== 0 && type === "S") {
    throw unreadable(`${name} has too many data ranges`);
  }
  const size = type === "S" ? number("realSize") : stored;
  const stretches = type === "S" ? stretchesAt(header) : [{ offset: 0, length: stored }];
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
  return { name, size, stored, unpack };
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

function stretchesAt(header: Uint8Array): Stretch[] {
  return Array.from({ length: STRETCHES_MAX }, (_, index): Stretch => {
    const at = FIELDS.stretches[0] + index * FIELDS.stretches[1];
    return {
      offset: octalAt(header, [at, NUMBER]),
      length: octalAt(header, [at + NUMBER, NUMBER]),
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
