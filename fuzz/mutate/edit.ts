import type { Pattern } from "../../src/format/mod.ts";

/**
 * A named change to a built image. Edits are applied in order, each to what the one before it left.
 * Paths are those of the placed structures: `/header/l1_table_offset`, `/l2[0]/3/l2_entry`; an edit
 * whose path is not there does nothing.
 */
export type Edit =
  /** A field is given a value, cut to its width. */
  | { readonly op: "set"; readonly path: string; readonly value: bigint }
  /** A field is given the value of another one. */
  | { readonly op: "copy"; readonly path: string; readonly from: string }
  /** A field is made to point at a place, so many bytes off its start. */
  | { readonly op: "point"; readonly path: string; readonly at: string; readonly delta: number }
  /** A field is given a text, cut to its width, and behind that one byte over and over. */
  | { readonly op: "text"; readonly path: string; readonly text: string; readonly fill: number }
  /** One bit of a field is flipped; bit 0 is the least significant. */
  | { readonly op: "flip"; readonly path: string; readonly bit: number }
  /** Two places change their bytes, as many as the shorter one has. */
  | { readonly op: "swap"; readonly path: string; readonly with: string }
  /** A place gets the bytes of another one. */
  | { readonly op: "duplicate"; readonly path: string; readonly from: string }
  /** A place becomes zeros. */
  | { readonly op: "drop"; readonly path: string }
  /** Bits of one byte of the file are flipped. */
  | { readonly op: "xor"; readonly offset: number; readonly bits: number }
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

/** An edit in words, as it stands in a report. */
export function describeEdit(edit: Edit): string {
  switch (edit.op) {
    case "set":
      return `${edit.path} := 0x${edit.value.toString(16)}`;
    case "copy":
      return `${edit.path} := the value of ${edit.from}`;
    case "point":
      return `${edit.path} := the place of ${edit.at}${edit.delta < 0 ? "" : "+"}${edit.delta}`;
    case "text":
      return `${edit.path} := ${JSON.stringify(edit.text)} and bytes of 0x${
        edit.fill.toString(16)
      }`;
    case "flip":
      return `${edit.path}: bit ${edit.bit} flipped`;
    case "swap":
      return `${edit.path} and ${edit.with} swapped`;
    case "duplicate":
      return `${edit.path} := the bytes of ${edit.from}`;
    case "drop":
      return `${edit.path} := zeros`;
    case "xor":
      return `byte ${edit.offset} ^= 0x${edit.bits.toString(16)}`;
    case "resize":
      return `the file is made ${edit.size} bytes long`;
    case "splice":
      return `at ${edit.offset}, ${edit.remove} bytes out and ${edit.insert} in`;
  }
}
