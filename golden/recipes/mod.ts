/**
 * The golden images, declared: each is made by these commands of qemu-img, qemu-io and cryptsetup and
 * by nothing else. The commands run in an empty directory, next to the payload files `noise` (does not
 * compress), `prose` (compresses to about a half) and `verse` (short, compresses well), and next to a
 * file for each of the `KEYS`, which holds nothing but the passphrase.
 *
 * @module
 */

import { AES } from "./aes.ts";
import { CHAINED } from "./chains.ts";
import { CONTENT } from "./content.ts";
import { CRYPTSETUP } from "./cryptsetup.ts";
import { DAMAGED } from "./damage.ts";
import { ENCRYPTED } from "./encrypted.ts";
import { GEOMETRY } from "./geometry.ts";
import { LUKS } from "./luks.ts";
import { PAIRS } from "./pairs.ts";
import { QCOW } from "./qcow.ts";
import type { Recipe } from "./recipe.ts";
import { SNAPSHOTS_AND_BITMAPS } from "./snapshots.ts";

export { type Command, KEYS, type Recipe } from "./recipe.ts";

export const MATRIX: readonly Recipe[] = [
  ...QCOW,
  ...PAIRS,
  ...GEOMETRY,
  ...CONTENT,
  ...CHAINED,
  ...SNAPSHOTS_AND_BITMAPS,
  ...DAMAGED,
  ...LUKS,
  ...CRYPTSETUP,
  ...AES,
  ...ENCRYPTED,
];
