/**
 * The catalogue of rules, findings, and the verdict of the format.
 *
 * Invariants:
 *
 * - Every sentence that an image can break is one rule with a slug that is never reused, a section,
 *   a class, a level and an effect.
 * - A finding is one rule broken at one place. Nothing else refuses an image.
 * - The catalogue is data: the predicates stand with the formats, and speak in slugs.
 *
 * @module
 */

export { catalogue, isRuleId, type RuleId, ruleOf } from "./catalogue.ts";
export { type Finding, Findings, FINDINGS_PER_RULE, type Place, refuses } from "./finding.ts";
export type { Effect, Level, Opening, Rule, RuleClass } from "./rule.ts";
export { type SpecVerdict, specVerdict } from "./verdict.ts";
