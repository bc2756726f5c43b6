import process from "node:process";
import type { CaseReport, Target, Tools } from "../../fuzz/engine/mod.ts";
import { caseAt, Failure } from "../../fuzz/engine/mod.ts";
import { findTools, workingTools } from "../../fuzz/cli/tools.ts";
import { recorded, targets } from "../../fuzz/targets/mod.ts";
import { imagesNotRecorded, rulesWithoutCase } from "../../corpus/cases/mod.ts";
import { print } from "../../src/cli/mod.ts";
import { catalogue } from "../../src/formats.ts";
import { withScratch } from "../../src/peers/mod.ts";
import { Findings, type RuleId } from "../../src/rules/mod.ts";

/** What noticed that a rule is not judged. */
export interface Noticed {
  readonly rule: RuleId;
  readonly target: string;
  readonly signature: string;
}

/** The rules that were dropped, one at a time, and what noticed it. */
export interface RulesReport {
  readonly noticed: readonly Noticed[];
  /** Rules that a case broke, and whose loss nothing noticed. */
  readonly unnoticed: readonly RuleId[];
  /** Rules that no case broke. */
  readonly unbroken: readonly RuleId[];
}

/**
 * Drops the findings of one rule at a time, as a judge that lacks the rule does. All rules of the catalogue
 * are tried in one process: only a case that breaks a rule can notice its loss.
 */
export class RuleDropper {
  #dropped: RuleId | undefined;
  #seen = new Set<RuleId>();
  readonly #add = Findings.prototype.add;
  readonly #addLast = Findings.prototype.addLast;

  constructor() {
    const add = this.#add;
    const addLast = this.#addLast;
    const isKept = (rule: RuleId): boolean => {
      this.#seen.add(rule);
      return rule !== this.#dropped;
    };
    Findings.prototype.add = function (rule, place, message): void {
      if (isKept(rule)) add.call(this, rule, place, message);
    };
    Findings.prototype.addLast = function (rule, place, message): void {
      if (isKept(rule)) addLast.call(this, rule, place, message);
    };
  }

  /** Runs without the rule, or with all. Returns the rules that were broken, also the dropped one. */
  async without(rule: RuleId | undefined, run: () => Promise<unknown>): Promise<Set<RuleId>> {
    this.#dropped = rule;
    this.#seen = new Set();
    try {
      await run();
      return this.#seen;
    } finally {
      this.#dropped = undefined;
    }
  }

  /** Judges with all rules again. */
  end(): void {
    Findings.prototype.add = this.#add;
    Findings.prototype.addLast = this.#addLast;
  }
}

/** Why nothing notices the loss of a rule. */
export function whyUnnoticed(rule: RuleId): string {
  return rulesWithoutCase[rule] ?? imagesNotRecorded[`${rule}-breaks`] ?? UNKNOWN;
}

/** The reason where none is known. */
export const UNKNOWN = "not known";

const SEED = 1;

/**
 * Drops each rule, and runs the cases that break it: first the recorded ones, then `seconds` of processor
 * time of each of the other targets.
 */
export async function droppedRules(seconds: number): Promise<RulesReport> {
  const tools = workingTools(await findTools([...targets]));
  const dropper = new RuleDropper();
  const noticed = new Map<RuleId, Noticed>();
  const broken = new Set<RuleId>();
  try {
    const usual = targets.filter(({ onlyByName }) => onlyByName !== true);
    const able = usual.filter(({ needs = [] }) => needs.every((name) => tools[name] !== undefined));
    const ordered = able.toSorted((a, b) =>
      Number(b.name === recorded.name) - Number(a.name === recorded.name)
    );
    for (const target of ordered) {
      const before = noticed.size;
      await dropIn(target, { tools, seconds, dropper, noticed, broken });
      print(`${target.name}: ${noticed.size - before} more rules`);
    }
  } finally {
    dropper.end();
  }
  const ids = catalogue.map(({ id }) => id);
  return {
    noticed: [...noticed.values()],
    unnoticed: ids.filter((rule) => broken.has(rule) && !noticed.has(rule)),
    unbroken: ids.filter((rule) => !broken.has(rule)),
  };
}

interface Dropping {
  readonly tools: Tools;
  readonly seconds: number;
  readonly dropper: RuleDropper;
  readonly noticed: Map<RuleId, Noticed>;
  readonly broken: Set<RuleId>;
}

async function dropIn(target: Target, dropping: Dropping): Promise<void> {
  await withScratch(async (directory) => {
    const context = { directory, tools: dropping.tools };
    await target.start?.(context);
    const started = process.cpuUsage();
    const spent = () => {
      const { user, system } = process.cpuUsage(started);
      return (user + system) / 1e6;
    };
    const listed = target.listed?.();
    const cases = target.cases();
    const count = listed?.length ?? Infinity;
    const isListed = listed !== undefined;
    for (let index = 0; index < count && (isListed || spent() < dropping.seconds); index++) {
      const value = listed?.[index] ??
        caseAt(cases, { seed: SEED, target: target.name }, index).value;
      await dropWith(target, value, { ...dropping, context });
    }
    await target.stop?.();
  });
}

async function dropWith(
  target: Target,
  value: unknown,
  { dropper, noticed, broken, context }: Dropping & {
    readonly context: { readonly directory: string; readonly tools: Tools };
  },
): Promise<void> {
  const run = async (): Promise<CaseReport> => await target.run(value, context);
  const reached = await dropper.without(undefined, run).catch(() => new Set<RuleId>());
  for (const rule of reached) {
    broken.add(rule);
    if (noticed.has(rule)) continue;
    const failure = await dropper.without(rule, run).then(() => undefined, (error) => error);
    if (failure === undefined) continue;
    const signature = failure instanceof Failure ? failure.signature : String(failure);
    noticed.set(rule, { rule, target: target.name, signature });
  }
}
