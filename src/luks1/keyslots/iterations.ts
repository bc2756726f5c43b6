import { derivationCost } from "../../crypto/mod.ts";
import { type KeySlot, type Luks1Header, specOf } from "../decode.ts";
import { isEnabled } from "../judge/slots.ts";
import { DIGEST_BYTES, STRIPES } from "../structures.ts";

/**
 * The default limit on the work for passphrase attempts, in iterations of PBKDF2 with SHA-256: about
 * half a minute. A key slot of QEMU or cryptsetup costs two seconds, which is some millions of
 * iterations.
 */
export const ITERATIONS_BUDGET = 100_000_000;

/** The maximum number of iterations regardless of the budget: PBKDF2 accepts no larger number. */
export const ITERATIONS_MAX = 2 ** 31 - 1;

/**
 * Whether a slot can be attempted: it is enabled, and its work is bounded because it has 4000 stripes.
 */
export function isTried(slot: KeySlot): boolean {
  return isEnabled(slot) && slot.iterations > 0 && slot.stripes === STRIPES;
}

/**
 * The cost of a passphrase attempt that opens no slot or only the last one, in iterations with SHA-256.
 *
 * @param only the only slot that is attempted; all slots by default
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
