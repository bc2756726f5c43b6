/**
 * The golden images, declared: each is made by these commands of qemu-img and qemu-io and by nothing
 * else. The commands run in an empty directory, next to the payload files `noise` (does not compress),
 * `prose` (compresses to about a half) and `verse` (short, compresses well).
 *
 * @module
 */

import { CHAINED } from "./matrix/chains.ts";
import { CONTENT } from "./matrix/content.ts";
import { DAMAGED } from "./matrix/damage.ts";
import { GEOMETRY } from "./matrix/geometry.ts";
import { PAIRS } from "./matrix/pairs.ts";
import { QCOW } from "./matrix/qcow.ts";
import type { Recipe } from "./matrix/recipe.ts";
import { SNAPSHOTS_AND_BITMAPS } from "./matrix/snapshots.ts";

export type { Command, Recipe } from "./matrix/recipe.ts";

export const MATRIX: readonly Recipe[] = [
  ...QCOW,
  ...PAIRS,
  ...GEOMETRY,
  ...CONTENT,
  ...CHAINED,
  ...SNAPSHOTS_AND_BITMAPS,
  ...DAMAGED,
];
