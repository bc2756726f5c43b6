import { SECTOR } from "../../bytes/mod.ts";
import { SECTOR_SIZES, UNIT } from "../geometry.ts";
import type { JsonNode } from "../json/value.ts";
import type { Digest } from "../keyslots/keyslots.ts";
import {
  dataSegments,
  digestsOfSegments,
  type Reencryption,
  reencryptionOf,
  shiftOf,
} from "../reencryption/reencryption.ts";
import { type NotRecovered, recoveryOf } from "../reencryption/recovery.ts";
import { defaultSegment, type Segment } from "./segments.ts";
import { encryptionOf, type Stored } from "../stored.ts";

/** Where the payload is, and how much there is of it. */
export interface PayloadPlace {
  /** Length in bytes of the file that holds it. */
  readonly bytes: number;
  /** It is another file than the one with the header. */
  readonly detached: boolean;
  /** Length in bytes of the file that starts with the header. */
  readonly headerBytes: number;
}

/** A segment as a part of the content. */
export interface Piece {
  readonly segment: Segment;
  /** Where it starts in the content, in bytes. */
  readonly start: number;
  /** What is there of it: whole sectors, in bytes. */
  readonly length: number;
  /** What there has to be of it, in bytes; 0 or less where its file ends before it starts. */
  readonly wanted: bigint;
  /** How it is read, or why it is not. */
  readonly stored: Stored | NotRecovered;
}

/**
 * The content of a volume, piece by piece: its one segment, or during an online reencryption all of
 * its segments in their order. What lies past the end of the file is left out.
 *
 * @see LUKS2 On-Disk Format 1.1.1, 3.3 Segments Object; cryptsetup lib/luks2/luks2_json_metadata.c,
 * LUKS2_assembly_multisegment_dmd
 */
export function piecesOf(root: JsonNode | undefined, payload: PayloadPlace): Piece[] {
  const reencryption = reencryptionOf(root);
  const segments = reencryption === undefined
    ? [defaultSegment(root)].filter((segment) => segment !== undefined)
    : dataSegments(root);
  const there = payload.detached || dataOffset(root) >= BigInt(UNIT);
  const whole = BigInt(Math.floor(payload.bytes / SECTOR) * SECTOR);
  const end = whole - (reencryption === undefined ? 0n : unusedBytes(reencryption));
  const pieces: Piece[] = [];
  const digests = digestsOfSegments(root);
  let start = 0;
  let wantedStart = 0n;
  for (const segment of segments) {
    const inFile = whole - segment.offset;
    // A dynamic segment takes what the others have left.
    const rest = reencryption === undefined ? inFile : end - wantedStart;
    const wanted = segment.size ?? rest;
    const least = there ? wanted < inFile ? wanted : inFile : 0n;
    const length = wholeSectors(least, segment);
    const stored = reencryption?.hot?.name === segment.name
      ? recoveryOf(reencryption, segment, { header: payload.headerBytes, payload: payload.bytes })
      : storedAs(segment, digests.get(segment.name));
    pieces.push({ segment, start, length, wanted, stored });
    start += length;
    wantedStart += wanted;
  }
  return pieces;
}

/** Bytes of the file that are none of the data: what is before it, and what it is moved by. */
function unusedBytes(reencryption: Reencryption): bigint {
  const { final, forward } = reencryption;
  return final.segment.offset + (forward ? shiftOf(reencryption) : 0n);
}

function wholeSectors(bytes: bigint, { type, sectorSize }: Segment): number {
  if (bytes <= 0n) return 0;
  const unit = type === "crypt" && SECTOR_SIZES.includes(sectorSize) ? sectorSize : SECTOR;
  return Math.floor(Number(bytes) / unit) * unit;
}

/** Start of the data, or of what it is to become, in bytes. */
export function dataOffset(root: JsonNode | undefined): bigint {
  return (reencryptionOf(root)?.final.segment ?? defaultSegment(root))?.offset ?? 0n;
}

function storedAs(segment: Segment, digest: Digest | undefined): Stored {
  const encryption = encryptionOf(segment, digest);
  return {
    file: "payload",
    offset: Number(segment.offset),
    ...encryption === undefined ? {} : { encryption },
    ivTweak: segment.ivTweak,
  };
}
