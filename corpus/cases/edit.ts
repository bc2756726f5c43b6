/** The language of edits: that of the fuzzer, with additions for cases that are written by hand. */

import { describeEdit, type Edit } from "../../fuzz/mutate/mod.ts";
import type { Json } from "../../src/format/mod.ts";

/** An edit of a built image. Edits are applied in order, those of bytes after all others. */
export type CaseEdit = Edit | DerivedEdit | BytesEdit;

/** An edit whose value depends on the image after the previous edits. */
export type DerivedEdit =
  /** A field is increased. */
  | { readonly op: "add"; readonly path: string; readonly delta: bigint }
  /** A field becomes the length of the file, rounded up to whole clusters, plus `delta`. */
  | { readonly op: "end"; readonly path: string; readonly delta: bigint }
  /** The file ends `delta` bytes after the start of a place, or after its end. */
  | { readonly op: "cut"; readonly at: string; readonly from?: "end"; readonly delta: number }
  /** The file is extended to whole clusters and then by `clusters`. */
  | { readonly op: "grow"; readonly clusters: number }
  /** Letters of the JSON at a path are replaced: their first or last occurrence. */
  | {
    readonly op: "replace";
    readonly path: string;
    readonly find: string;
    readonly last?: true;
    readonly by: string;
  }
  /** The JSON at a path is padded with blanks. */
  | { readonly op: "fill"; readonly path: string; readonly length: number }
  /** A digest becomes the one that the key slot of a reencryption requires. */
  | { readonly op: "reencryption-digest"; readonly path: string; readonly member: string };

/** An edit of bytes. */
export type BytesEdit =
  /** The bytes at a place, or of the file if no place is given. */
  | {
    readonly op: "bytes";
    readonly at?: string;
    readonly skip: number;
    readonly bytes: Uint8Array;
  }
  /** The refcount, of 16 bits, of the host cluster in which a place starts. */
  | { readonly op: "refcount"; readonly of: string; readonly value: number }
  /** The file gets a length; the added part is a hole. */
  | { readonly op: "lengthen"; readonly size: number };

/** The scope of an edit of a LUKS2 header: by default both copies, with new checksums. */
export interface Where {
  readonly copy?: "primary" | "secondary";
  /** The checksum does not change. */
  readonly unsealed?: true;
}

/** A field becomes a number. */
export function set(path: string, value: bigint | number): CaseEdit {
  return { op: "set", path, value: BigInt(value) };
}

/** A field becomes a text, padded with zeros. */
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

/** The length of the file changes. */
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

/** Bytes or a text are written at a place. */
export function bytes(at: string, content: string | Iterable<number>, skip = 0): CaseEdit {
  const put = typeof content === "string"
    ? new TextEncoder().encode(content)
    : Uint8Array.from(content);
  return { op: "bytes", at, skip, bytes: put };
}

/** Bytes are written at an offset of the file. */
export function overwrite(offset: number, content: Iterable<number>): CaseEdit {
  return { op: "bytes", skip: offset, bytes: Uint8Array.from(content) };
}

/** A path in the copies of a LUKS2 header, and whether their checksums are updated. */
function copies({ copy, unsealed }: Where, path = ""): { path: string; sealed?: true } {
  return { path: `/${copy ?? "*"}${path}`, ...unsealed ? {} : { sealed: true } };
}

/** A value of the JSON, such as `/config/json_size`, is set, or removed if no value is given. */
export function json(member: string, value?: Json, where: Where = {}): CaseEdit {
  return {
    op: "json",
    ...copies(where, JSON_PATH),
    member,
    ...value === undefined ? {} : { value },
  };
}

/** A value of the JSON becomes a copy of another one. */
export function jsonCopy(member: string, from: string): CaseEdit {
  return { op: "json-copy", ...copies({}, JSON_PATH), member, from };
}

/** A number or a text of the binary header is set. */
export function header(
  field: string,
  value: bigint | number | string,
  where: Where = {},
): CaseEdit {
  const at = copies(where, `/${field}`);
  return typeof value === "string"
    ? { op: "text", ...at, text: value, fill: 0 }
    : { op: "set", ...at, value: BigInt(value) };
}

/** Bits of a byte of a copy are flipped. */
export function bits(offset: number, mask: number, where: Where = {}): CaseEdit {
  return { op: "xor", ...copies(where), offset, bits: mask };
}

const JSON_PATH = "/json";

/** The first occurrence of letters in the JSON is replaced. */
export function replace(find: string, by: string, where: Where = {}): CaseEdit {
  return { op: "replace", path: copies(where, JSON_PATH).path, find, by };
}

/** The end of the JSON, its last brace, is replaced. */
export function jsonEnd(by: string, where: Where = {}): CaseEdit {
  return { op: "replace", path: copies(where, JSON_PATH).path, find: "}", last: true, by };
}

/** The JSON is padded to so many bytes with blanks. */
export function fill(length: number): CaseEdit {
  return { op: "fill", path: copies({}, JSON_PATH).path, length };
}

/** The JSON becomes another text. */
export function jsonText(insert: string): CaseEdit {
  return { op: "letters", ...copies({}, JSON_PATH), offset: 0, remove: JSON_MAX, insert, times: 1 };
}

/** A number of letters that is larger than any JSON. */
const JSON_MAX = 2 ** 22;

/** A digest becomes the one that the key slot of a reencryption requires. */
export function reencryptionDigest(name: string): CaseEdit {
  return {
    op: "reencryption-digest",
    path: copies({}, JSON_PATH).path,
    member: `/digests/${name}`,
  };
}

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
    case "replace":
      return `${edit.last ? "the last " : ""}${shown(edit.find)} of ${edit.path} := ${
        shown(edit.by)
      }`;
    case "fill":
      return `${edit.path} becomes ${edit.length} bytes long, by blanks`;
    case "reencryption-digest":
      return `${edit.path}: ${edit.member} := the digest of the reencryption`;
    default:
      return describeEdit(edit);
  }
}

/** Bytes or letters of a value that are shown. */
const SHOWN_MAX = 64;

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_MAX));
}
