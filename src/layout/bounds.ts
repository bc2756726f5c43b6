import { bitsMask } from "./bits.ts";
import { type Bound, boundIn, type Context, rulesOf } from "./constraint.ts";
import type { Field } from "./field.ts";
import { type FieldName, fieldOf, type Struct } from "./struct.ts";

/**
 * The bound in the constraint of a rule, so that it is written only once. A length is in bytes.
 *
 * @throws {TypeError} if no constraint of the structure names the rule and has a numeric bound
 */
export function boundOf(struct: Struct, rule: string): number {
  for (const { constraints = [] } of struct.fields) {
    for (const constraint of constraints) {
      if (!rulesOf(constraint).includes(rule)) continue;
      const bound = boundIn(constraint);
      if (bound !== undefined && typeof bound !== "string") return Number(bound);
    }
  }
  throw new TypeError(`Cannot find a bound of ${rule} in ${struct.name}`);
}

/** Whether the value of a field must be a multiple of a number. */
export function isAligned({ constraints = [] }: Field): boolean {
  return constraints.some((constraint) => "multipleOf" in constraint);
}

/** An inclusive range. */
export interface Range {
  /** The least value. */
  readonly min: number;
  /** The greatest value. */
  readonly max: number;
}

/** The range of a field according to its unconditional smallest and largest values. */
export function rangeOf<S extends Struct>(struct: S, name: FieldName<S>): Range {
  const field = fieldOf(struct, name);
  let [min, max] = [0, 2 ** (8 * field.width) - 1];
  for (const constraint of field.constraints ?? []) {
    if (constraint.when !== undefined) continue;
    const { each = 1 } = constraint as { each?: Bound };
    if (typeof each === "string") continue;
    if ("min" in constraint && typeof constraint.min !== "string") {
      min = Math.max(min, Math.ceil(Number(constraint.min) / Number(each)));
    } else if ("max" in constraint && typeof constraint.max !== "string") {
      max = Math.min(max, Math.floor(Number(constraint.max) / Number(each)));
    }
  }
  return Object.freeze({ min, max });
}

/**
 * Interesting values for a fuzzer: the bounds of the constraints of a field, with their neighbours.
 * Bounds with names that are not in the context are omitted.
 */
export function boundariesOf(field: Field, context: Context): bigint[] {
  const number = (bound: Bound): bigint | undefined => {
    const known = typeof bound === "string" ? context[bound] : bound;
    return known === undefined ? undefined : BigInt(known);
  };
  return (field.constraints ?? []).flatMap((constraint) => {
    if ("oneOf" in constraint) return allowed(field, constraint.oneOf).flatMap(neighbours);
    if ("clear" in constraint) return [bitsMask(field, constraint.clear)];
    const bound = number(boundIn(constraint) ?? "");
    const each = number("each" in constraint ? constraint.each ?? 1 : 1);
    if (bound === undefined || !each) return [];
    return neighbours(bound / each);
  });
}

function neighbours(value: bigint): bigint[] {
  return [value - 1n, value, value + 1n];
}

/** The values that a `oneOf` allows. */
export function allowed(field: Field, oneOf: "values" | readonly number[]): bigint[] {
  return (oneOf === "values" ? Object.values(field.values ?? {}) : oneOf).map(BigInt);
}
