/**
 * Kits: what the fuzz targets know of the formats, a folder each. A new one is a folder here and a
 * line below; what a kit is, is in `kit.ts`.
 *
 * Invariants:
 *
 * - A model is a plain value, and what is built of it follows from it alone.
 * - What is expected of an image follows from its model, and not from what was built.
 * - A divergence is explained with a citation, and only as far as the citation goes.
 *
 * @module
 */

import { chains } from "./chain/mod.ts";
import type { Kit, ToolKit } from "./kit.ts";
import { luks1 } from "./luks1/mod.ts";
import { luks2 } from "./luks2/mod.ts";
import { qcow1 } from "./qcow1/mod.ts";
import { qcow2 } from "./qcow2/mod.ts";

/** The kits of images by themselves, each fuzzed by `open`. */
export const images: readonly Kit[] = [qcow1 as Kit, qcow2 as Kit, luks1 as Kit, luks2 as Kit];

/** A kit with tools that answer to the same images. */
export type WholeKit = Kit & { readonly tools: ToolKit };

/** The kits of what is read whole, each fuzzed by `roundtrip` and `differential`. */
export const wholes: readonly WholeKit[] = [
  chains as WholeKit,
  luks1 as WholeKit,
  luks2 as WholeKit,
];

/** Every kit, each once. */
export const kits: readonly Kit[] = [...new Set([...images, ...wholes])];

export type {
  EditOptions,
  Expected,
  KeyChanges,
  KeyKit,
  Kit,
  LaidOut,
  NoiseKit,
  OpenedCase,
  ToolKit,
  Use,
} from "./kit.ts";
