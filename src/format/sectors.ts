import { SECTOR } from "../bytes/mod.ts";

/** What encrypted bytes are read with. */
export interface SectorAccess {
  /** Fills `sectors` with what is stored from byte `from` on. */
  readonly read: (sectors: Uint8Array, from: number) => void;
  /** Decrypts them in place. */
  readonly decrypt: (sectors: Uint8Array, from: number) => void;
}

/**
 * Fills `target` with decrypted bytes from byte `start` on, which need not be the start of a sector.
 *
 * @param start as `access` counts it: sectors start at multiples of 512
 */
export function readSectors(target: Uint8Array, start: number, access: SectorAccess): void {
  const before = start % SECTOR;
  const length = Math.ceil((before + target.length) / SECTOR) * SECTOR;
  const sectors = length === target.length ? target : new Uint8Array(length);
  access.read(sectors, start - before);
  access.decrypt(sectors, start - before);
  if (sectors !== target) target.set(sectors.subarray(before, before + target.length));
}
