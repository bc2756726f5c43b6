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

/** Every rule that a loaded room has defined, by its slug. Filled as modules load, and never after. */
const defined = new Map<string, Rule>();

/**
 * Defines the rules of a table: from then on findings can name them.
 *
 * @param excusedWhenDirty the rules that the dirty bit excuses
 * @returns the rules, in the order of the table
 * @throws {TypeError} for a slug that is defined already
 *
 * @example
 * ```ts
 * import { defineRules, ruleOf } from "./mod.ts";
 *
 * const table = {
 *   "example.header.magic": ["spec", "must", "refused-at-open", "1.1", "The magic is 'EX'."],
 * } as const;
 * defineRules(table);
 * ruleOf("example.header.magic").says; // "The magic is 'EX'."
 * ```
 */
export function defineRules<T extends RuleTable>(
  table: T,
  excusedWhenDirty: readonly (keyof T)[] = [],
): readonly Rule[] {
  return Object.freeze(
    Object.entries(table).map(([id, [ruleClass, level, effect, section, says, opens]]) => {
      if (defined.has(id)) throw new TypeError(`Cannot define rule ${id}: it is defined already`);
      const rule: Rule = Object.freeze({
        ...{ id, class: ruleClass, level, effect, section, says },
        ...(opens === undefined ? {} : { opens }),
        ...(excusedWhenDirty.includes(id) ? { excusedWhenDirty: true } : {}),
      });
      defined.set(id, rule);
      return rule;
    }),
  );
}

/**
 * The rule with a slug.
 *
 * @throws {TypeError} when no loaded room defines it
 */
export function ruleOf(id: RuleId): Rule {
  const rule = defined.get(id);
  if (rule === undefined) throw new TypeError(`Cannot find a rule ${id}`);
  return rule;
}

/** Whether a text is the slug of a rule of a loaded room. */
export function isRuleId(text: string): boolean {
  return defined.has(text);
}

/** The slug of a rule: each room has a narrower type for its own. */
export type RuleId = string;
