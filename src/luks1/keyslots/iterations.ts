import { derivationCost } from "../../crypto/mod.ts";
import { type KeySlot, type Luks1Header, specOf } from "../decode.ts";
import { isEnabled } from "../judge/slots.ts";
import { DIGEST_BYTES, STRIPES } from "../structures.ts";

/**
 * Work that trying passphrases may take, unless the caller sets another limit, in iterations of PBKDF2
 * with SHA-256: half a minute. QEMU and cryptsetup make one key slot cost two seconds, which is some
 * millions of iterations.
 */
export const ITERATIONS_BUDGET = 100_000_000;

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
 * Iterations with SHA-256 that trying a passphrase costs as much as when it opens no slot, or the last
 * one.
 *
 * @param only the one slot that is tried, where it is not all of them
 */
export function iterationsOf(header: Luks1Header, only?: number): number {
  const { hash } = specOf(header);
  const digest = derivationCost(hash, header.mk_digest_iter, DIGEST_BYTES);
  return header.slots
    .filter((slot, index) => isTried(slot) && (only === undefined || only === index))
    .reduce(
      (sum, slot) => sum + derivationCost(hash, slot.iterations, header.key_bytes) + digest,
      0,
    );
}
