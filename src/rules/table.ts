import type { Effect, Level, Opening, Rule, RuleClass } from "./rule.ts";

/**
 * Rules as rows: class, level, effect, section, sentence and, for `refused-at-open`, the openings that
 * fail if not all of them do.
 */
export type RuleTable = Readonly<
  Record<
    string,
    | readonly [RuleClass, Level, Effect, string, string]
    | readonly [RuleClass, Level, Effect, string, string, readonly Opening[]]
  >
>;

/** Every rule of the loaded rooms by slug. Filled only while modules are loaded. */
const defined = new Map<string, Rule>();

/**
 * Defines the rules of a table, so that findings can refer to them.
 *
 * @param excusedWhenDirty the rules that do not apply with the dirty bit
 * @returns the rules, in the order of the table
 * @throws {TypeError} if a slug is already defined
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
 * @throws {TypeError} if no loaded room defines it
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
