/** Images of known defects of implementations. */

import type { KnownImage } from "./parts.ts";
import { luksKnown } from "./luks.ts";
import { qcow1Known } from "./qcow1.ts";
import { qcow2ChainsKnown } from "./qcow2_chains.ts";
import { qcow2Differences } from "./qcow2_differences.ts";
import { qcow2HeaderKnown } from "./qcow2_header.ts";
import { qcow2TablesKnown } from "./qcow2_tables.ts";

/** Images of known defects, each named after its condition. */
export const knownImages: readonly KnownImage[] = [
  ...qcow2HeaderKnown,
  ...qcow2ChainsKnown,
  ...qcow2TablesKnown,
  ...qcow2Differences,
  ...qcow1Known,
  ...luksKnown,
];
