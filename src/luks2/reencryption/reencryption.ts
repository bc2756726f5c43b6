import type { JsonNode } from "../json/value.ts";
import { type Digest, digestsOf, type Keyslot, keyslotsOf } from "../keyslots/keyslots.ts";
import { looseUint64, member, numberOf, text, uint32 } from "../json/access.ts";
import { requirementsOf } from "../requirements.ts";
import { isBackup, type Segment, segmentsOf } from "../segments/segments.ts";

/** How a part of the data that is being written again is kept, in case that is interrupted. */
export type Protection =
  /** The digests of its blocks as they were, one behind the other. */
  | { readonly type: "checksum"; readonly hash: string; readonly blockSize: number }
  /** Its bytes as they were. */
  | { readonly type: "journal" }
  /** It is written that many bytes from where it was. */
  | { readonly type: "datashift"; readonly shift: bigint }
  /** Not at all: such a part is never found marked, unless by hand. */
  | { readonly type: "none" };

/** A state of the data that a reencryption has a backup segment for, and the digest of its key. */
export interface DataState {
  readonly segment: Segment;
  /** Absent where the data is not encrypted. */
  readonly digest?: Digest;
}

/** An online reencryption that is going on, as far as a header says what it has to. */
export interface Reencryption {
  readonly slot: Keyslot;
  /** The digest of the slot: it is taken over the keys, the slot and the backup segments. */
  readonly digest: Digest | undefined;
  /** Number behind the v in the requirement. */
  readonly version: number;
  /** `reencrypt`, `encrypt` or `decrypt`. */
  readonly mode: string;
  readonly forward: boolean;
  readonly previous: DataState;
  readonly final: DataState;
  /** The first part of the data, which was moved out of the way of the rest. */
  readonly moved: Segment | undefined;
  /** The part that was being written when it was interrupted. */
  readonly hot: Segment | undefined;
  /** `undefined` where its type is not known. */
  readonly protection: Protection | undefined;
  /** What holds for the moved part where it is another one. */
  readonly protectionOfMoved: Protection | undefined;
}

/**
 * The online reencryption of a volume that cryptsetup takes; `undefined` where none is going on.
 *
 * @see LUKS2 On-Disk Format 1.1.1, 4.9 Online Reencryption
 */
export function reencryptionOf(root: JsonNode | undefined): Reencryption | undefined {
  if (root === undefined) return undefined;
  // It is asked for by all that reads a volume, and may have thousands of segments.
  const known = found.get(root) ?? { reencryption: findReencryption(root) };
  found.set(root, known);
  return known.reencryption;
}

const found = new WeakMap<JsonNode, { readonly reencryption: Reencryption | undefined }>();

function findReencryption(root: JsonNode): Reencryption | undefined {
  const { online, version } = requirementsOf(root);
  const slot = keyslotsOf(root).find(({ type }) => type === "reencrypt");
  if (!online || slot === undefined) return undefined;
  const segments = segmentsOf(root);
  const digests = digestsOfSegments(root);
  const flagged = (flag: string) => segments.find(({ flags }) => flags.includes(flag));
  const [previous, final] = ["backup-previous", "backup-final"].map((flag) => {
    const segment = flagged(flag);
    const digest = digests.get(segment?.name ?? "");
    if (segment === undefined) return undefined;
    return { segment, ...digest === undefined ? {} : { digest } };
  });
  if (previous === undefined || final === undefined) return undefined;
  const area = member(slot.node, "area");
  return {
    slot,
    digest: digestsOf(root).find(({ keyslots }) => keyslots.includes(String(slot.number))),
    version,
    mode: text(member(slot.node, "mode")) ?? "",
    forward: text(member(slot.node, "direction")) === "forward",
    previous,
    final,
    moved: flagged("backup-moved-segment"),
    hot: flagged("in-reencryption"),
    protection: protectionOf(area, text(member(area, "type")) ?? ""),
    protectionOfMoved: protectionOfMoved(area),
  };
}

/** The digests of the keys of all segments, by their names: for each the first one that names it. */
export function digestsOfSegments(root: JsonNode | undefined): ReadonlyMap<string, Digest> {
  const found = new Map<string, Digest>();
  for (const digest of digestsOf(root)) {
    for (const name of digest.segments) if (!found.has(name)) found.set(name, digest);
  }
  return found;
}

const SHIFTED = "datashift-";

function protectionOf(area: JsonNode | undefined, type: string): Protection | undefined {
  if (type === "checksum") {
    const hash = text(member(area, "hash")) ?? "";
    return { type, hash, blockSize: uint32(member(area, "sector_size")) ?? 0 };
  }
  if (type === "journal" || type === "none") return { type };
  if (type !== "datashift" && !["checksum", "journal"].some((of) => type === SHIFTED + of)) {
    return undefined;
  }
  return { type: "datashift", shift: looseUint64(member(area, "shift_size")) ?? 0n };
}

function protectionOfMoved(area: JsonNode | undefined): Protection | undefined {
  const type = text(member(area, "type")) ?? "";
  return type.startsWith(SHIFTED) ? protectionOf(area, type.slice(SHIFTED.length)) : undefined;
}

/** How far a reencryption moves data, in bytes; 0 where it does not. */
export function shiftOf({ protection }: Reencryption): bigint {
  return protection?.type === "datashift" ? protection.shift : 0n;
}

/** Segments of the data, without those that are kept for a reencryption, in their order. */
export function dataSegments(root: JsonNode | undefined): Segment[] {
  return segmentsOf(root).filter(({ node }) => !isBackup(node))
    .sort((a, b) => numberOf(a.name) - numberOf(b.name));
}
