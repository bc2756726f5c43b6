import { imageText, type Json } from "../format/mod.ts";
import type { Metadata } from "./metadata.ts";
import type { ChosenCopy } from "./copies.ts";
import type { Kdf, Keyslot, Segment } from "./json/description.ts";
import type { Reencryption } from "./reencryption/reencryption.ts";
import { requirementsOf } from "./reencryption/requirements.ts";
import { defaultSegment } from "./segments/segments.ts";

/** Maximum number of entries of each list that are shown. */
const LISTED_MAX = 256;

/**
 * The output of `info` for a header, without a passphrase. The shape is diskproof's own because qemu-img
 * does not support the format.
 */
export function luks2Info(
  { metadata: { copy, json, reencryption }, primary, secondary }: ChosenCopy & {
    readonly metadata: Metadata;
  },
): { readonly [key: string]: Json } {
  const { header, name: used } = copy;
  const { config } = json;
  const segment = defaultSegment(json);
  const listed = <T>(entries: readonly T[], of: (entry: T) => Json): Json[] =>
    entries.slice(0, LISTED_MAX).map(of);
  return {
    version: header.version,
    seqid: numeric(header.seqid),
    uuid: imageText(header.uuid),
    label: imageText(header.label),
    subsystem: imageText(header.subsystem),
    cipher: segment?.encryption ?? "",
    "sector-size": segment?.sector_size ?? 0,
    "payload-offset": numeric(segment?.offset ?? 0n),
    "header-size": numeric(header.hdr_size),
    "keyslots-size": numeric(config.keyslots_size),
    "checksum-alg": imageText(header.csum_alg),
    copies: {
      used,
      primary: primary.metadata !== undefined,
      secondary: secondary.metadata !== undefined,
    },
    flags: config.flags,
    requirements: requirementsOf(json).all,
    ...(reencryption === undefined ? {} : { reencryption: reencryptionInfo(reencryption) }),
    keyslots: listed(json.keyslots, keyslotInfo),
    segments: listed(json.segments, segmentInfo),
    digests: listed(json.digests, ({ name, type, hash, iterations, keyslots, segments }) => {
      return { id: name, type, hash, iters: iterations, keyslots, segments };
    }),
    tokens: listed(json.tokens, ({ name, type, keyslots }) => ({ id: name, type, keyslots })),
  };
}

function reencryptionInfo({ slot, forward, hot }: Reencryption): Json {
  return {
    keyslot: slot.name,
    mode: slot.mode,
    direction: forward ? "forward" : "backward",
    resilience: slot.area.type,
    ...(hot === undefined ? {} : { "interrupted-segment": hot.name }),
  };
}

/** A number, or its digits if it is 2^53 or more. */
function numeric(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function keyslotInfo(slot: Keyslot): Json {
  return {
    id: slot.name,
    type: slot.type,
    "key-bytes": slot.key_size,
    priority: slot.priority,
    "key-offset": numeric(slot.area.offset),
    "key-area-size": numeric(slot.area.size),
    cipher: slot.area.encryption,
    "cipher-key-bytes": slot.area.key_size,
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
    "iv-tweak": numeric(segment.iv_tweak),
    cipher: segment.encryption,
    "sector-size": segment.sector_size,
    integrity: segment.integrity !== undefined,
    flags: segment.flags,
  };
}
