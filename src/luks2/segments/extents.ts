import { SECTOR } from "../../bytes/mod.ts";
import type { Metadata } from "../metadata.ts";
import { SECTOR_SIZES, UNIT } from "../geometry.ts";
import type { Segment } from "../json/description.ts";
import { type NotRecovered, recoveryOf } from "../reencryption/recovery.ts";
import { type Reencryption, shiftOf } from "../reencryption/reencryption.ts";
import { encryptionOf, type Location } from "./location.ts";
import { dataSegments, defaultSegment, digestsOfSegments } from "./segments.ts";

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
export interface Extent {
  readonly segment: Segment;
  /** Where it starts in the content, in bytes. */
  readonly start: number;
  /** How much of it is in its file: whole sectors, in bytes. */
  readonly length: number;
  /** How much there has to be, in bytes; 0 or less where its file ends before it starts. */
  readonly wanted: bigint;
  /** Where it is read, or why it is not. */
  readonly location: Location | NotRecovered;
}

/** An extent that can be read. */
export type ReadableExtent = Extent & { readonly location: Location };

/** The content of a volume. */
export interface Content {
  /** In their order, none of them empty. */
  readonly extents: readonly ReadableExtent[];
  /** In bytes. */
  readonly length: number;
}

/** What is read as the content of a volume, without the extents that cannot be read with any key. */
export function contentOf(extents: readonly Extent[]): Content {
  const readable = extents.filter((extent) => "file" in extent.location && extent.length > 0);
  const length = extents.reduce((sum, extent) => sum + extent.length, 0);
  return { extents: readable as ReadableExtent[], length };
}

/**
 * The content of a volume: its one segment, or during an online reencryption all of its segments in
 * their order. What would be behind the end of the file is left out.
 *
 * @see LUKS2 On-Disk Format 1.1.1, 3.3 Segments Object; cryptsetup lib/luks2/luks2_json_metadata.c,
 * LUKS2_assembly_multisegment_dmd
 */
export function extentsOf(metadata: Metadata, payload: PayloadPlace): Extent[] {
  const { json, reencryption } = metadata;
  const segments = reencryption === undefined
    ? [defaultSegment(json)].filter((segment) => segment !== undefined)
    : dataSegments(json);
  const there = payload.detached || dataOffset(metadata) >= BigInt(UNIT);
  const whole = BigInt(Math.floor(payload.bytes / SECTOR) * SECTOR);
  const end = whole - (reencryption === undefined ? 0n : unusedBytes(reencryption));
  const files = { header: payload.headerBytes, payload: payload.bytes };
  const digests = digestsOfSegments(json);
  const extents: Extent[] = [];
  let start = 0;
  let wantedStart = 0n;
  for (const segment of segments) {
    const inFile = whole - segment.offset;
    // A dynamic segment has what the others have left.
    const rest = reencryption === undefined ? inFile : end - wantedStart;
    const wanted = segment.size ?? rest;
    const least = there ? wanted < inFile ? wanted : inFile : 0n;
    const length = wholeSectors(least, segment);
    const location = reencryption?.hot?.name === segment.name
      ? recoveryOf(reencryption, segment, files)
      : {
        file: "payload" as const,
        offset: Number(segment.offset),
        encryption: encryptionOf({ segment, digest: digests.get(segment.name) }),
        ivTweak: segment.iv_tweak,
      };
    extents.push({ segment, start, length, wanted, location });
    start += length;
    wantedStart += wanted;
  }
  return extents;
}

/** Bytes of the file that are not data: those before it, and those that it is moved by. */
function unusedBytes(reencryption: Reencryption): bigint {
  const { final, forward } = reencryption;
  return final.segment.offset + (forward ? shiftOf(reencryption) : 0n);
}

function wholeSectors(bytes: bigint, { type, sector_size }: Segment): number {
  if (bytes <= 0n) return 0;
  const unit = type === "crypt" && SECTOR_SIZES.includes(sector_size) ? sector_size : SECTOR;
  return Math.floor(Number(bytes) / unit) * unit;
}

/** Start of the data, or of what it becomes, in bytes. */
export function dataOffset({ json, reencryption }: Metadata): bigint {
  return (reencryption?.final.segment ?? defaultSegment(json))?.offset ?? 0n;
}
