import type { Effect, Level, Opening, Rule, RuleClass } from "./rule.ts";

/**
 * Rules as rows: class, level, effect, section, sentence, and for `refused-at-open` the openings
 * that refuse where it is not all of them.
 */
export type RuleTable = Readonly<
  Record<
    string,
    | readonly [RuleClass, Level, Effect, string, string]
    | readonly [RuleClass, Level, Effect, string, string, readonly Opening[]]
  >
>;

/** The rules of a table, with their slugs. */
export function rulesOf(table: RuleTable): Rule[] {
  return Object.entries(table).map(([id, [ruleClass, level, effect, section, says, opens]]) => ({
    id,
    class: ruleClass,
    level,
    effect,
    section,
    says,
    ...(opens === undefined ? {} : { opens }),
  }));
}
