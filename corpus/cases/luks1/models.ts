/** The model that cases of LUKS version 1 start from. */

import { type Luks1Model, normaliseLuks1 } from "../../../src/luks1/mod.ts";

/** The UUID of the volumes. */
export const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";

/** Two keys, one erased slot, and a payload of 4 KiB, in AES-128-CBC. */
export function modelOf(options: Partial<Luks1Model> = {}): Luks1Model {
  return normaliseLuks1({
    format: "luks",
    spec: { cipher: "aes", keyBytes: 16, mode: "cbc", ivGenerator: "plain64", hash: "sha256" },
    seed: 1,
    uuid: UUID,
    digestIterations: 3,
    keys: [
      { slot: 0, passphrase: "first", iterations: 2 },
      { slot: 2, passphrase: "second", iterations: 5 },
    ],
    erased: [1],
    gap: 0,
    detached: false,
    cutHeader: false,
    size: 4096,
    pattern: { kind: "text", seed: 1 },
    tail: 0,
    ...options,
  });
}
