import { blockRules } from "./block.ts";
import { luks1Rules } from "./luks1.ts";
import { luks2Rules } from "./luks2.ts";
import { qcow1Rules } from "./qcow1.ts";
import { excusedWhenDirty, qcow2AccessRules } from "./qcow2_access.ts";
import { qcow2OpenRules } from "./qcow2_open.ts";
import type { Rule } from "./rule.ts";
import { rulesOf } from "./table.ts";

/** The slug of a rule in the catalogue. */
export type RuleId =
  | keyof typeof blockRules
  | keyof typeof qcow1Rules
  | keyof typeof qcow2OpenRules
  | keyof typeof qcow2AccessRules
  | keyof typeof luks1Rules
  | keyof typeof luks2Rules;

/** Every rule, in the order in which an image is judged. */
export const catalogue: readonly Rule[] = Object.freeze(
  [blockRules, qcow1Rules, qcow2OpenRules, qcow2AccessRules, luks1Rules, luks2Rules].flatMap(
    rulesOf,
  ).map((
    rule,
  ) => excusedWhenDirty.has(rule.id) ? { ...rule, excusedWhenDirty: true } : rule),
);

const byId = new Map(catalogue.map((rule) => [rule.id, rule]));

/** The rule with a slug. */
export function ruleOf(id: RuleId): Rule {
  return byId.get(id) as Rule;
}

/** Whether a text is the slug of a rule. */
export function isRuleId(text: string): text is RuleId {
  return byId.has(text);
}
