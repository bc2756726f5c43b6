/**
 * The signatures by which libblkid recognises what is on a disk: superblocks, labels and partition
 * tables. cryptsetup does not repair a LUKS2 header beside one of them.
 *
 * Invariants:
 *
 * - A signature is one entry of a table: name, magic, offset, the file of libblkid that describes it
 *   and, where the magic alone does not suffice, a check.
 * - The answer is that of libblkid 2.38. `crypto_LUKS` is not in the table.
 * - Nothing that a superblock says is trusted: no read depends on it without a bound.
 *
 * @module
 */

export { findSignatures, type FoundSignature, signatures } from "./find.ts";
export type { Magic, Signature } from "./signature.ts";
