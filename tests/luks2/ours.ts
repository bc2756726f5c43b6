/** LUKS2 volumes as the reference opens them. */

import { luks2Driver } from "../../src/luks2/mod.ts";
import { openingBy } from "../volume.ts";

export const { open: openVolume, brokenRules } = openingBy(luks2Driver);
export { messagesOf, type Opened, readAll, type Volume } from "../volume.ts";
