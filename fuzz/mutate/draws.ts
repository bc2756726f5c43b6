import * as fc from "fast-check";
import type { Placed } from "../../src/format/mod.ts";

/**
 * An edit before its target is known: numbers that pick a place, a field and a value of whatever
 * image there is. Zeros pick the first of each.
 */
export interface EditDraw {
  /** The kind of edit. */
  readonly sort: Sort;
  /** Which role of place: see {@link ROLES}. */
  readonly role: number;
  /** Selects the place. */
  readonly place: number;
  /** Selects the element of a table. */
  readonly element: number;
  /** Selects the field. */
  readonly field: number;
  /** Selects the value. */
  readonly value: number;
  /** Selects a second place or value. */
  readonly other: number;
  /** Which copies of a part with a checksum are changed: see {@link ALL_COPIES}. */
  readonly copy?: number;
  /** The checksum stays as it was: a reader stops at it, and looks no further. */
  readonly unsealed?: boolean;
}

/** What is done; the last four to parts with a checksum alone. */
export type Sort =
  | "value"
  | "word"
  | "copy"
  | "point"
  | "text"
  | "flip"
  | "structure"
  | "bytes"
  | "file"
  | "json"
  | "letters"
  | "sealed"
  | "bits";

/**
 * Which places are hit: tables more often than the header, since what fails there has got past it, and
 * the favourites of a format as often as data.
 */
export const ROLES: readonly (Placed["role"] | "favourite")[] = [
  "table",
  "table",
  "table",
  "header",
  "table",
  "data",
  "favourite",
];

/** Values of `copy` below this stand for all copies, and the next ones for one copy each. */
export const ALL_COPIES = 4;

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });

function sorts(
  weights: readonly (readonly [weight: number, sort: Sort])[],
): fc.Arbitrary<Sort> {
  return fc.oneof(
    ...weights.map(([weight, sort]) => ({ weight, arbitrary: fc.constant<Sort>(sort) })),
  );
}

/** One edit of any sort. Values of declared fields are the most frequent. */
export function editDraws(): fc.Arbitrary<EditDraw> {
  return fc.record({
    sort: sorts([
      [8, "value"],
      [2, "word"],
      [2, "copy"],
      [5, "point"],
      [2, "text"],
      [4, "flip"],
      [2, "structure"],
      [2, "bytes"],
      [1, "file"],
    ]),
    role: small(ROLES.length - 1),
    place: small(0xffff),
    element: fc.oneof(small(7), small(0xffff)),
    field: small(0xff),
    value: small(0xffff),
    other: small(0xffff),
  });
}

/** One edit of a part with a checksum. Most change all copies and leave checksums that are right. */
export function sealedDraws(): fc.Arbitrary<EditDraw> {
  return fc.record({
    sort: sorts([[12, "json"], [3, "letters"], [3, "sealed"], [1, "bits"]]),
    role: fc.constant(0),
    place: small(0xffff),
    element: small(15),
    field: fc.constant(0),
    value: small(0xffff),
    other: small(0xffff),
    copy: small(ALL_COPIES + 1),
    unsealed: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.boolean()),
  });
}

const EDITS_MAX = 3;

/** One to three edits: more, and a case dies in the header. */
export function editLists(draws: fc.Arbitrary<EditDraw> = editDraws()): fc.Arbitrary<EditDraw[]> {
  return fc.array(draws, { minLength: 1, maxLength: EDITS_MAX });
}

/** The same for images with checksums: one edit in nine is of any bytes, which leave them wrong. */
export function sealedLists(): fc.Arbitrary<EditDraw[]> {
  return editLists(fc.oneof(
    { weight: 8, arbitrary: sealedDraws() },
    { weight: 1, arbitrary: editDraws() },
  ));
}

/** Edits of one copy that leave its checksum as it was. */
export function garblingLists(copy: number): fc.Arbitrary<EditDraw[]> {
  return editLists(
    sealedDraws().map((draw) => ({ ...draw, copy: ALL_COPIES + copy, unsealed: true })),
  );
}
