/**
 * Rules and their tables, findings, and the verdict of the format.
 *
 * Invariants:
 *
 * - Every sentence that an image can break is one rule with a slug that is never reused, a section,
 *   a class, a level and an effect.
 * - A finding is one rule broken at one place. Nothing else rejects an image.
 * - Rules are data. They are in the room of their format, next to the predicates that refer to them by
 *   slug. A room defines its rules when it is loaded. `formats.ts` has the catalogue of all rules.
 *
 * @module
 */

export { type Finding, Findings, FINDINGS_PER_RULE, type Place, refuses } from "./finding.ts";
export type { Effect, Level, Opening, Rule, RuleClass } from "./rule.ts";
export { defineRules, isRuleId, type RuleId, ruleOf, type RuleTable } from "./table.ts";
export { type SpecVerdict, specVerdict } from "./verdict.ts";
