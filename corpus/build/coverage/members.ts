import { describedMembers, type Member } from "../../../src/luks2/mod.ts";
import { type Case, type CaseEdit, imagesNotRecorded, namedCases } from "../../cases/mod.ts";
import type { Item } from "./aspect.ts";

/**
 * Each rule of a member of the JSON of LUKS2, with the images of the cases that change the member, or the
 * object that it is in. Where the rule has a least or a greatest value, they have the value and the next.
 */
export function membersCovered(recorded: ReadonlySet<string>): Item[] {
  const cases = Map.groupBy(namedCases(), ({ of }) => of.rule as string);
  return describedMembers().flatMap(({ path, type, member }) =>
    rulesOf(member).map((rule): Item => {
      const { bad, good } = boundary(member, rule);
      const images = (cases.get(rule) ?? []).flatMap(({ name, of }) => [
        ...changes(of, of.breaks, { path, values: bad }) ? [`${name}-breaks`] : [],
        ...changes(of, of.keeps, { path, values: good }) ? [`${name}-keeps`] : [],
      ]);
      const broken = images.some((image) => image.endsWith("-breaks"));
      const [because] = images.flatMap((image) => imagesNotRecorded[image] ?? []);
      return {
        name: `luks2.json ${path}${type === undefined ? "" : ` (${type})`}: ${rule}`,
        images: broken ? images.filter((image) => recorded.has(image)) : [],
        ...because === undefined ? {} : { because },
      };
    })
  );
}

function rulesOf({ rule, constraints = [] }: Member): string[] {
  const rules = [rule, ...constraints.map((it) => it.rule)];
  return [...new Set(rules.filter((it) => it !== undefined))];
}

/** The first bad values, of which one is enough, and the last good value of a rule that has one. */
function boundary({ constraints = [] }: Member, rule: string): { bad: number[]; good: number[] } {
  const steps = constraints.flatMap((it) => "multipleOf" in it ? [Number(it.multipleOf)] : []);
  for (const constraint of constraints.filter((it) => it.rule === rule)) {
    const sign = "max" in constraint ? 1 : -1;
    if (!("max" in constraint || "min" in constraint)) continue;
    const good = Number("max" in constraint ? constraint.max : constraint.min);
    return { good: [good], bad: [1, ...steps].map((step) => good + sign * step) };
  }
  return { bad: [], good: [] };
}

/** Whether the edits of a case change a member, to one of some values where there are any. */
function changes(
  { breaks }: Case,
  edits: readonly CaseEdit[],
  { path, values }: { path: string; values: readonly number[] },
): boolean {
  const all = edits.length > 0 ? edits : breaks;
  return all.some((edit) => {
    if (!("member" in edit)) return edit.op === "replace" || edit.op === "letters";
    const changed = edit.member.replaceAll(/\/\d+(?=\/|$)/g, "/*");
    if (changed !== path) return path.startsWith(`${changed}/`) && values.length === 0;
    return values.length === 0 || !("value" in edit) || values.includes(Number(edit.value));
  });
}
