/** LUKS volumes as the reference opens them. */

import { luksDriver } from "../../src/luks/mod.ts";
import { openingBy } from "../volume.ts";

export const { open: openVolume, brokenRules } = openingBy(luksDriver);
export { messagesOf, type Opened, readAll, type Volume } from "../volume.ts";
