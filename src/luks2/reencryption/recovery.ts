import { SECTOR } from "../../bytes/mod.ts";
import { canonicalHash, hashTable } from "../../crypto/mod.ts";
import type { Segment } from "../json/description.ts";
import { type Protection, type Reencryption, shiftOf } from "./reencryption.ts";
import type { Luks2Rule } from "../rules.ts";
import { encryptionOf, type Location } from "../segments/location.ts";

/** Lengths of the files of a volume in bytes. */
export interface FileLengths {
  readonly header: number;
  readonly payload: number;
}

/** Why the part of the data in which a reencryption was interrupted cannot be read. */
export interface NotRecovered {
  readonly rule: Luks2Rule;
  readonly message: string;
}

/** The most bytes of a block that is read to find how it is encrypted; cryptsetup writes 4096. */
const BLOCK_MAX = 2 ** 20;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Where the part of the data is read in which a reencryption was interrupted, so that it is the same
 * before and after cryptsetup has recovered it. Nothing is written.
 *
 * - With checksums, a block that has the stored digest is still as it was.
 * - With a journal, the whole part is in the area of the key slot as it was.
 * - With a data shift, it is still at its old place.
 *
 * @returns where, or the rule for which cryptsetup does not recover it and does not open the volume
 * @see LUKS2 On-Disk Format 1.1.1, 4.9 Online Reencryption; cryptsetup lib/luks2/luks2_reencrypt.c,
 * reencrypt_recover_segment
 */
export function recoveryOf(
  reencryption: Reencryption,
  hot: Segment,
  files: FileLengths,
): Location | NotRecovered {
  const { final, previous, slot: { mode } } = reencryption;
  const { size } = hot;
  const not = (message: string): NotRecovered => ({
    rule: "luks2.reencryption.recovery",
    message: `Segment ${hot.name} cannot be recovered: ${message}`,
  });
  if (size === undefined) return not("it has no size");
  if (final.digest === undefined && mode !== "decrypt") return not("the new data has no key");
  if (previous.digest === undefined && mode !== "encrypt") return not("the old data has no key");
  if (hot.offset > SAFE || size > SAFE) return not("it ends past the end of any file");
  const bytes = Number(size);
  const uneven = [final, previous].find((state) =>
    encryptionOf(state) !== undefined && bytes % (state.segment.sector_size || SECTOR) !== 0
  );
  if (uneven !== undefined) {
    return not(`its size is not a multiple of the sector size (${uneven.segment.sector_size})`);
  }
  const at = BigInt.asUintN(64, hot.offset - final.segment.offset);
  const inMoved = at === 0n && reencryption.protectionOfMoved !== undefined;
  const protection = inMoved ? reencryption.protectionOfMoved : reencryption.protection;
  // In data that is decrypted, the sectors of the old encryption are numbered by their place in it.
  const ivTweak = mode === "decrypt" ? at / BigInt(SECTOR) : hot.iv_tweak;
  const location = locationBy({ reencryption, hot, size: bytes, ivTweak, files }, protection);
  return typeof location === "string" ? not(location) : location;
}

/** The part of the data in which the reencryption was interrupted. */
interface HotPart {
  readonly reencryption: Reencryption;
  readonly hot: Segment;
  readonly size: number;
  /** Number of its first sector before the reencryption, in units of 512 bytes. */
  readonly ivTweak: bigint;
  readonly files: FileLengths;
}

function locationBy(
  part: HotPart,
  protection: Protection | undefined,
): Location | NotRecovered | string {
  if (protection?.type === "checksum") return byChecksums(part, protection);
  if (protection?.type === "journal") return fromJournal(part);
  if (protection?.type === "datashift") return beforeShift(part);
  return "its old data was not stored";
}

function byChecksums(
  { reencryption, hot, size, files, ivTweak }: HotPart,
  { hash, blockSize }: Protection & { type: "checksum" },
): Location | NotRecovered | string {
  const { slot: { area }, previous, final } = reencryption;
  const digestSize = hashTable[canonicalHash(hash) ?? ""]?.digestSize;
  if (digestSize === undefined) return `the hash ${JSON.stringify(hash)} is not known`;
  const count = Math.floor(size / blockSize);
  const length = BigInt(count * digestSize);
  if (length > area.size) return "the area is too short for its digests";
  if (area.offset + length > BigInt(files.header)) {
    return "its digests end past the end of the file";
  }
  const [old, encryption] = [encryptionOf(previous), encryptionOf(final)];
  // cryptsetup fails at the first block that is as it was, which only the digests show.
  if ([old, encryption].some((how) => how !== undefined && blockSize % how.use.sectorSize !== 0)) {
    return `the block size of ${blockSize} bytes is not a multiple of the sector size`;
  }
  if (blockSize > BLOCK_MAX && count > 0) {
    const message = `Segment ${hot.name} has digests of blocks of ${blockSize} bytes`;
    return { rule: "luks2.content.segments", message };
  }
  return {
    file: "payload",
    offset: Number(hot.offset),
    encryption,
    ivTweak,
    blocks: {
      hash,
      size: blockSize,
      count,
      digests: Number(area.offset),
      encryption: old,
    },
  };
}

function fromJournal(
  { reencryption: { slot: { area }, previous }, size, files, ivTweak }: HotPart,
): Location | string {
  if (BigInt(size) > area.size) return "its journal is too short";
  if (area.offset + BigInt(size) > BigInt(files.header)) {
    return "its journal ends past the end of the file";
  }
  const encryption = encryptionOf(previous);
  return { file: "header", offset: Number(area.offset), encryption, ivTweak };
}

function beforeShift(
  { reencryption, hot, size, files, ivTweak }: HotPart,
): Location | string {
  const { previous, moved, forward } = reencryption;
  const shift = shiftOf(reencryption);
  const first = moved !== undefined && hot.number === 0;
  // Where no segment was moved, cryptsetup reads the first part of data that is moved by more than a
  // segment from byte 0, which is its own header, and overwrites the data with the result.
  const offset = first ? moved.offset : hot.offset + (forward ? shift : -shift);
  if (offset < 0n || offset + BigInt(size) > BigInt(files.payload)) {
    return "its old location is outside the file";
  }
  return {
    file: "payload",
    offset: Number(offset),
    encryption: encryptionOf(previous),
    ivTweak: first ? 0n : ivTweak,
  };
}
