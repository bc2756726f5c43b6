/** The language of edits: that of the fuzzer, and what only cases made by hand need. */

import { describeEdit, type Edit } from "../../fuzz/mutate/mod.ts";
import type { Json } from "../../src/format/mod.ts";

/** An edit of a built image. Edits are applied in order, those of bytes after all others. */
export type CaseEdit = Edit | DerivedEdit | BytesEdit;

/** An edit whose value follows from the image. */
export type DerivedEdit =
  /** A field is increased. */
  | { readonly op: "add"; readonly path: string; readonly delta: bigint }
  /** A field becomes the length of the file, rounded up to whole clusters, and `delta` more. */
  | { readonly op: "end"; readonly path: string; readonly delta: bigint }
  /** The file ends `delta` bytes after the start of a place, or after its end. */
  | { readonly op: "cut"; readonly at: string; readonly from?: "end"; readonly delta: number }
  /** The file becomes whole clusters long, and then `clusters` longer. */
  | { readonly op: "grow"; readonly clusters: number }
  /** Text of the JSON is replaced: the first or the last time that it occurs. */
  | {
    readonly op: "json-replace";
    readonly find: string;
    readonly last?: true;
    readonly by: string;
    readonly copies: Copies;
  }
  /** The JSON is filled up with blanks. */
  | { readonly op: "json-fill"; readonly length: number; readonly copies: Copies }
  /** The digest of the key slot of a reencryption is put into the JSON: the one that it must have. */
  | { readonly op: "reencryption-digest"; readonly name: string; readonly copies: Copies };

/** An edit of bytes. */
export type BytesEdit =
  /** The bytes at a place, or of the file where no place is named. */
  | {
    readonly op: "bytes";
    readonly at?: string;
    readonly skip: number;
    readonly bytes: Uint8Array;
  }
  /** The refcount, of 16 bits, of the host cluster in which a place starts. */
  | { readonly op: "refcount"; readonly of: string; readonly value: number }
  /** The file becomes so long, with nothing stored in what is added. */
  | { readonly op: "lengthen"; readonly size: number };

/** Which copies of a LUKS2 header an edit changes. */
export type Copies = "both" | "primary" | "secondary";

/** Where an edit of a LUKS2 header applies; both copies, with new checksums, where nothing is said. */
export interface Where {
  readonly copies?: Copies;
  /** The checksum stays as it was. */
  readonly unsummed?: true;
}

/** A field becomes a number. */
export function set(path: string, value: bigint | number): CaseEdit {
  return { op: "set", path, value: BigInt(value) };
}

/** A field becomes a text, with zeros after it. */
export function text(path: string, value: string): CaseEdit {
  return { op: "text", path, text: value, fill: 0 };
}

/** See {@link DerivedEdit}. */
export function add(path: string, delta: bigint | number): CaseEdit {
  return { op: "add", path, delta: BigInt(delta) };
}

/** A bit of a field is flipped. */
export function flip(path: string, bit: number): CaseEdit {
  return { op: "flip", path, bit };
}

/** A field becomes the offset of a place. */
export function point(path: string, at: string, delta = 0): CaseEdit {
  return { op: "point", path, at, delta };
}

/** See {@link DerivedEdit}. */
export function end(path: string, delta: bigint | number = 0): CaseEdit {
  return { op: "end", path, delta: BigInt(delta) };
}

/** The file gets another length. */
export function resize(size: number): CaseEdit {
  return { op: "resize", size };
}

/** The file ends so many bytes after the start of a place. */
export function cut(at: string, delta: number): CaseEdit {
  return { op: "cut", at, delta };
}

/** The file ends so many bytes after the end of a place, or before it. */
export function cutAfter(at: string, delta: number): CaseEdit {
  return { op: "cut", at, from: "end", delta };
}

/** See {@link BytesEdit}. */
export function refcount(of: string, value: number): CaseEdit {
  return { op: "refcount", of, value };
}

/** Bytes, or a text, at a place. */
export function bytes(at: string, content: string | Iterable<number>, skip = 0): CaseEdit {
  const put = typeof content === "string"
    ? new TextEncoder().encode(content)
    : Uint8Array.from(content);
  return { op: "bytes", at, skip, bytes: put };
}

/** Bytes at an offset of the file. */
export function overwrite(offset: number, content: Iterable<number>): CaseEdit {
  return { op: "bytes", skip: offset, bytes: Uint8Array.from(content) };
}

/** The path of the copies of a LUKS2 header. */
export function rootOf(copies: Copies = "both"): string {
  return copies === "both" ? "/*" : `/${copies}`;
}

function sealing({ unsummed }: Where): { readonly sealed?: true } {
  return unsummed ? {} : { sealed: true };
}

/** A value of the JSON is set, or removed where there is none: `/config/json_size`. */
export function json(member: string, value?: Json, where: Where = {}): CaseEdit {
  const path = `${rootOf(where.copies)}/json`;
  const put = value === undefined ? {} : { value };
  return { op: "json", path, member, ...put, ...sealing(where) };
}

/** A place of the JSON gets the value of another one. */
export function jsonCopy(member: string, from: string): CaseEdit {
  return { op: "json-copy", path: `${rootOf()}/json`, member, from, sealed: true };
}

/** A number or a text of the binary header. */
export function header(
  field: string,
  value: number | bigint | string,
  where: Where = {},
): CaseEdit {
  const path = `${rootOf(where.copies)}/${field}`;
  const edit = typeof value === "string"
    ? { op: "text", path, text: value, fill: 0 } as const
    : { op: "set", path, value: BigInt(value) } as const;
  return { ...edit, ...sealing(where) };
}

/** Bits of a byte of a copy are flipped. */
export function bits(at: number, mask: number, where: Where = {}): CaseEdit {
  return { op: "xor", path: rootOf(where.copies), offset: at, bits: mask, ...sealing(where) };
}

/** See {@link DerivedEdit}. */
export function replace(find: string, by: string, copies: Copies = "both"): CaseEdit {
  return { op: "json-replace", find, by, copies };
}

/** The end of the JSON, its last brace, is replaced. */
export function jsonEnd(by: string, copies: Copies = "both"): CaseEdit {
  return { op: "json-replace", find: "}", last: true, by, copies };
}

/** The JSON becomes another text. */
export function jsonText(text: string): CaseEdit {
  return letters("both", { offset: 0, remove: JSON_MAX, insert: text });
}

/** Letters of the JSON are replaced. */
export function letters(
  copies: Copies,
  change: { offset: number; remove: number; insert: string; times?: number },
): Edit {
  return { op: "letters", path: `${rootOf(copies)}/json`, times: 1, ...change, sealed: true };
}

/** More letters than any JSON has. */
const JSON_MAX = 2 ** 22;

/** An edit in words. */
export function describeCaseEdit(edit: CaseEdit): string {
  switch (edit.op) {
    case "add":
      return `${edit.path} += 0x${edit.delta.toString(16)}`;
    case "end":
      return `${edit.path} := the end of the file + ${edit.delta}`;
    case "cut":
      return `the file ends at ${
        edit.from === undefined ? "" : "the end of "
      }${edit.at} + ${edit.delta}`;
    case "grow":
      return `the file becomes ${edit.clusters} clusters longer`;
    case "lengthen":
      return `the file becomes ${edit.size} bytes long`;
    case "bytes":
      return `${edit.bytes.length} bytes at ${edit.at ?? "offset 0"} + ${edit.skip}: ${
        edit.bytes.subarray(0, SHOWN_MAX).toHex()
      }${edit.bytes.length > SHOWN_MAX ? "…" : ""}`;
    case "refcount":
      return `the refcount of ${edit.of} := ${edit.value}`;
    case "json-replace":
      return `${edit.last ? "the last " : ""}${shown(edit.find)} of the JSON := ${shown(edit.by)}${
        inCopies(edit.copies)
      }`;
    case "json-fill":
      return `the JSON becomes ${edit.length} bytes long by blanks${inCopies(edit.copies)}`;
    case "reencryption-digest":
      return `/digests/${edit.name} := the digest of the reencryption${inCopies(edit.copies)}`;
    default:
      return describeEdit(edit);
  }
}

/** Bytes or letters of a value that are shown. */
const SHOWN_MAX = 64;

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_MAX));
}

function inCopies(copies: Copies): string {
  return copies === "both" ? "" : ` in the ${copies} copy`;
}
