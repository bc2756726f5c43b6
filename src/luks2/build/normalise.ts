import { clamp, SECTOR } from "../../bytes/mod.ts";
import { hashTable } from "../../crypto/mod.ts";
import { HEADER_SIZES, SECTOR_SIZES, UNIT } from "../geometry.ts";
import type { KdfModel, Luks2KeyModel, Luks2Model } from "../model.ts";
import { header } from "../structures.ts";

const SLOTS = 32;
const KEYS_MAX = 8;
const TOKENS_MAX = 4;
const SPARE_MAX = 2 ** 20;
const SIZE_MAX = 2 ** 24;
/** Low costs: the volume of a model is opened many times. */
const ITERATIONS_MAX = 5000;
const TIME_MAX = 8;
const CPUS_MAX = 4;
const MEMORY_MAX = 1024;

/**
 * The nearest model of a valid volume: numbers are brought into their ranges, and only the first key of
 * each slot is kept. Idempotent.
 *
 * @param model with an `encryption`, `keyBytes` and hashes that are compatible
 */
export function normaliseLuks2(model: Luks2Model): Luks2Model {
  const sectorSize = SECTOR_SIZES.includes(model.sectorSize) ? model.sectorSize : 512;
  const size = Math.ceil(clamp(model.size, 1, SIZE_MAX) / sectorSize) * sectorSize;
  const secondary = model.primary === "sound" ? model.secondary : "sound";
  return {
    format: "luks2",
    seed: model.seed >>> 0,
    uuid: soundText(model.uuid, "uuid"),
    label: soundText(model.label, "label"),
    subsystem: soundText(model.subsystem, "subsystem"),
    seqid: clamp(model.seqid, 1, 2 ** 32),
    headerSize: HEADER_SIZES.includes(model.headerSize) ? model.headerSize : 0x4000,
    spare: Math.floor(clamp(model.spare, 0, SPARE_MAX) / UNIT) * UNIT,
    primary: model.primary,
    secondary,
    encryption: model.encryption,
    keyBytes: model.keyBytes,
    sectorSize,
    ivTweak: soundTweak(model.ivTweak, sectorSize),
    hash: model.hash,
    checksum: hashTable[model.checksum] === undefined ? "sha256" : model.checksum,
    digestIterations: clamp(model.digestIterations, 1, ITERATIONS_MAX),
    keys: soundKeys(model.keys),
    ...(model.material === "sparse" ? { material: model.material } : {}),
    tokens: clamp(model.tokens, 0, TOKENS_MAX),
    detached: model.detached,
    fixed: model.fixed,
    size,
    pattern: { kind: model.pattern.kind, seed: model.pattern.seed >>> 0 },
  };
}

/** Sectors are numbered in units of 512 bytes; the kernel accepts only the numbers of whole ones. */
function soundTweak(ivTweak: number, sectorSize: number): number {
  const unit = sectorSize / SECTOR;
  return Math.floor(clamp(ivTweak, 0, Number.MAX_SAFE_INTEGER) / unit) * unit;
}

function soundKeys(keys: readonly Luks2KeyModel[]): Luks2KeyModel[] {
  const bySlot = new Map<number, Luks2KeyModel>();
  for (const { slot, passphrase, kdf, priority } of keys.slice(0, KEYS_MAX)) {
    const sound = clamp(slot, 0, SLOTS - 1);
    if (bySlot.has(sound)) continue;
    bySlot.set(sound, { slot: sound, passphrase, kdf: soundKdf(kdf), priority });
  }
  if (bySlot.size === 0) bySlot.set(0, DEFAULT_KEY);
  const sound = [...bySlot.values()].sort((a, b) => a.slot - b.slot);
  if (sound.some(({ priority }) => priority > 0)) return sound;
  return sound.map((key, index) => index === 0 ? { ...key, priority: 1 } : key);
}

const DEFAULT_KEY: Luks2KeyModel = {
  slot: 0,
  passphrase: "",
  kdf: { type: "pbkdf2", hash: "sha256", iterations: 1 },
  priority: 1,
};

function soundKdf(kdf: KdfModel): KdfModel {
  if (kdf.type === "pbkdf2") {
    const iterations = clamp(kdf.iterations, 1, ITERATIONS_MAX);
    return { type: kdf.type, hash: kdf.hash, iterations };
  }
  const cpus = clamp(kdf.cpus, 1, CPUS_MAX);
  return {
    type: kdf.type,
    time: clamp(kdf.time, 1, TIME_MAX),
    memory: clamp(kdf.memory, 8 * cpus, MEMORY_MAX),
    cpus,
  };
}

/** Text of ASCII that leaves room for a NUL byte. */
function soundText(text: string, field: "uuid" | "label" | "subsystem"): string {
  const width = header.fields.find(({ name }) => name === field)?.width ?? 0;
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, width - 1);
}
