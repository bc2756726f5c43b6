import { clamp, SECTOR } from "../../bytes/mod.ts";
import type { KeyModel, Luks1Model } from "../model.ts";
import { header, SLOTS } from "../structures.ts";

/** Free sectors before a payload, so that a volume stays small. */
const GAP_MAX = 4096;
/** Largest payload in bytes. */
const SIZE_MAX = 2 ** 24;
const ITERATIONS_MAX = 5000;

/**
 * The nearest model of a valid volume: numbers are brought into their range, keys are sorted by slot,
 * and further keys for the same slot are dropped. Idempotent.
 *
 * @param model with a `spec` for which `isUsable` is true
 */
export function normaliseLuks1(model: Luks1Model): Luks1Model {
  const keys = soundKeys(model.keys);
  const used = new Set(keys.map(({ slot }) => slot));
  const erased = [...new Set(model.erased.map(soundSlot))].filter((slot) => !used.has(slot));
  const detached = model.detached;
  return {
    format: "luks",
    spec: model.spec,
    seed: model.seed >>> 0,
    uuid: soundUuid(model.uuid),
    digestIterations: clamp(model.digestIterations, 1, ITERATIONS_MAX),
    keys,
    erased: erased.sort((a, b) => a - b),
    ...(model.material === "sparse" ? { material: model.material } : {}),
    gap: detached ? 0 : clamp(model.gap, 0, GAP_MAX),
    detached,
    cutHeader: detached && model.cutHeader,
    size: clamp(Math.ceil(model.size / SECTOR) * SECTOR, 0, SIZE_MAX),
    pattern: { kind: model.pattern.kind, seed: model.pattern.seed >>> 0 },
    tail: clamp(model.tail, 0, SECTOR - 1),
  };
}

function soundKeys(keys: readonly KeyModel[]): KeyModel[] {
  const bySlot = new Map<number, KeyModel>();
  for (const { slot, passphrase, iterations } of keys) {
    const key = {
      slot: soundSlot(slot),
      // QEMU ends a passphrase at its first NUL byte.
      passphrase: passphrase.replaceAll("\0", ""),
      iterations: clamp(iterations, 1, ITERATIONS_MAX),
    };
    if (!bySlot.has(key.slot)) bySlot.set(key.slot, key);
  }
  if (bySlot.size === 0) bySlot.set(0, { slot: 0, passphrase: "", iterations: 1 });
  return [...bySlot.values()].sort((a, b) => a.slot - b.slot);
}

function soundSlot(slot: number): number {
  return clamp(slot, 0, SLOTS - 1);
}

/** Text of ASCII that leaves room for a NUL byte. */
function soundUuid(uuid: string): string {
  const width = header.fields.find(({ name }) => name === "uuid")?.width ?? 0;
  return uuid.replace(/[^\x20-\x7e]/g, "").slice(0, width - 1);
}
