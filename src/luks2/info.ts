import { imageText, type Json } from "../format/mod.ts";
import type { ChosenCopy, Metadata } from "./metadata.ts";
import { digestsOf, type Kdf, type Keyslot, keyslotsOf } from "./keyslots/keyslots.ts";
import { looseUint64, member, members, text, texts } from "./json/access.ts";
import type { JsonNode } from "./json/value.ts";
import { reencryptionOf } from "./reencryption/reencryption.ts";
import { requirementsOf } from "./requirements.ts";
import { defaultSegment, type Segment, segmentsOf } from "./segments/segments.ts";

/** Entries of each list that are told of: a JSON area holds any number. */
const LISTED_MAX = 256;

/**
 * What `info` says of a header, without a passphrase. The shape is our own: qemu-img does not know the
 * format.
 */
export function luks2Info(
  chosen: ChosenCopy & { readonly metadata: Metadata },
): { readonly [key: string]: Json } {
  const { copy: { header, name }, root } = chosen.metadata;
  const { encryption = "", sectorSize = 0, offset = 0n } = defaultSegment(root) ?? {};
  const config = member(root, "config");
  return {
    version: header.version,
    seqid: numeric(header.seqid),
    uuid: imageText(header.uuid),
    label: imageText(header.label),
    subsystem: imageText(header.subsystem),
    cipher: encryption,
    "sector-size": sectorSize,
    "payload-offset": numeric(offset),
    "header-size": numeric(header.hdr_size),
    "keyslots-size": numeric(looseUint64(member(config, "keyslots_size")) ?? 0n),
    "checksum-alg": imageText(header.csum_alg),
    copies: {
      used: name,
      primary: chosen.primary.metadata !== undefined,
      secondary: chosen.secondary.metadata !== undefined,
    },
    flags: texts(member(config, "flags")) ?? [],
    requirements: requirementsOf(root).all,
    ...reencryptionInfo(root),
    keyslots: keyslotsOf(root).slice(0, LISTED_MAX).map(keyslotInfo),
    segments: segmentsOf(root).slice(0, LISTED_MAX).map(segmentInfo),
    digests: digestsOf(root).slice(0, LISTED_MAX).map((digest) => ({
      id: digest.name,
      type: digest.type,
      hash: digest.hash,
      iters: digest.iterations,
      keyslots: digest.keyslots,
      segments: digest.segments,
    })),
    tokens: members(member(root, "tokens")).slice(0, LISTED_MAX).map(([id, node]) => ({
      id,
      type: text(member(node, "type")) ?? "",
      keyslots: texts(member(node, "keyslots")) ?? [],
    })),
  };
}

/** What is told of a reencryption that is going on; nothing where there is none. */
function reencryptionInfo(root: JsonNode): { readonly [key: string]: Json } {
  const reencryption = reencryptionOf(root);
  if (reencryption === undefined) return {};
  const { slot, mode, forward, hot } = reencryption;
  const direction = forward ? "forward" : "backward";
  const resilience = text(member(member(slot.node, "area"), "type")) ?? "";
  const interrupted = hot === undefined ? {} : { "interrupted-segment": hot.name };
  return { reencryption: { keyslot: slot.name, mode, direction, resilience, ...interrupted } };
}

/** A number, or its digits where a number does not hold it. */
function numeric(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function keyslotInfo(slot: Keyslot): Json {
  return {
    id: slot.name,
    type: slot.type,
    "key-bytes": slot.keyBytes,
    priority: slot.priority,
    "key-offset": numeric(slot.area.offset),
    "key-area-size": numeric(slot.area.size),
    cipher: slot.area.encryption,
    "cipher-key-bytes": slot.area.keyBytes,
    kdf: kdfInfo(slot.kdf),
    "af-hash": slot.af.hash,
    stripes: slot.af.stripes,
  };
}

function kdfInfo({ type, hash, iterations, time, memory, cpus }: Kdf): Json {
  if (type === "pbkdf2") return { type, hash, iters: iterations };
  return { type, time, memory, cpus };
}

function segmentInfo(segment: Segment): Json {
  return {
    id: segment.name,
    type: segment.type,
    offset: numeric(segment.offset),
    size: segment.size === undefined ? "dynamic" : numeric(segment.size),
    "iv-tweak": numeric(segment.ivTweak),
    cipher: segment.encryption,
    "sector-size": segment.sectorSize,
    integrity: segment.integrity,
    flags: segment.flags,
  };
}
