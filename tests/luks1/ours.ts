/** LUKS volumes as the reference opens them. */

import { luks1Driver } from "../../src/luks1/mod.ts";
import { openingBy } from "../volume.ts";

export const { open: openVolume, brokenRules } = openingBy(luks1Driver);
export { messagesOf, type Opened, readAll, type Volume } from "../volume.ts";
