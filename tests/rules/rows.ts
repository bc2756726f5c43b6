/** All rows. */

import { accessRows } from "./access_cases.ts";
import { bitmapRows } from "./bitmap_cases.ts";
import { blockRows } from "./block_cases.ts";
import { checkRows } from "./check_cases.ts";
import { extensionRows } from "./extension_cases.ts";
import { headerRows } from "./header_cases.ts";
import type { RuleRow } from "./row.ts";
import { snapshotRows } from "./snapshot_cases.ts";
import { writeRows } from "./write_cases.ts";

export const rows: readonly RuleRow[] = [
  ...headerRows,
  ...extensionRows,
  ...snapshotRows,
  ...bitmapRows,
  ...accessRows,
  ...checkRows,
  ...writeRows,
  ...blockRows,
];
