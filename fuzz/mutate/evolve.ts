import type * as fc from "fast-check";
import { SegmentSource } from "../../src/bytes/mod.ts";
import type { Placed } from "../../src/format/mod.ts";
import { type Editable, valueAt } from "./apply.ts";
import { strayValues } from "./dictionary.ts";
import type { EditDraw } from "./draws.ts";
import type { Edit } from "./edit.ts";
import { Places } from "./places.ts";
import { inOrder, resolveDraws, type Resolving } from "./resolve.ts";
import { interestingValues } from "./values.ts";

/** What edits are made further with. */
export interface Evolving extends Resolving {
  /** The image that the edits change. */
  readonly image: Editable;
  readonly random: fc.Random;
  /** Draws for new edits. */
  fresh(): readonly EditDraw[];
  /** Edits of other cases, of which some may be used. */
  readonly others: readonly (readonly Edit[])[];
}

/** Most edits of an image that has been evolved. More of them, and it dies in the header. */
export const EVOLVED_MAX = 4;

/** Most changes at once. */
const CHANGES_MAX = 3;

type Change = (edits: readonly Edit[], evolving: Evolving) => readonly Edit[];

/** The changes, each as often as its number says. */
const CHANGES: readonly (readonly [weight: number, change: Change])[] = [
  [5, added],
  [4, withOtherValue],
  [3, movedElsewhere],
  [3, borrowed],
  [2, withStructure],
  [1, dropped],
];
const WEIGHTS = CHANGES.reduce((sum, [weight]) => sum + weight, 0);

/**
 * Edits like those of a kept case: with others after them, with other values of the same fields, of
 * other elements of the same tables, or with edits of other cases.
 */
export function evolveEdits(edits: readonly Edit[], evolving: Evolving): Edit[] {
  const { random } = evolving;
  let evolved = edits;
  const changes = random.nextInt(1, random.nextInt(1, CHANGES_MAX));
  for (let i = 0; i < changes; i++) evolved = someChange(random)(evolved, evolving);
  const left = [...evolved];
  while (left.length > EVOLVED_MAX) left.splice(below(random, left.length), 1);
  return inOrder(left);
}

function someChange(random: fc.Random): Change {
  let at = below(random, WEIGHTS);
  for (const [weight, change] of CHANGES) {
    if (at < weight) return change;
    at -= weight;
  }
  return added;
}

/** One more edit, of any sort or of this one. */
function added(
  edits: readonly Edit[],
  { image, fresh, ...options }: Evolving,
  sort: Partial<Pick<EditDraw, "sort">> = {},
): readonly Edit[] {
  const draws = fresh().slice(0, 1).map((draw) => ({ ...draw, ...sort }));
  return [...edits, ...resolveDraws(image, draws, options)];
}

/** A structure is copied over another one, swapped with it, or cleared. */
function withStructure(edits: readonly Edit[], evolving: Evolving): readonly Edit[] {
  return added(edits, evolving, { sort: "structure" });
}

function borrowed(edits: readonly Edit[], evolving: Evolving): readonly Edit[] {
  const { random, others } = evolving;
  const edit = someOf(others.flat(), random);
  return edit === undefined ? added(edits, evolving) : [...edits, edit];
}

function dropped(edits: readonly Edit[], evolving: Evolving): readonly Edit[] {
  if (edits.length < 2) return added(edits, evolving);
  return edits.toSpliced(below(evolving.random, edits.length), 1);
}

/** One edit is replaced, if it can be. */
function changed(
  edits: readonly Edit[],
  evolving: Evolving,
  change: (edit: Edit) => Edit | undefined,
): readonly Edit[] {
  const at = below(evolving.random, edits.length);
  const edit = edits[at];
  const other = edit === undefined ? undefined : change(edit);
  return other === undefined ? added(edits, evolving) : edits.with(at, other);
}

function withOtherValue(edits: readonly Edit[], evolving: Evolving): readonly Edit[] {
  return changed(edits, evolving, (edit) => otherValue(edit, evolving));
}

function otherValue(edit: Edit, { image, random, unit, dictionary }: Evolving): Edit | undefined {
  const sealed = edit.sealed === true ? { sealed: true } as const : {};
  switch (edit.op) {
    case "set":
    case "flip":
    case "copy":
    case "point": {
      const field = Places.of(image.placed).field(edit.path);
      if (field === undefined) return undefined;
      const value = valueAt(new SegmentSource(image.segments, image.size), field);
      const around = { fileSize: image.size, clusterSize: unit, value };
      const near = edit.op === "set" ? neighboursOf(edit.value, unit) : [];
      const values = random.nextInt(0, 1) === 0 && near.length > 0
        ? near
        : interestingValues(field.field, around);
      const chosen = someOf(values, random);
      return chosen === undefined
        ? undefined
        : { op: "set", path: edit.path, value: chosen, ...sealed };
    }
    case "json": {
      return { ...edit, value: someOf(strayValues(dictionary), random) ?? null };
    }
    case "xor":
      return { ...edit, bits: random.nextInt(1, 255) };
    case "resize":
      return { ...edit, size: Math.max(0, edit.size + random.nextInt(-unit, unit)) };
    default:
      return undefined;
  }
}

/** Values next to one that has shown something: rules end at bounds. */
function neighboursOf(value: bigint, unit: number): bigint[] {
  const steps = [1n, 8n, 512n, BigInt(unit)];
  return [...steps.flatMap((step) => [value + step, value - step]), value * 2n, value / 2n]
    .map((near) => BigInt.asUintN(64, near));
}

function movedElsewhere(edits: readonly Edit[], evolving: Evolving): readonly Edit[] {
  return changed(edits, evolving, (edit) => elsewhere(edit, evolving));
}

/** A path of an element of a table: the table, the element, and what is in it. */
const ELEMENT = /^(.+)\/(\d+)(\/[^/]+)?$/;

/** The same edit of another element of a table, or of a table like it. */
function elsewhere(edit: Edit, { image, random }: Evolving): Edit | undefined {
  if (!("path" in edit) || edit.path === undefined) return undefined;
  const [, path, , rest = ""] = ELEMENT.exec(edit.path) ?? [];
  const table = image.placed.find((place) => place.path === path);
  if (table?.count === undefined) return undefined;
  const like = image.placed.filter(({ struct, count }: Placed) =>
    struct === table.struct && (count ?? 0) > 0
  );
  const other = someOf(like, random);
  if (other?.count === undefined) return undefined;
  return { ...edit, path: `${other.path}/${below(random, other.count)}${rest}` };
}

function someOf<T>(list: readonly T[], random: fc.Random): T | undefined {
  return list[below(random, list.length)];
}

/** A number below a bound; 0 if there is none. */
function below(random: fc.Random, bound: number): number {
  return bound <= 1 ? 0 : random.nextInt(0, bound - 1);
}
