import { concat, SECTOR } from "../../bytes/mod.ts";
import { type BuiltFiles, patternBytes, volumeFiles } from "../../format/mod.ts";
import { materialOffset } from "../geometry.ts";
import type { Luks1Model } from "../model.ts";
import { STRIPES } from "../structures.ts";
import { Luks1Volume } from "../volume.ts";
import { buildHeader, payloadSector } from "./header.ts";

/**
 * Builds a volume. Deterministic; the same bytes on every machine.
 *
 * @param model as `normaliseLuks1` returns it
 */
export function buildLuks1(model: Luks1Model): BuiltFiles {
  const { segments, length, placed, masterKey } = buildHeader(model);
  const start = model.detached ? 0 : payloadSector(model) * SECTOR;
  const size = model.cutHeader ? usedBytes(model) : length;
  const payload = { offset: start, bytes: encryptedPayload(model, masterKey) };
  return volumeFiles({ segments, size, placed }, { payload, detached: model.detached });
}

/**
 * The guest content of a volume: the first `size` bytes of its disk. It is computed from the model
 * alone, without the sector that results from `tail`.
 */
export function contentOf(model: Luks1Model): Uint8Array {
  return patternBytes(model.pattern, model.size);
}

function encryptedPayload(model: Luks1Model, masterKey: Uint8Array): Uint8Array {
  const payload = contentOf(model).slice();
  new Luks1Volume(model.spec, masterKey).encryptSectors(payload, 0n);
  const tail = patternBytes({ kind: "noise", seed: ~model.seed }, model.tail);
  return concat(payload, tail);
}

/** The end of the key material of the last slot in use. */
function usedBytes({ spec, keys }: Luks1Model): number {
  const last = Math.max(...keys.map(({ slot }) => slot));
  return materialOffset(spec.keyBytes, last) * SECTOR + spec.keyBytes * STRIPES;
}
