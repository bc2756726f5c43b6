import type { Fault } from "./fault.ts";
import type { CaseReport, Causes } from "./target.ts";

/** Why known failures of one signature happen: each case with all of the traits fails. */
export interface KnownCause {
  /** What it is counted as. */
  readonly id: string;
  readonly signature: string;
  readonly traits: readonly string[];
}

/** The result of a case that is not run because it would fail as others have. */
export const LEFT_OUT: CaseReport = {
  depth: "header",
  rules: [],
  skipped: "like a known failure",
};

/** One case in so many is run if it has the cause of a known failure or an avoided trait. */
const STEERED = 8;

/** The kind of a failure. */
export function kindIn(signature: string): string {
  return signature.split(" ", 1)[0] ?? "";
}

/** The rest of a signature: what a failure looks like. */
function symptomIn(signature: string): string {
  return signature.slice(kindIn(signature).length + 1);
}

/** Whether a case has all traits of a cause. */
export function hasCause(traits: readonly string[], cause: Pick<KnownCause, "traits">): boolean {
  return cause.traits.every((trait) => traits.includes(trait));
}

/** The known cause of a failure. */
export function knownCauseOf(
  { signature }: Pick<Fault, "signature">,
  traits: readonly string[],
  causes: readonly KnownCause[],
): KnownCause | undefined {
  const kind = kindIn(signature);
  return causes.find((cause) => kindIn(cause.signature) === kind && hasCause(traits, cause));
}

/**
 * Whether a case is left out, so that the time goes to cases that may fail for another reason. A cause
 * that every case has leaves out none.
 */
export function isSteered(
  { traits, index }: { readonly traits: readonly string[]; readonly index: number },
  { causes, avoided }: {
    readonly causes: readonly KnownCause[];
    readonly avoided: readonly string[];
  },
): boolean {
  if (index % STEERED === 0) return false;
  return avoided.some((trait) => traits.includes(trait)) ||
    causes.some((cause) => cause.traits.length > 0 && hasCause(traits, cause));
}

/** Most traits of a case that could not be made as small as possible. */
const TRAITS_MAX = 3;

/**
 * Why a case fails: what is special about the smallest case and was in the original one too. What
 * the simplest cases have is left out, unless it is all that there is.
 */
export function causeOf(
  { isUsual, isDecisive = () => false }: Pick<Causes<never>, "isUsual" | "isDecisive">,
  { fault, smallest, original, complete, passing }: {
    readonly fault: Fault;
    readonly smallest: readonly string[];
    readonly original: readonly string[];
    /** Whether the smallest case is as small as possible. */
    readonly complete: boolean;
    /** The traits of cases that pass. */
    readonly passing: readonly (readonly string[])[];
  },
): readonly string[] {
  if (fault.cause !== undefined) return fault.cause;
  const both = smallest.filter((trait) => original.includes(trait));
  const special = (traits: readonly string[]) => traits.filter((trait) => !isUsual(trait));
  const decisive = both.filter((trait) => isDecisive(trait));
  const found = [decisive, special(both), special(smallest), both, smallest];
  const cause = found.find(({ length }) => length > 0) ?? [];
  if (complete || cause.length <= TRAITS_MAX) return cause;
  // Too many traits are left: those that the fewest passing cases have say the most.
  const passes = (trait: string) => passing.filter((traits) => traits.includes(trait)).length;
  return cause.toSorted((a, b) => passes(a) - passes(b)).slice(0, TRAITS_MAX);
}

/** A failure with its cause, as it was found. */
export interface SettledCause {
  readonly group: string;
  readonly signature: string;
  readonly cause: readonly string[];
  /** The traits of the smallest case. */
  readonly smallest: readonly string[];
  /** Those of them that the simplest cases do not have. */
  readonly special: readonly string[];
  /** Whether the case is as small as possible. */
  readonly complete: boolean;
}

/** One failure of a run, whatever the number of cases that show it. */
export interface LedgerEntry {
  readonly id: string;
  readonly group: string;
  readonly signature: string;
  /** Traits that each case with this failure has; none if each case has it. */
  cause: readonly string[];
  /** The traits of the smallest case. */
  readonly smallest: readonly string[];
  /** Those of them that the simplest cases do not have. */
  readonly special: readonly string[];
  /** What it looks like, such as the text of an error without numbers; empty if it is not known. */
  readonly symptom: string;
  /** It was known before the run. */
  readonly known: boolean;
  /** Ids of others that turned out to be the same failure. */
  readonly others: string[];
  /** Cases that were found to be this failure after they had been made smaller. */
  met: number;
}

/** What became of a failure. */
export interface Settled {
  readonly entry: LedgerEntry;
  readonly isNew: boolean;
  /** The case shows the cause better than the one before it. */
  readonly isRefined: boolean;
  /** Failures that turned out to be this one. */
  readonly absorbed: readonly LedgerEntry[];
}

/** The failures of a run by cause. */
export class Ledger {
  readonly #entries: LedgerEntry[] = [];
  #made = 0;

  /** The failures in the order in which they were found. */
  get entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  /** Enters a failure that is known before the run. */
  know(
    { group, signature, cause }: Pick<SettledCause, "group" | "signature" | "cause">,
  ): LedgerEntry {
    return this.#add({
      ...{ group, signature, cause, smallest: [], special: [], symptom: "" },
      ...{ known: true, others: [], met: 0 },
    });
  }

  /** The causes for targets of a group. */
  causesOf(group: string): KnownCause[] {
    return this.#entries.filter((entry) => entry.group === group)
      .map(({ id, signature, cause }) => ({ id, signature, traits: cause }));
  }

  /**
   * Enters a failure; one with the cause of another is the same one. Causes get more general: what two
   * cases do not have in common is not needed, if they have the same smallest case, or if they look the
   * same and have something special in common.
   *
   * @returns the entry, whether it is a new one, and whether its cause has become more general
   */
  settle(settled: SettledCause): Settled {
    const { group, cause, smallest, special } = settled;
    const signature = kindIn(settled.signature);
    const symptom = symptomIn(settled.signature);
    const alike = this.#entries.filter((it) => it.group === group && it.signature === signature);
    const covered = alike.find((entry) => hasCause(cause, { traits: entry.cause }));
    if (covered !== undefined) return again(covered, false);
    const general = alike.find((entry) => hasCause(entry.cause, { traits: cause }));
    const same = general ?? alike.find((entry) => sameTraits(entry.smallest, smallest));
    if (same === undefined) {
      // Each try of a hang takes seconds: what is left of such a case says little about its cause.
      const hang = signature === HANG && !settled.complete ? alike[0] : undefined;
      if (hang !== undefined) return again(hang, false);
      const twin = alike.find((it) => it.symptom === symptom && areTwins(it, settled));
      if (twin !== undefined) return this.#generalise(twin, settled, alike);
      const entry = this.#add({
        ...{ group, signature, cause, smallest, special, symptom },
        ...{ known: false, others: [], met: 1 },
      });
      return { entry, isNew: true, isRefined: false, absorbed: [] };
    }
    // What is recorded stays as it is recorded.
    if (same.known) return again(same, false);
    return this.#generalise(same, { ...settled, special: [] }, alike);
  }

  #generalise(
    entry: LedgerEntry,
    { cause, special }: Pick<SettledCause, "cause" | "special">,
    alike: readonly LedgerEntry[],
  ): Settled {
    const before = entry.cause;
    entry.cause = special.length > 0
      ? commonTo(entry, { cause, special })
      : before.filter((trait) => cause.includes(trait));
    const isRefined = entry.cause.length < before.length;
    return { ...again(entry, isRefined), absorbed: this.#absorb(entry, alike) };
  }

  /** Removes the failures that a more general cause covers. */
  #absorb(entry: LedgerEntry, alike: readonly LedgerEntry[]): LedgerEntry[] {
    const covered = alike.filter((it) =>
      it !== entry && !it.known && hasCause(it.cause, { traits: entry.cause })
    );
    for (const it of covered) {
      this.#entries.splice(this.#entries.indexOf(it), 1);
      entry.others.push(it.id, ...it.others);
      entry.met += it.met;
    }
    return covered;
  }

  #add(entry: Omit<LedgerEntry, "id">): LedgerEntry {
    const added = { ...entry, id: `finding ${++this.#made}` };
    this.#entries.push(added);
    return added;
  }
}

function again(entry: LedgerEntry, isRefined: boolean): Settled {
  entry.met++;
  return { entry, isNew: false, isRefined, absorbed: [] };
}

function sameTraits(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((trait) => right.includes(trait));
}

/** What two failures have in common: of their causes, else of what is special about their cases. */
function commonTo(
  left: Pick<SettledCause, "cause" | "special">,
  right: Pick<SettledCause, "cause" | "special">,
): string[] {
  const common = left.cause.filter((trait) => right.cause.includes(trait));
  return common.length > 0 ? common : left.special.filter((trait) => right.special.includes(trait));
}

/** The kind of a failure without an answer. */
const HANG = "hang";

/** Traits that the causes of two failures have in common, where nothing else shows that they are one. */
const COMMON_MIN = 2;

function areTwins(entry: LedgerEntry, other: Pick<SettledCause, "cause" | "special">): boolean {
  if (entry.symptom !== "") return commonTo(entry, other).length > 0;
  return entry.cause.filter((trait) => other.cause.includes(trait)).length >= COMMON_MIN;
}
