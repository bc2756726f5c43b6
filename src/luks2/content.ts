import { isKnownCipher } from "./cipher.ts";
import { SECTOR, UNIT } from "./geometry.ts";
import type { Metadata } from "./metadata.ts";
import { requirementsOf } from "./requirements.ts";
import { type AddFinding, type Luks2Broken, placeOf, shown } from "./report.ts";
import { defaultSegment, isBackup, type Segment, segmentsOf } from "./segments.ts";
import type { Luks2Rule } from "./report.ts";

/** Where the payload is. */
export interface PayloadPlace {
  /** Length in bytes of the file that holds it. */
  readonly bytes: number;
  /** It is another file than the one with the header. */
  readonly detached: boolean;
}

/** The content of a volume: where it lies, in bytes of the file that holds it. */
export interface Content {
  readonly segment: Segment;
  readonly offset: number;
  /** Whole sectors. */
  readonly length: number;
}

const SECTOR_SIZES: readonly number[] = [512, 1024, 2048, 4096];

/** What is read as the content of a volume. What lies past the end of the file is left out. */
export function contentOf(metadata: Metadata, { bytes, detached }: PayloadPlace): Content {
  const segment = defaultSegment(metadata.root) as Segment;
  const { offset, size, sectorSize } = segment;
  const unit = SECTOR_SIZES.includes(sectorSize) ? sectorSize : SECTOR;
  const inFile = BigInt(Math.floor(bytes / SECTOR) * SECTOR) - offset;
  const length = size === undefined || size > inFile ? inFile : size;
  const there = length > 0n && (detached || offset >= BigInt(UNIT));
  return {
    segment,
    offset: there ? Number(offset) : 0,
    length: there ? Math.floor(Number(length) / unit) * unit : 0,
  };
}

/**
 * Judges whether the content of a volume can be read at all, whatever the key.
 *
 * @returns the first rule for which it cannot
 */
export function judgeContent(
  metadata: Metadata,
  add: AddFinding,
  payload: PayloadPlace,
): Luks2Broken | undefined {
  let first: Luks2Broken | undefined;
  const broken = (rule: Luks2Rule, path: string, message: string): void => {
    const found = { rule, place: placeOf(metadata.copy, path), message };
    first ??= found;
    add(rule, found.place, () => message);
  };
  judgeRequirements(metadata, broken);
  judgeSegment(metadata, broken);
  judgePlace(metadata, payload, broken);
  return first;
}

type TakeBroken = (rule: Luks2Rule, path: string, message: string) => void;

function judgeRequirements({ root }: Metadata, broken: TakeBroken): void {
  const { unknown, reencryption } = requirementsOf(root);
  const path = "/config/requirements";
  if (unknown.length > 0) {
    broken("luks2.requirement.known", path, `${shown(unknown[0])} is required, and not known`);
  }
  if (reencryption) {
    broken("luks2.requirement.reencryption", path, "A reencryption of the volume is going on");
  }
}

function judgeSegment({ root }: Metadata, broken: TakeBroken): void {
  const regular = segmentsOf(root).filter(({ node }) => !isBackup(node));
  const [segment] = regular;
  if (segment === undefined) return;
  const { type, integrity, sectorSize, encryption } = segment;
  if (regular.length > 1 || type !== "crypt" || integrity) {
    const what = integrity ? "with integrity" : `of type ${shown(type)}`;
    const message = `There are ${regular.length} segments, and the first is one ${what}`;
    broken("luks2.content.segments", "/segments", message);
  } else if (!SECTOR_SIZES.includes(sectorSize)) {
    const message = `Sectors of ${sectorSize} bytes cannot be read`;
    broken("luks2.crypt.sector-size-known", `/segments/${segment.name}/sector_size`, message);
  } else {
    if (isKnownCipher({ encryption, sectorSize })) return;
    const message = `The cipher ${shown(encryption)} is not known`;
    broken("luks2.content.cipher", `/segments/${segment.name}/encryption`, message);
  }
}

function judgePlace(
  { root }: Metadata,
  { bytes, detached }: PayloadPlace,
  broken: TakeBroken,
): void {
  const { name, offset, size, sectorSize } = defaultSegment(root) as Segment;
  const path = `/segments/${name}`;
  if (!detached && offset < BigInt(UNIT)) {
    broken("luks2.payload.attached", path, "The payload is in another file, which is not given");
    return;
  }
  const inFile = BigInt(Math.floor(bytes / SECTOR) * SECTOR) - offset;
  if (inFile <= 0n || (size ?? 0n) > inFile) {
    const length = size === undefined ? "" : ` and has ${size} bytes`;
    const message = `The segment starts at byte ${offset}${length}, and its file has ${bytes}`;
    broken("luks2.payload.inside-file", path, message);
  } else if (size === undefined && sectorSize > 0 && inFile % BigInt(sectorSize) !== 0n) {
    const message = `The segment has ${inFile} bytes, in sectors of ${sectorSize}`;
    broken("luks2.payload.whole-sectors", path, message);
  }
}
