import { formats } from "../../../src/formats.ts";
import {
  type Bound,
  boundIn,
  type Constraint,
  type Field,
  rulesOf,
  type Struct,
} from "../../../src/layout/mod.ts";
import { type Case, imagesNotRecorded, namedCases, valuesOf } from "../../cases/mod.ts";
import type { Item } from "./aspect.ts";

/** A case with its name. */
interface Named {
  readonly name: string;
  readonly of: Case;
}

/**
 * Each constraint of a field of a structure, with the images in which the field has its last good and
 * its first bad value. Where the bound depends on the image, any good and any bad value counts.
 */
export function fieldsCovered(recorded: ReadonlySet<string>): Item[] {
  const cases = Map.groupBy(namedCases(), ({ of }) => of.rule as string);
  const structures = formats.flatMap((format) => format.structures.filter(isWhole));
  return structures.flatMap(({ name, fields }) =>
    fields.flatMap((field) =>
      (field.constraints ?? []).flatMap((constraint) =>
        rulesOf(constraint).map((rule): Item => ({
          name: `${name} ${field.name}: ${rule}`,
          ...imagesFor({ field, constraint }, { cases: cases.get(rule) ?? [], recorded }),
        }))
      )
    )
  );
}

/** Whether a structure is not the start of a longer one with the same fields. */
function isWhole({ name, fields }: Struct, _: number, among: readonly Struct[]): boolean {
  return !among.some((other) =>
    other.fields.length > fields.length && other.fields[0] === fields[0] && other.name !== name
  );
}

/** The images of the cases of a rule in which a field has the values of its boundary. */
function imagesFor(
  { field, constraint }: { field: Field; constraint: Constraint },
  { cases, recorded }: {
    cases: readonly Named[];
    recorded: ReadonlySet<string>;
  },
): Pick<Item, "images" | "because"> {
  const images: string[] = [];
  for (const { name, of } of cases) {
    const { broken, kept, clusterSize } = valuesOf(of, field);
    // Some structures start as bytes that an edit of the case makes one.
    const isThere = broken.length + kept.length > 0;
    const { bad, good } = isThere ? boundary({ field, constraint }, clusterSize) : NONE;
    if (bad.length === 0 || bad.some((value) => broken.includes(value))) {
      images.push(`${name}-breaks`);
    }
    if (good === undefined || kept.includes(good)) images.push(`${name}-keeps`);
  }
  const isThere = (does: string) => images.some((image) => image.endsWith(does));
  const isComplete = isThere("-breaks") && isThere("-keeps");
  if (!isComplete) return { images: [] };
  const existing = images.filter((image) => recorded.has(image));
  const [because] = images.flatMap((image) => imagesNotRecorded[image] ?? []);
  return { images: existing, ...because === undefined ? {} : { because } };
}

/** Values of which one must be in a broken image, and the one of the image that keeps the rule. */
interface Boundary {
  readonly bad: readonly bigint[];
  readonly good?: bigint;
}

const NONE: Boundary = { bad: [] };

/** The first bad and the last good value, where they do not depend on more than the cluster size. */
function boundary(
  { field, constraint }: { field: Field; constraint: Constraint },
  clusterSize: number,
): Boundary {
  const number = (bound: Bound | undefined) =>
    bound === "cluster size" ? clusterSize : typeof bound === "string" ? undefined : bound;
  const bound = number(boundIn(constraint));
  const each = number("each" in constraint ? constraint.each : 1);
  if (bound === undefined || each === undefined) return NONE;
  const good = BigInt(bound) / BigInt(each);
  if ("max" in constraint) return { good, bad: [good + 1n, good + stepOf(field)] };
  // Other rules are about small values of what must not be 0.
  if ("min" in constraint) return { ...good === 1n ? {} : { good }, bad: [good - 1n] };
  return NONE;
}

/** The difference of two values that are multiples of what the field requires. */
function stepOf({ constraints = [] }: Field): bigint {
  const steps = constraints.map((it) => "multipleOf" in it ? it.multipleOf : 1);
  return steps.reduce<bigint>((step, it) => typeof it === "string" ? step : BigInt(it) * step, 1n);
}
