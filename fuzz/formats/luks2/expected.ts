import type { Json } from "../../../src/format/mod.ts";
import type { CopyState, KdfModel, Luks2Model } from "../../../src/luks2/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";

/** Areas start at multiples of this, in bytes. */
const UNIT = 4096;
const STRIPES = 4000;

/**
 * The expected `info` of a volume, derived from its model and not from the built image. The names are
 * diskproof's own, since qemu-img does not support the format.
 */
export function expectedLuks2Info(model: Luks2Model): { readonly [key: string]: Json } {
  const { primary, secondary, keys, keyBytes, headerSize, spare, detached, encryption } = model;
  const areaSize = UNIT * Math.ceil(keyBytes * STRIPES / UNIT);
  const keyslotsSize = keys.length * areaSize + spare;
  const payload = detached ? 0 : 2 * headerSize + keyslotsSize;
  const used = primary === "sound" ? "primary" : "secondary";
  const slots = keys.map(({ slot }) => String(slot));
  return {
    version: 2,
    seqid: model.seqid,
    uuid: model.uuid,
    label: model.label,
    subsystem: model.subsystem,
    cipher: encryption,
    "sector-size": model.sectorSize,
    "payload-offset": payload,
    "header-size": headerSize,
    "keyslots-size": keyslotsSize,
    "checksum-alg": model.checksum,
    copies: { used, primary: isThere(primary), secondary: isThere(secondary) },
    flags: [],
    requirements: [],
    keyslots: keys.map(({ slot, priority, kdf }, index) => ({
      id: String(slot),
      type: "luks2",
      "key-bytes": keyBytes,
      priority,
      "key-offset": 2 * headerSize + index * areaSize,
      "key-area-size": areaSize,
      cipher: encryption,
      "cipher-key-bytes": keyBytes,
      kdf: kdfInfo(kdf),
      "af-hash": model.hash,
      stripes: STRIPES,
    })),
    segments: [{
      id: "0",
      type: "crypt",
      offset: payload,
      size: model.fixed ? model.size : "dynamic",
      "iv-tweak": model.ivTweak,
      cipher: encryption,
      "sector-size": model.sectorSize,
      integrity: false,
      flags: [],
    }],
    digests: [{
      id: "0",
      type: "pbkdf2",
      hash: model.hash,
      iters: model.digestIterations,
      keyslots: slots,
      segments: ["0"],
    }],
    tokens: Array.from({ length: model.tokens }, (_, index) => ({
      id: String(index),
      type: "luks2-keyring",
      keyslots: slots,
    })),
  };
}

/** An older copy is also valid. */
function isThere(state: Luks2Model["primary"]): boolean {
  return state === "sound" || state === "older";
}

function kdfInfo(kdf: KdfModel): Json {
  if (kdf.type === "pbkdf2") return { type: kdf.type, hash: kdf.hash, iters: kdf.iterations };
  return { type: kdf.type, time: kdf.time, memory: kdf.memory, cpus: kdf.cpus };
}

/** The rules that a sound volume breaks; `undefined` for one that does not follow from its model. */
export function brokenByLuks2(
  { primary, secondary }: Luks2Model,
): Map<RuleId, boolean | undefined> {
  const isLost = (state: CopyState): boolean => state === "garbled" || state === "missing";
  return new Map<RuleId, boolean | undefined>([
    ["luks2.copy.primary", isLost(primary)],
    ["luks2.copy.secondary", isLost(secondary)],
    ["luks2.copy.sequence", primary === "older" || secondary === "older"],
    ["luks2.header.uuid", undefined],
  ]);
}
