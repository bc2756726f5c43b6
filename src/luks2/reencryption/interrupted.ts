import { SECTOR } from "../../bytes/mod.ts";
import type { Digest, Segment } from "../json/description.ts";
import type { KeyedSegment } from "../segments/location.ts";
import { type Reencryption, shiftOf } from "./reencryption.ts";

/** The segments of the data of a volume whose reencryption was interrupted. */
export interface InterruptedData {
  readonly reencryption: Reencryption;
  /** In their order, without backups. */
  readonly segments: readonly Segment[];
  /** The digests of their keys, by their names. */
  readonly digests: ReadonlyMap<string, Digest>;
}

/**
 * Why the data segments are not those that an interrupted cryptsetup leaves. It recovers only the
 * interrupted part, and replaces the segments by those that result from the location of that part. With
 * other segments around it, the content would change. Nothing else checks them because the digest of
 * the reencryption does not include them.
 *
 * @returns a sentence; `undefined` if they are as cryptsetup leaves them, or nothing was interrupted
 * @see cryptsetup lib/luks2/luks2_reencrypt.c, reencrypt_make_segments_crashed,
 * reencrypt_make_post_segments
 */
export function interruptedFault(
  { reencryption, segments, digests }: InterruptedData,
): string | undefined {
  const { hot, forward } = reencryption;
  if (hot === undefined) return undefined;
  const index = segments.findIndex(({ name }) => name === hot.name);
  if (index < 0) return "A backup segment is marked as the one in reencryption";
  const marked = segments.filter(({ flags }) => flags.includes("in-reencryption"));
  if (marked.length > 1) return `Segments ${hot.name} and ${marked[1]?.name} are in reencryption`;
  const moves = reencryption.moved !== undefined && shiftOf(reencryption) > 0n &&
    reencryption.slot.mode === (forward ? "decrypt" : "encrypt");
  if (index > (moves ? 2 : 1) || segments.length > index + 2) {
    return `There are ${index} segments before the one in reencryption, and ${segments.length} in all`;
  }
  return placesFault({ reencryption, segments, digests }, { index, moves }) ??
    lengthFault(reencryption, segments);
}

/** Whether each segment is in the state that follows from its place, and written where it has to be. */
function placesFault(
  { reencryption: { final, previous, forward }, segments, digests }: InterruptedData,
  { index, moves }: { index: number; moves: boolean },
): string | undefined {
  const [before, behind] = forward ? [final, previous] : [previous, final];
  // Of data that is moved towards its start, the first part is done last, and is elsewhere until then.
  const movedLast = moves && forward;
  const stateOf = (at: number): KeyedSegment => {
    if (!movedLast) return at < index ? before : behind;
    if (index === 0) return final;
    return at > 0 && at < index ? final : previous;
  };
  let start = 0n;
  for (const [at, segment] of segments.entries()) {
    // The state of the interrupted part itself is judged elsewhere.
    const state = at === index ? final : stateOf(at);
    if (at !== index && !isIn(state, segment, digests)) {
      return `Segment ${segment.name} is not in the state that its place requires`;
    }
    if (state === final && !isInPlace(segment, final.segment, start)) {
      return `Segment ${segment.name} is not where byte ${start} of the data has to be`;
    }
    start += segment.size ?? 0n;
  }
  return undefined;
}

function isIn(
  { segment: { type, sector_size, encryption }, digest }: KeyedSegment,
  segment: Segment,
  digests: ReadonlyMap<string, Digest>,
): boolean {
  if (segment.type !== type) return false;
  return type !== "crypt" || segment.sector_size === sector_size &&
      segment.encryption === encryption && digests.get(segment.name)?.name === digest?.name;
}

/**
 * Whether data of a fixed length is whole units of what is written at a time. cryptsetup also requires
 * whole blocks of the device, which are not known here (reencrypt_context_init).
 */
function lengthFault(
  { protection, previous, final }: Reencryption,
  segments: readonly Segment[],
): string | undefined {
  if (segments.at(-1)?.size === undefined) return undefined;
  const length = segments.reduce((sum, { size = 0n }) => sum + size, 0n);
  const sectors = [previous, final].map(({ segment }) => segment.sector_size);
  const unit = protection?.type === "checksum"
    ? protection.blockSize
    : Math.max(SECTOR, ...sectors);
  if (unit > 0 && length % BigInt(unit) === 0n) return undefined;
  return `The data has ${length} bytes, not a multiple of ${unit}`;
}

/** Whether a part that is finished is at its final place, with its sectors numbered accordingly. */
function isInPlace(segment: Segment, final: Segment, start: bigint): boolean {
  if (segment.offset !== final.offset + start) return false;
  return segment.type !== "crypt" || segment.iv_tweak === final.iv_tweak + start / BigInt(SECTOR);
}
