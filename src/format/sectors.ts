import { roundUp, SECTOR } from "../bytes/mod.ts";

/** Access to encrypted bytes. */
export interface SectorAccess {
  /** Fills `sectors` with the stored bytes from `from`. */
  readonly read: (sectors: Uint8Array, from: number) => void;
  /** Decrypts them in place. */
  readonly decrypt: (sectors: Uint8Array, from: number) => void;
  /** Length of an encryption sector in bytes, 512 by default. */
  readonly sectorSize?: number;
}

/**
 * Fills `target` with decrypted bytes from byte `start`, which need not be the start of a sector.
 *
 * @param start relative to the same origin as in `access`; sectors start at multiples of their size
 */
export function readSectors(target: Uint8Array, start: number, access: SectorAccess): void {
  const { sectorSize = SECTOR } = access;
  const before = start % sectorSize;
  const length = roundUp(before + target.length, sectorSize);
  const sectors = length === target.length ? target : new Uint8Array(length);
  access.read(sectors, start - before);
  access.decrypt(sectors, start - before);
  if (sectors !== target) target.set(sectors.subarray(before, before + target.length));
}
