/** A number, or the name of one that the image decides, as `cluster size`. */
export type Bound = number | bigint | string;

/** What names in constraints stand for in one image: sizes in bytes, and conditions. */
export type Context = Readonly<Record<string, number | bigint | boolean>>;

/**
 * What is required of a field. Where `each` is given, the field counts things of so many bytes, and
 * the bound is in bytes.
 */
export type Requirement =
  /** The smallest value. */
  | { readonly min: Bound; readonly each?: Bound }
  /** The largest value. */
  | { readonly max: Bound; readonly each?: Bound }
  /** The value, or what the named bits of it say, is a multiple of this. */
  | { readonly multipleOf: Bound; readonly each?: Bound; readonly bits?: string }
  /** No value but these, or but the named values of the field. */
  | { readonly oneOf: "values" | readonly number[] }
  /** Runs of bits that are clear: all reserved ones, or those with these names. */
  | { readonly clear: "reserved" | readonly string[] }
  /** Zero, or nothing but zero bytes. */
  | { readonly zero: true }
  /** What starts at this offset ends at or below the bound. `region` is the name of its length. */
  | { readonly region: string; readonly endsBy: Bound }
  /** What starts at this offset is at most so many bytes long. */
  | { readonly region: string; readonly longest: Bound }
  /** These bytes. */
  | { readonly equals: Uint8Array }
  /** Text that ends with a NUL byte inside the field. */
  | { readonly nulTerminated: true };

/** A requirement, and who says so. */
export type Constraint = Requirement & {
  /** Slug of the rule that is broken; several where different operations report it differently. */
  readonly rule: string | readonly string[];
  /** Name of the condition without which the constraint does not apply, as `in version 3`. */
  readonly when?: string;
};

/** The slugs of the rules that a constraint names. */
export function rulesOf({ rule }: Constraint): readonly string[] {
  return typeof rule === "string" ? [rule] : rule;
}

/** The bound of a constraint that has one. */
export function boundIn(constraint: Constraint): Bound | undefined {
  if ("min" in constraint) return constraint.min;
  if ("max" in constraint) return constraint.max;
  if ("multipleOf" in constraint) return constraint.multipleOf;
  if ("endsBy" in constraint) return constraint.endsBy;
  return "longest" in constraint ? constraint.longest : undefined;
}
