import { hexOf, isZero } from "../bytes/mod.ts";
import { bitsMask } from "./bits.ts";
import { allowed } from "./bounds.ts";
import type { Bound, Constraint, Context } from "./constraint.ts";
import type { Field } from "./field.ts";
import { boundText, listText, sizeText, unitText, valueText } from "./words.ts";

/** A decoded value. */
export type Value = number | bigint | Uint8Array;

/** A constraint, made ready to be judged. */
export interface Check {
  /** @param value as {@link narrowed} gives it */
  readonly holds: (value: Value, context: Context) => boolean;
  /** What is wrong with a value for which it does not hold, to go behind the name of the field. */
  readonly says: (value: Value, context: Context) => string;
}

/** The check for a constraint of a field. */
export function checkOf(field: Field, constraint: Constraint): Check {
  if ("region" in constraint) return regionCheck(field, constraint);
  if ("equals" in constraint) return equalsCheck(constraint.equals);
  if ("nulTerminated" in constraint) {
    return { holds: (value) => asBytes(value).includes(0), says: () => "has no NUL byte" };
  }
  if ("zero" in constraint) return zeroCheck(field);
  if ("clear" in constraint) return clearCheck(field, constraint.clear);
  if ("oneOf" in constraint) return oneOfCheck(field, constraint.oneOf);
  if ("multipleOf" in constraint) return multipleCheck(field, constraint);
  return orderCheck(field, constraint);
}

/** A value that is compared, and a bound, where the field counts things of several bytes. */
interface Measured {
  readonly each?: Bound;
}

function orderCheck(
  field: Field,
  constraint: Measured & ({ readonly min: Bound } | { readonly max: Bound }),
): Check {
  const least = "min" in constraint;
  const bound = "min" in constraint ? constraint.min : constraint.max;
  const { each } = constraint;
  const comparison = least ? "less" : "more";
  return {
    holds: (value, context) => {
      const measured = each === undefined ? asNumber(value) : measure(value, each, context);
      const limit = typeof bound === "string" ? resolve(bound, context) : bound;
      return least ? measured >= limit : measured <= limit;
    },
    says: (value, context) => {
      // All that is less than 1 is 0.
      if (bound === 1) return "is 0";
      const than = boundText(bound, resolve(bound, context), each !== undefined);
      return `is ${measuredText(field, value, { each, context })}, ${comparison} than ${than}`;
    },
  };
}

function multipleCheck(
  field: Field,
  { multipleOf, each, bits }: Measured & { readonly multipleOf: Bound; readonly bits?: string },
): Check {
  const mask = bits === undefined ? undefined : bitsMask(field, [bits]);
  const part = (value: Value): Value =>
    mask === undefined ? value : narrowed(BigInt(asNumber(value)) & mask);
  const what = bits === undefined ? "is" : `has the ${bits}`;
  return {
    holds: (value, context) => {
      const measured = measure(part(value), each, context);
      const unit = resolve(multipleOf, context);
      return typeof measured === "number"
        ? measured % Number(unit) === 0
        : measured % BigInt(unit) === 0n;
    },
    says: (value, context) => {
      const text = measuredText(field, part(value), { each, context });
      const unit = boundText(multipleOf, resolve(multipleOf, context), each !== undefined);
      return `${what} ${text}, not a multiple of ${unit}`;
    },
  };
}

function oneOfCheck(field: Field, oneOf: "values" | readonly number[]): Check {
  const values = allowed(field, oneOf);
  const known = new Set<Value>(values.map(narrowed));
  return {
    holds: (value) => known.has(value),
    says: (value) =>
      `is ${unitText(field, value)}, not ${listText(values.map((one) => valueText(field, one)))}`,
  };
}

function clearCheck(field: Field, clear: "reserved" | readonly string[]): Check {
  const mask = bitsMask(field, clear);
  const runs = (field.bits ?? []).map(({ name, reserved }) => ({
    name: reserved ? "reserved bits" : name,
    bits: bitsMask(field, [name]) & mask,
  }));
  return {
    holds: (value) => value === 0 || (BigInt(asNumber(value)) & mask) === 0n,
    says: (value) => {
      const set = BigInt(asNumber(value)) & mask;
      const names = runs.filter(({ bits }) => (bits & set) !== 0n).map(({ name }) => name);
      return `has ${[...new Set(names)].join(" and ")} set (0x${set.toString(16)})`;
    },
  };
}

function zeroCheck(field: Field): Check {
  if (field.kind !== "bytes") {
    return {
      holds: (value) => value === 0,
      says: (value) => `is ${unitText(field, value)}, not 0`,
    };
  }
  return {
    holds: (value) => isZero(asBytes(value)),
    says: (value) => {
      const at = asBytes(value).findIndex((byte) => byte !== 0);
      return `is not all zeros: byte ${at} is 0x${asBytes(value)[at]?.toString(16)}`;
    },
  };
}

function equalsCheck(expected: Uint8Array): Check {
  return {
    holds: (value) => expected.every((byte, at) => byte === asBytes(value)[at]),
    says: (value) => `is ${hexOf(asBytes(value))}, not ${hexOf(expected)}`,
  };
}

function regionCheck(
  field: Field,
  constraint:
    & { readonly region: string }
    & (
      | { readonly endsBy: Bound }
      | { readonly longest: Bound }
    ),
): Check {
  const { region } = constraint;
  const ends = "endsBy" in constraint;
  const bound = "endsBy" in constraint ? constraint.endsBy : constraint.longest;
  const how = ends ? "ends above" : "is longer than";
  return {
    holds: (value, context) => {
      const length = resolve(region, context);
      if (!ends) return length <= resolve(bound, context);
      const end = typeof value === "number" && typeof length === "number"
        ? value + length
        : BigInt(asNumber(value)) + BigInt(length);
      return end <= resolve(bound, context);
    },
    says: (value, context) => {
      const length = sizeText(resolve(region, context));
      const limit = boundText(bound, resolve(bound, context), true);
      return `is ${valueText(field, value)}: the ${region} of ${length} ${how} ${limit}`;
    },
  };
}

/** The value in bytes, where the field counts things of several. */
function measure(value: Value, each: Bound | undefined, context: Context): number | bigint {
  const number = asNumber(value);
  if (each === undefined) return number;
  const size = resolve(each, context);
  const product = Number(number) * Number(size);
  return product < EXACT_END ? product : BigInt(number) * BigInt(size);
}

function measuredText(
  field: Field,
  value: Value,
  { each, context }: { each: Bound | undefined; context: Context },
): string {
  const text = unitText(field, value);
  return each === undefined ? text : `${text} (${sizeText(measure(value, each, context))})`;
}

/** @throws {TypeError} when the context does not have the name */
function resolve(bound: Bound, context: Context): number | bigint {
  if (typeof bound !== "string") return bound;
  const known = context[bound];
  if (known === undefined || typeof known === "boolean") {
    throw new TypeError(`Cannot judge without the ${bound}`);
  }
  return known;
}

/** Numbers below this are exact, and so are sums of two of them. */
const EXACT_END = 2 ** 52;

/** A value as a number where that is exact, since comparing and dividing a `bigint` takes longer. */
export function narrowed(value: Value): Value {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return number < EXACT_END ? number : value;
}

function asNumber(value: Value): number | bigint {
  return value as number | bigint;
}

function asBytes(value: Value): Uint8Array {
  return value as Uint8Array;
}
