/**
 * The golden images, declared: each is made by these commands of qemu-img, qemu-io and cryptsetup and
 * by nothing else. The commands run in an empty directory, next to the payload files `noise` (does not
 * compress), `prose` (compresses to about a half) and `verse` (short, compresses well), and next to a
 * file for each of the `KEYS`, which holds nothing but the passphrase.
 *
 * @module
 */

import { AES } from "./matrix/aes.ts";
import { CHAINED } from "./matrix/chains.ts";
import { CONTENT } from "./matrix/content.ts";
import { CRYPTSETUP } from "./matrix/cryptsetup.ts";
import { DAMAGED } from "./matrix/damage.ts";
import { ENCRYPTED } from "./matrix/encrypted.ts";
import { GEOMETRY } from "./matrix/geometry.ts";
import { LUKS } from "./matrix/luks.ts";
import { PAIRS } from "./matrix/pairs.ts";
import { QCOW } from "./matrix/qcow.ts";
import type { Recipe } from "./matrix/recipe.ts";
import { SNAPSHOTS_AND_BITMAPS } from "./matrix/snapshots.ts";

export { type Command, KEYS, type Recipe } from "./matrix/recipe.ts";

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
