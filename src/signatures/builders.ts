import { SECTOR } from "../bytes/mod.ts";
import { latin1, type Magic, type Signature } from "./signature.ts";

export const KIB = 1024;
export const MIB: number = KIB * KIB;
/** Up to the size of a floppy disk, libblkid looks for no RAID. */
export const FLOPPY: number = 1440 * KIB;
/** Smaller files have no superblock. */
const SIZE_MIN = KIB + 1;

/** The rest of a signature: a check, and a least size other than the usual one. */
export interface More {
  readonly check?: Signature["check"];
  readonly sizeMin?: number;
  /** The name of the file that describes it, unless it is that of the format. */
  readonly file?: string;
}

/** Alternative magics at one place. */
export function at(offset: Magic["offset"], ...texts: readonly string[]): Magic[] {
  return texts.map((text) => ({ offset, bytes: latin1(text) }));
}

/** The place that is so many sectors before the end. */
export function fromEnd(sectors: number): (size: number) => number {
  return (size) => (Math.floor(size / SECTOR) - sectors) * SECTOR;
}

/** No magic: only the check decides. */
export const ANYWHERE: readonly Magic[] = at(0, "");

export function superblock(
  name: string,
  title: string,
  magics: readonly Magic[],
  { check, sizeMin = SIZE_MIN, file = name }: More = {},
): Signature {
  const section = `superblocks/${file}.c`;
  return { name, title, section, magics, sizeMin, ...(check === undefined ? {} : { check }) };
}

/** A signature that libblkid does not look for on a floppy disk. */
export function raid(
  name: string,
  title: string,
  magics: readonly Magic[],
  { sizeMin = 0, ...more }: More = {},
): Signature {
  return superblock(name, title, magics, { ...more, sizeMin: Math.max(sizeMin, FLOPPY + 1) });
}
