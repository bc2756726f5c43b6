/**
 * The golden images, as data: each is created only by these commands of qemu-img, qemu-io and
 * cryptsetup. The commands run in an empty directory with the payload files `noise` (does not
 * compress), `prose` (compresses to about half) and `verse` (short, compresses well), and with a
 * file for each of the `KEYS` that contains only the passphrase.
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
