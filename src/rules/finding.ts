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
  /** Byte offset in the image file; a decimal string if it is 2^53 or more; `null` if there is none. */
  readonly offset: number | string | null;
  /** Structure and field, such as `/l2[0]/3/offset`. */
  readonly path: string;
  /** A readable sentence. */
  readonly message: string;
}

/** The place where a rule is broken. */
export interface Place {
  /** Path of the field or structure. */
  readonly path: string;
  /** Byte offset in the file, where there is one. */
  readonly offset?: number | bigint;
}

/** Maximum number of listed findings of one rule: a hostile image can break it a million times. */
export const FINDINGS_PER_RULE = 16;

/**
 * The findings of one image, in the order in which they were added.
 *
 * @typeParam Id the slugs that may be added. A room narrows it to its own, so that the compiler
 *   knows a slug that is misspelled; the findings of any image go for those of a room.
 */
export class Findings<Id extends RuleId = RuleId> {
  readonly #list: Finding[] = [];
  readonly #counts = new Map<RuleId, number>();
  /** The rules whose findings come after all others. */
  readonly #last = new Set<RuleId>();

  /**
   * Records that `rule` is broken. Arguments that are functions are called only for listed findings: a
   * hostile image can break one rule a million times.
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

  /** Records that `rule` is broken at so many places; `at` is called only for listed findings. */
  addEach(
    rule: Id,
    times: number,
    at: (index: number) => Place & { readonly message: string },
  ): void {
    const before = this.count(rule);
    const listed = Math.min(times, Math.max(0, FINDINGS_PER_RULE - before));
    for (let index = 0; index < listed; index++) {
      const { message, ...place } = at(index);
      this.add(rule, place, message);
    }
    this.#counts.set(rule, before + times);
  }

  /** The same for a finding that comes after all others, as one about the caller and not the image. */
  addLast(rule: Id, place: Place, message: string | (() => string)): void {
    this.#last.add(rule);
    this.add(rule, place, message);
  }

  /** How often each rule was broken so far. */
  counts(): ReadonlyMap<RuleId, number> {
    return new Map(this.#counts);
  }

  /**
   * Counts what was recorded since then so many times more, without listing it.
   *
   * @param since what {@link counts} returned when all rules that were broken since had their full list
   */
  repeat(since: ReadonlyMap<RuleId, number>, times: number): void {
    for (const [rule, count] of this.#counts) {
      const before = since.get(rule) ?? 0;
      if (count > before) this.#counts.set(rule, count + times * (count - before));
    }
  }

  /** The findings. If findings of a rule are omitted, its last message contains their number. */
  list(): Finding[] {
    const ordered = this.#ordered(this.#list, ({ rule }) => rule);
    const last = new Map(ordered.map((finding, index) => [finding.rule, index]));
    return ordered.map((finding, index) => {
      const more = (this.#counts.get(finding.rule) ?? 0) - FINDINGS_PER_RULE;
      if (more <= 0 || last.get(finding.rule) !== index) return finding;
      return { ...finding, message: `${finding.message} (and ${more} more places)` };
    });
  }

  /** Number of times that a rule was broken. */
  count(rule: Id): number {
    return this.#counts.get(rule) ?? 0;
  }

  /** The rules that were broken. */
  rules(): RuleId[] {
    return this.#ordered([...this.#counts.keys()], (rule) => rule);
  }

  #ordered<T>(items: readonly T[], ruleOf: (item: T) => RuleId): T[] {
    const isLast = (item: T): boolean => this.#last.has(ruleOf(item));
    return [...items.filter((item) => !isLast(item)), ...items.filter(isLast)];
  }

  /** The first finding for which qemu-img's behaviour is not known. */
  unknown(): Finding | undefined {
    return this.#list.find(({ effect }) => effect === "unknown");
  }

  /**
   * The first finding because of which an opening of this kind is rejected.
   *
   * @param by only rules of this class; of all classes by default
   */
  refusal(opening: Opening, by?: RuleClass): Finding | undefined {
    return this.#ordered(this.#list, ({ rule }) => rule).find((finding) =>
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
