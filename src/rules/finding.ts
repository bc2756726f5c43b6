import type { Effect, Level, Opening, Rule, RuleClass } from "./rule.ts";
import { type RuleId, ruleOf } from "./table.ts";

/** One rule, broken at one place. */
export interface Finding {
  /** The slug of the rule. */
  readonly rule: RuleId;
  /** The kind of the rule. */
  readonly class: RuleClass;
  /** Whether the format says must, should or may. */
  readonly level: Level;
  /** What the public tool does with such an image. */
  readonly effect: Effect;
  /** Byte offset in the image file; a decimal string from 2^53 on; `null` where there is no place. */
  readonly offset: number | string | null;
  /** Which structure and field, as `/l2[0]/3/offset`. */
  readonly path: string;
  /** A sentence that a person understands. */
  readonly message: string;
}

/** Where a rule was broken. */
export interface Place {
  /** Path of the field or structure. */
  readonly path: string;
  /** Byte offset in the file, where there is one. */
  readonly offset?: number | bigint;
}

/** How many findings of one rule are listed; a hostile image breaks one rule a million times. */
export const FINDINGS_PER_RULE = 16;

/**
 * The findings of one image, in the order in which they were made.
 *
 * @typeParam Id the slugs that may be added. A room narrows it to its own, so that the compiler knows
 * a slug that is misspelt; the findings of any image go for those of a room.
 */
export class Findings<Id extends RuleId = RuleId> {
  readonly #list: Finding[] = [];
  readonly #counts = new Map<RuleId, number>();

  /**
   * Records that `rule` is broken. What is given as a function is only made where it is listed: a
   * hostile image breaks one rule a million times.
   */
  add(rule: Id, place: Place | (() => Place), message: string | (() => string)): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count > FINDINGS_PER_RULE) return;
    const { class: ruleClass, level, effect } = ruleOf(rule);
    const { path, offset } = typeof place === "function" ? place() : place;
    this.#list.push({
      rule,
      class: ruleClass,
      level,
      effect,
      offset: offset === undefined ? null : offsetForJson(offset),
      path,
      message: typeof message === "function" ? message() : message,
    });
  }

  /** The findings; a rule broken more often than is listed says so in its last one. */
  list(): Finding[] {
    const last = new Map(this.#list.map((finding, index) => [finding.rule, index]));
    return this.#list.map((finding, index) => {
      const more = (this.#counts.get(finding.rule) ?? 0) - FINDINGS_PER_RULE;
      if (more <= 0 || last.get(finding.rule) !== index) return finding;
      return { ...finding, message: `${finding.message} (and ${more} more places)` };
    });
  }

  /** How often a rule was broken. */
  count(rule: Id): number {
    return this.#counts.get(rule) ?? 0;
  }

  /** The rules that were broken. */
  rules(): RuleId[] {
    return [...this.#counts.keys()];
  }

  /** The first finding that leaves open what qemu-img does with the image. */
  unknown(): Finding | undefined {
    return this.#list.find(({ effect }) => effect === "unknown");
  }

  /**
   * The first finding for which an opening of this kind is refused.
   *
   * @param by only rules of this class; of all classes where it is absent
   */
  refusal(opening: Opening, by?: RuleClass): Finding | undefined {
    return this.#list.find((finding) =>
      (by === undefined || finding.class === by) && refuses(ruleOf(finding.rule), opening)
    );
  }
}

/** Whether breaking the rule makes an opening fail. */
export function refuses(rule: Rule, opening: Opening): boolean {
  return rule.effect === "refused-at-open" && (rule.opens?.includes(opening) ?? true);
}

function offsetForJson(offset: number | bigint): number | string {
  return offset <= Number.MAX_SAFE_INTEGER ? Number(offset) : String(offset);
}
