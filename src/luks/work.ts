import type { KeySlot, LuksHeader } from "./decode.ts";
import { isEnabled } from "./judge_slots.ts";
import { STRIPES } from "./structures.ts";

/**
 * Iterations of PBKDF2 that trying one passphrase may take, unless the caller sets another limit: a
 * minute. QEMU and cryptsetup make one key slot cost two seconds, which is some millions of iterations.
 */
export const ITERATIONS_BUDGET = 50_000_000;

/** More iterations than these are never done, whatever the budget: PBKDF2 takes no larger number. */
export const ITERATIONS_MAX = 2 ** 31 - 1;

/**
 * Whether a slot is worth trying: it is enabled, and names an amount of work that is bounded, which
 * 4000 stripes are.
 */
export function isTried(slot: KeySlot): boolean {
  return isEnabled(slot) && slot.iterations > 0 && slot.stripes === STRIPES;
}

/**
 * Iterations that trying a passphrase takes when it opens no slot, or the last one.
 *
 * @param only the one slot that is tried, where it is not all of them
 */
export function iterationsOf(header: LuksHeader, only?: number): number {
  return header.slots
    .filter((slot, index) => isTried(slot) && (only === undefined || only === index))
    .reduce((sum, slot) => sum + slot.iterations + header.mk_digest_iter, 0);
}
