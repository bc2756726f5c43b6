/**
 * The catalogue of rules: every sentence of a format that an image can break, and what public tools do
 * then.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { catalogue, ruleOf } from "@diskproof/diskproof/rules";
 *
 * assertEquals(ruleOf("qcow2.l1.offset").level, "must");
 * const atOpen = catalogue.filter(({ effect }) => effect === "refused-at-open");
 * assertEquals(atOpen.every(({ section }) => section !== ""), true);
 * ```
 *
 * @module
 */

export { catalogue } from "../src/formats.ts";
export {
  type Effect,
  type Finding,
  Findings,
  isRuleId,
  type Level,
  type Opening,
  type Place,
  refuses,
  type Rule,
  type RuleClass,
  type RuleId,
  ruleOf,
  type SpecVerdict,
  specVerdict,
} from "../src/rules/mod.ts";
