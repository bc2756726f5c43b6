import type { JsonNode } from "../json/value.ts";
import { member, members, numberOf, text, texts, uint32, uint64 } from "../json/access.ts";

/** A segment, as far as it says what it has to. */
export interface Segment {
  readonly name: string;
  readonly node: JsonNode;
  /** `crypt` or `linear`; empty where it says none. */
  readonly type: string;
  /** Start in bytes, in the file that holds the payload. */
  readonly offset: bigint;
  /** Length in bytes; `undefined` where it reaches to the end of the file. */
  readonly size: bigint | undefined;
  readonly flags: readonly string[];
  /** What is added to the number of each sector. */
  readonly ivTweak: bigint;
  /** Cipher in the notation of dm-crypt. */
  readonly encryption: string;
  readonly sectorSize: number;
  readonly integrity: boolean;
}

/** All segments, in the order in which they stand in the JSON. */
export function segmentsOf(root: JsonNode | undefined): Segment[] {
  return members(member(root, "segments")).map(([name, node]) => segmentOf(name, node));
}

function segmentOf(name: string, node: JsonNode): Segment {
  return {
    name,
    node,
    type: text(member(node, "type")) ?? "",
    offset: uint64(member(node, "offset")) ?? 0n,
    size: uint64(member(node, "size")),
    flags: texts(member(node, "flags")) ?? [],
    ivTweak: uint64(member(node, "iv_tweak")) ?? 0n,
    encryption: text(member(node, "encryption")) ?? "",
    sectorSize: uint32(member(node, "sector_size")) ?? 0,
    integrity: member(node, "integrity") !== undefined,
  };
}

/** Whether a segment is kept for a reencryption, and not one of the data. */
export function isBackup(segment: JsonNode): boolean {
  return texts(member(segment, "flags"))?.some((flag) => flag.startsWith("backup-")) ?? false;
}

/**
 * The segment whose key opens the volume: the first one, and during a reencryption what the data is
 * to become.
 */
export function defaultSegment(root: JsonNode | undefined): Segment | undefined {
  const segments = segmentsOf(root);
  const final = segments.find(({ flags }) => flags.includes("backup-final"));
  const name = final === undefined ? "0" : String(numberOf(final.name));
  return segments.find((segment) => segment.name === name);
}
