/** Cases of qcow2. */

import type { Case } from "../case.ts";
import { accessCases } from "./access.ts";
import { bitmapCases } from "./bitmaps.ts";
import { checkCases } from "./check.ts";
import { extensionCases } from "./extensions.ts";
import { headerCases } from "./header.ts";
import { snapshotCases } from "./snapshots.ts";
import { writeCases } from "./write.ts";

/** The cases of qcow2. */
export const qcow2Cases: readonly Case[] = [
  ...headerCases,
  ...extensionCases,
  ...snapshotCases,
  ...bitmapCases,
  ...accessCases,
  ...checkCases,
  ...writeCases,
];
