import { hex } from "../../src/bytes/mod.ts";
import type { Json, Pattern } from "../../src/format/mod.ts";

/**
 * A named change to a built image. Edits are applied in order, each to the result of the one before it.
 * Paths are those of the placed structures: `/header/l1_table_offset`, `/l2[0]/3/l2_entry`. A `*` as
 * the first name means every copy of a part with a checksum. An edit whose path does
 * not exist has no effect.
 */
export type Edit = (FieldEdit | PlaceEdit | JsonEdit | ByteEdit) & {
  /** Whether the checksums that cover the change are updated. */
  readonly sealed?: true;
};

/** A change to one field. */
export type FieldEdit =
  /** A field is given a value, cut to its width. */
  | { readonly op: "set"; readonly path: string; readonly value: bigint }
  /** A field is given the value of another one. */
  | { readonly op: "copy"; readonly path: string; readonly from: string }
  /** A field is made to point at a place, so many bytes off its start. */
  | { readonly op: "point"; readonly path: string; readonly at: string; readonly delta: number }
  /** A field is given a text, cut to its width, then filled with one repeated byte. */
  | { readonly op: "text"; readonly path: string; readonly text: string; readonly fill: number }
  /** One bit of a field is flipped; bit 0 is the least significant. */
  | { readonly op: "flip"; readonly path: string; readonly bit: number };

/** A change to whole places. */
export type PlaceEdit =
  /** Two places change their bytes, as many as the shorter one has. */
  | { readonly op: "swap"; readonly path: string; readonly with: string }
  /** A place gets the bytes of another one. */
  | { readonly op: "duplicate"; readonly path: string; readonly from: string }
  /** A place becomes zeros. */
  | { readonly op: "drop"; readonly path: string };

/** A change to the JSON that fills a place up to its trailing zeros; `member` is a place in it. */
export type JsonEdit =
  /** A value is replaced or put there: `/segments/0/size`. Without a value it is taken out. */
  | { readonly op: "json"; readonly path: string; readonly member: string; readonly value?: Json }
  /** A place gets the value of another one. */
  | {
    readonly op: "json-copy";
    readonly path: string;
    readonly member: string;
    readonly from: string;
  }
  /** A member or an item is moved in its object or list, so that it becomes the n-th. */
  | {
    readonly op: "json-move";
    readonly path: string;
    readonly member: string;
    readonly to: number;
  }
  /** Letters of the text are taken out, and others put there so many times; each is one byte. */
  | {
    readonly op: "letters";
    readonly path: string;
    readonly offset: number;
    readonly remove: number;
    readonly insert: string;
    readonly times: number;
  };

/** A change to any bytes. */
export type ByteEdit =
  /** Bits of one byte are flipped: of the file, or of the place that a path names. */
  | {
    readonly op: "xor";
    readonly path?: string;
    readonly offset: number;
    readonly bits: number;
  }
  /** The file ends here: earlier than it did, or later. */
  | { readonly op: "resize"; readonly size: number }
  /** Bytes are taken out, and others put in their place. */
  | {
    readonly op: "splice";
    readonly offset: number;
    readonly remove: number;
    readonly insert: number;
    readonly pattern: Pattern;
  };

/** The members that an edit has to have. */
const MEMBERS: { readonly [Op in Edit["op"]]: readonly string[] } = {
  set: ["path", "value"],
  copy: ["path", "from"],
  point: ["path", "at", "delta"],
  text: ["path", "text", "fill"],
  flip: ["path", "bit"],
  swap: ["path", "with"],
  duplicate: ["path", "from"],
  drop: ["path"],
  json: ["path", "member"],
  "json-copy": ["path", "member", "from"],
  "json-move": ["path", "member", "to"],
  letters: ["path", "offset", "remove", "insert", "times"],
  xor: ["offset", "bits"],
  resize: ["size"],
  splice: ["offset", "remove", "insert", "pattern"],
};

/** @throws {TypeError} where an edit lacks a part */
export function requireEdit(edit: Edit): void {
  const whole = MEMBERS[edit.op]?.every((member) => Object.hasOwn(edit, member)) === true;
  if (whole && (edit.op !== "set" || typeof edit.value === "bigint")) return;
  throw new TypeError(`Cannot use the edit ${edit.op}: it lacks a part`);
}

/** The text of an edit in a report. */
export function describeEdit(edit: Edit): string {
  return `${words(edit)}${edit.sealed === true ? ", checksum updated" : ""}`;
}

const SHOWN_MAX = 80;

function words(edit: Edit): string {
  switch (edit.op) {
    case "set":
      return `${edit.path} := ${hex(edit.value)}`;
    case "copy":
      return `${edit.path} := the value of ${edit.from}`;
    case "point":
      return `${edit.path} := the place of ${edit.at}${edit.delta < 0 ? "" : "+"}${edit.delta}`;
    case "text":
      return `${edit.path} := ${JSON.stringify(edit.text)} and bytes of ${hex(edit.fill)}`;
    case "flip":
      return `${edit.path}: bit ${edit.bit} flipped`;
    case "swap":
      return `${edit.path} and ${edit.with} swapped`;
    case "duplicate":
      return `${edit.path} := the bytes of ${edit.from}`;
    case "drop":
      return `${edit.path} := zeros`;
    case "json": {
      const place = `${edit.path} ${edit.member}`;
      if (edit.value === undefined) return `${place} removed`;
      return `${place} := ${JSON.stringify(edit.value).slice(0, SHOWN_MAX)}`;
    }
    case "json-copy":
      return `${edit.path} ${edit.member} := the value of ${edit.from}`;
    case "json-move":
      return `${edit.path} ${edit.member} moved to position ${edit.to}`;
    case "letters": {
      const times = edit.times === 1 ? "" : ` ${edit.times} times`;
      const text = JSON.stringify(edit.insert.slice(0, SHOWN_MAX));
      return `${edit.path} at letter ${edit.offset}: ${edit.remove} removed, ${text}${times} inserted`;
    }
    case "xor":
      return `byte ${edit.offset}${edit.path === undefined ? "" : ` of ${edit.path}`} ^= ${
        hex(edit.bits)
      }`;
    case "resize":
      return `file resized to ${edit.size} bytes`;
    case "splice":
      return `at ${edit.offset}, ${edit.remove} bytes removed and ${edit.insert} inserted`;
  }
}
