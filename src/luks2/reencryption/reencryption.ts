import type { Digest, Keyslot, Luks2Json, Segment } from "../json/description.ts";
import type { KeyedSegment } from "../segments/location.ts";
import { digestsOfKeyslots, digestsOfSegments } from "../segments/segments.ts";
import { requirementsOf } from "./requirements.ts";

/** What protects the part of the data that is being written, in case that is interrupted. */
export type Protection =
  /** The digests of its original blocks, one after the other. */
  | { readonly type: "checksum"; readonly hash: string; readonly blockSize: number }
  /** Its bytes as they were. */
  | { readonly type: "journal" }
  /** Nothing: the part is written so many bytes from where it was. */
  | { readonly type: "datashift"; readonly shift: bigint }
  /** Nothing: such a part is never marked, unless by hand. */
  | { readonly type: "none" };

/** An online reencryption in progress, as far as a header describes it. */
export interface Reencryption {
  readonly slot: Keyslot;
  /** The digest of the slot, which covers the keys, the slot and the backup segments. */
  readonly digest: Digest | undefined;
  /** The number behind the v in the requirement. */
  readonly version: number;
  readonly forward: boolean;
  /** The backup segment that says how the data was. */
  readonly previous: KeyedSegment;
  /** The backup segment that says what the data becomes. */
  readonly final: KeyedSegment;
  /** The first part of the data, which was moved out of the way of the rest. */
  readonly moved: Segment | undefined;
  /** The part that was being written when it was interrupted. */
  readonly hot: Segment | undefined;
  /** `undefined` where its type is not known. */
  readonly protection: Protection | undefined;
  /** What protects the moved part, where that is something else. */
  readonly protectionOfMoved: Protection | undefined;
}

/**
 * The online reencryption of a volume that cryptsetup accepts; `undefined` where none is in progress.
 *
 * @see LUKS2 On-Disk Format 1.1.1, 4.9 Online Reencryption
 */
export function reencryptionOf(json: Luks2Json): Reencryption | undefined {
  const { online, version } = requirementsOf(json);
  const slot = json.keyslots.find(({ type }) => type === "reencrypt");
  if (!online || slot === undefined) return undefined;
  const flagged = (flag: string) => json.segments.find(({ flags }) => flags.includes(flag));
  const digests = digestsOfSegments(json);
  const stateOf = (segment: Segment | undefined): KeyedSegment | undefined =>
    segment && { segment, digest: digests.get(segment.name) };
  const [previous, final] = ["backup-previous", "backup-final"].map((flag) =>
    stateOf(flagged(flag))
  );
  if (previous === undefined || final === undefined) return undefined;
  const { type } = slot.area;
  return {
    slot,
    digest: digestsOfKeyslots(json).get(String(slot.number)),
    version,
    forward: slot.direction === "forward",
    previous,
    final,
    moved: flagged("backup-moved-segment"),
    hot: flagged("in-reencryption"),
    protection: protectionOf(slot, type),
    protectionOfMoved: type.startsWith(SHIFTED)
      ? protectionOf(slot, type.slice(SHIFTED.length))
      : undefined,
  };
}

const SHIFTED = "datashift-";

function protectionOf({ area }: Keyslot, type: string): Protection | undefined {
  switch (type) {
    case "checksum":
      return { type, hash: area.hash, blockSize: area.sector_size };
    case "journal":
    case "none":
      return { type };
    case "datashift":
    case "datashift-checksum":
    case "datashift-journal":
      return { type: "datashift", shift: area.shift_size };
    default:
      return undefined;
  }
}

/** How far a reencryption moves data, in bytes; 0 where it does not. */
export function shiftOf({ protection }: Reencryption): bigint {
  return protection?.type === "datashift" ? protection.shift : 0n;
}
