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

/** Access to encrypted bytes that are changed. */
export interface SectorStore extends SectorAccess {
  /** Encrypts sectors in place. */
  readonly encrypt: (sectors: Uint8Array, from: number) => void;
  /** Stores encrypted sectors from `from` on. */
  readonly write: (sectors: Uint8Array, from: number) => void;
}

/**
 * Encrypts and stores bytes from byte `start`, which need not be the start of a sector: the rest of the
 * first sector and of the last one stays as it is.
 *
 * @param start relative to the same origin as in `access`
 */
export function writeSectors(bytes: Uint8Array, start: number, access: SectorStore): void {
  const { sectorSize = SECTOR } = access;
  const before = start % sectorSize;
  const length = roundUp(before + bytes.length, sectorSize);
  const sectors = new Uint8Array(length);
  const keep = (at: number): void => {
    const sector = sectors.subarray(at, at + sectorSize);
    access.read(sector, start - before + at);
    access.decrypt(sector, start - before + at);
  };
  const last = length - sectorSize;
  if (before > 0) keep(0);
  if (before + bytes.length < length && (last > 0 || before === 0)) keep(last);
  sectors.set(bytes, before);
  access.encrypt(sectors, start - before);
  access.write(sectors, start - before);
}
