/**
 * The properties that are fuzzed. A new one is a file here that exports a `Target`, and a line below.
 *
 * @module
 */

import type { Target } from "../engine/target.ts";
import { canaries } from "./canary.ts";
import { differential } from "./differential.ts";
import { encryptionCanary } from "./encryption_canary.ts";
import { golden } from "./golden.ts";
import { luks2Differential } from "./luks2_differential.ts";
import { luks2Open } from "./luks2_open.ts";
import { luks2Roundtrip } from "./luks2_roundtrip.ts";
import { luksDifferential } from "./luks_differential.ts";
import { luksOpen } from "./luks_open.ts";
import { luksRoundtrip } from "./luks_roundtrip.ts";
import { qcow2Open, qcowOpen } from "./open.ts";
import { roundtrip } from "./roundtrip.ts";

/** Every target, in the order in which a run goes through them. */
export const targets: readonly Target[] = [
  qcowOpen as Target,
  qcow2Open as Target,
  luksOpen as Target,
  luks2Open as Target,
  luksRoundtrip as Target,
  luks2Roundtrip as Target,
  roundtrip as Target,
  golden as Target,
  differential as Target,
  luksDifferential as Target,
  luks2Differential as Target,
  ...canaries as readonly Target[],
  encryptionCanary as Target,
];
