import { type Check, checkOf, narrowed, type Value } from "./checks.ts";
import { type Constraint, type Context, rulesOf } from "./constraint.ts";
import type { Decoded, FieldName, Struct } from "./struct.ts";

/** How a structure is judged. */
export interface Judging<Name extends string, Rule extends string, Place> {
  /** What the names in constraints stand for. */
  readonly context?: Context;
  /** Which one it is, where there are several: `bitmap 3`. Goes behind the names of fields. */
  readonly of?: string;
  /** Where a field is. */
  readonly place: (field: Name) => Place;
  /** Gets the findings. */
  readonly findings: Sink<Rule, Place>;
}

/** Takes findings. The message of one is made only where it is wanted. */
export interface Sink<Rule extends string, Place> {
  /** Adds a finding. The message is made only where it is kept. */
  add(rule: Rule, place: Place, message: () => string): void;
}

/** The constraints of one field that name a rule, ready to be judged. */
interface FieldChecks {
  readonly field: string;
  readonly checks: (Check & { readonly when: string | undefined })[];
}

const NOTHING: Context = Object.freeze({});

/**
 * Prepares to judge a structure by the constraints in its description. What comes back judges by those
 * that name one of the given rules, in the order in which the rules are given, and says whether all of
 * them hold. A field breaks a rule once: with several constraints, the message is about the first that
 * does not hold.
 *
 * @example
 * ```ts
 * import { decode, judgeOf, struct, u32 } from "./mod.ts";
 *
 * const head = struct("example.head", { section: "1.2", size: 4 }, [
 *   u32("at", {
 *     doc: "Where the table is.",
 *     constraints: [{ multipleOf: "cluster size", rule: "example.aligned" }],
 *   }),
 * ]);
 * const messages: string[] = [];
 * const holds = judgeOf(head, decode(head, Uint8Array.of(0, 0, 2, 1)), {
 *   context: { "cluster size": 512 },
 *   place: (field) => field,
 *   findings: { add: (_rule, _place, message) => messages.push(message()) },
 * });
 * holds("example.aligned"); // false: "at is 513, not a multiple of the cluster size (512)"
 * ```
 *
 * @throws {TypeError} (what comes back) when no constraint names the rule, or a name has no meaning
 */
export function judgeOf<S extends Struct, Rule extends string, Place>(
  struct: S,
  value: Decoded<S>,
  judging: Judging<FieldName<S>, Rule, Place>,
): (...rules: readonly Rule[]) => boolean {
  const checks = checksOf(struct);
  const values = value as Readonly<Record<string, Value>>;
  const { context = NOTHING } = judging;
  return (...rules) => {
    let all = true;
    for (const rule of rules) {
      const found = checks.get(rule);
      if (found === undefined) throw new TypeError(`Cannot find ${rule} in ${struct.name}`);
      for (const { field, checks } of found) {
        const stored = values[field] as Value;
        const compared = narrowed(stored);
        for (const check of checks) {
          const { when } = check;
          if (when !== undefined && context[when] !== true) continue;
          if (check.holds(compared, context)) continue;
          all = false;
          const subject = { field, stored, judging };
          const place = judging.place(field as FieldName<S>);
          judging.findings.add(rule, place, () => sentence(check, subject));
          break;
        }
      }
    }
    return all;
  };
}

function sentence(
  { says, when }: FieldChecks["checks"][number],
  { field, stored, judging: { of, context = NOTHING } }: {
    field: string;
    stored: Value;
    judging: Pick<Judging<string, string, unknown>, "of" | "context">;
  },
): string {
  const subject = of === undefined ? field : `${field} of ${of}`;
  const condition = when === undefined ? "" : ` (${when})`;
  return `${subject} ${says(stored, context)}${condition}`;
}

/** A rule that is broken at a place. */
export interface Breach<Rule extends string, Place> {
  /** The rule that is broken. */
  readonly rule: Rule;
  /** Where the rule is broken. */
  readonly place: Place;
  /** What is wrong, in one sentence. */
  readonly message: string;
}

/** A loop over a long table often needs only to know that an entry is broken: its message waits. */
class Found<Rule extends string, Place> implements Breach<Rule, Place> {
  readonly rule: Rule;
  readonly place: Place;
  readonly #message: () => string;

  constructor(rule: Rule, place: Place, message: () => string) {
    this.rule = rule;
    this.place = place;
    this.#message = message;
  }

  get message(): string {
    return this.#message();
  }
}

/** The first of `rules` that a structure breaks, where it breaks any; see {@link judgeOf}. */
export function firstBroken<S extends Struct, Rule extends string, Place>(
  struct: S,
  value: Decoded<S>,
  judging: Omit<Judging<FieldName<S>, Rule, Place>, "findings"> & { rules: readonly Rule[] },
): Breach<Rule, Place> | undefined {
  const found: Breach<Rule, Place>[] = [];
  const add: Sink<Rule, Place>["add"] = (rule, place, message) => {
    found.push(new Found(rule, place, message));
  };
  const judge = judgeOf(struct, value, { ...judging, findings: { add } });
  judging.rules.every((rule) => judge(rule));
  return found[0];
}

/** A rule that a structure is known to break. */
export interface KnownBreach<Rule extends string, Place> {
  /** The rule that is broken. */
  readonly rule: Rule;
  /** Where the rule is broken. */
  readonly place: Place;
  /** What the constraints refer to. */
  readonly context?: Context;
}

/**
 * A rule that a structure is known to break. For loops over long tables, which test each entry quickly.
 *
 * @throws {TypeError} (when the message is made) where the structure does not break the rule
 */
export function knownBroken<S extends Struct, Rule extends string, Place>(
  struct: S,
  value: Decoded<S>,
  known: KnownBreach<Rule, Place>,
): Breach<Rule, Place> {
  const { rule, place } = known;
  return new Found(rule, place, () => {
    const judging = { ...known, place: () => place, rules: [rule] };
    const found = firstBroken<S, Rule, Place>(struct, value, judging);
    if (found === undefined) throw new TypeError(`Cannot explain ${rule}: ${struct.name} keeps it`);
    return found.message;
  });
}

/** Adds a rule that a structure is known to break; see {@link knownBroken}. */
export function addBroken<S extends Struct, Rule extends string, Place>(
  struct: S,
  value: Decoded<S>,
  { findings, ...known }: KnownBreach<Rule, Place> & { readonly findings: Sink<Rule, Place> },
): void {
  const { rule, place } = known;
  findings.add(rule, place, () => knownBroken(struct, value, known).message);
}

const prepared = new WeakMap<Struct, ReadonlyMap<string, readonly FieldChecks[]>>();

/** The checks of a structure by rule, made once. */
function checksOf(struct: Struct): ReadonlyMap<string, readonly FieldChecks[]> {
  const known = prepared.get(struct);
  if (known !== undefined) return known;
  const byRule = new Map<string, FieldChecks[]>();
  for (const field of struct.fields) {
    for (const constraint of field.constraints ?? []) {
      const check = { ...checkOf(field, constraint), when: constraint.when };
      for (const rule of rulesOf(constraint)) {
        const fields = byRule.get(rule) ?? [];
        byRule.set(rule, fields);
        const last = fields.at(-1);
        if (last?.field === field.name) last.checks.push(check);
        else fields.push({ field: field.name, checks: [check] });
      }
    }
  }
  prepared.set(struct, byRule);
  return byRule;
}

/** The constraints of all fields of a structure. */
export function constraintsOf(struct: Struct): { field: string; constraint: Constraint }[] {
  return struct.fields.flatMap(({ name, constraints = [] }) =>
    constraints.map((constraint) => ({ field: name, constraint }))
  );
}
