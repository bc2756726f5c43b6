import type { ByteSource } from "../bytes/mod.ts";
import { fileSystems } from "./file_systems.ts";
import { partitionTables } from "./partition_tables.ts";
import { Fields, type Magic, type Signature } from "./signature.ts";
import { volumes } from "./volumes.ts";

/** Every signature, in the order in which libblkid looks for them. */
export const signatures: readonly Signature[] = Object.freeze([
  ...volumes,
  ...fileSystems,
  ...partitionTables,
]);

/** A signature that is in a file. */
export interface FoundSignature {
  readonly signature: Signature;
  /** Where its magic is. */
  readonly offset: number;
}

/**
 * The signatures of other formats in a file: those that libblkid finds. Of alternative magics, the
 * first one in the file decides, even if the check then fails.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { findSignatures } from "./mod.ts";
 *
 * const bytes = new Uint8Array(2 ** 20);
 * bytes.set([0x55, 0xaa], 510);
 * findSignatures(new MemorySource(bytes)).map(({ signature }) => signature.title);
 * // ["an MBR partition table"]
 * ```
 */
export function findSignatures(source: ByteSource): FoundSignature[] {
  const file = new Fields(source);
  return signatures.flatMap((signature) => {
    if (file.size < signature.sizeMin) return [];
    const found = signature.magics.map((magic) => ({ magic, offset: placeOf(magic, file.size) }))
      .find(({ magic, offset }) => file.has(offset, magic.bytes));
    if (found === undefined) return [];
    const { magic: { bytes }, offset } = found;
    return signature.check?.(file, bytes, offset) === false ? [] : [{ signature, offset }];
  });
}

function placeOf({ offset }: Magic, size: number): number {
  return typeof offset === "number" ? offset : offset(size);
}
