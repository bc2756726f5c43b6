/** Cases of LUKS version 2. */

import type { Case, SingleImage } from "../case.ts";
import { json, jsonCopy } from "../edit.ts";
import { headerCases } from "./header.ts";
import { jsonCases } from "./json.ts";
import { kernelCases, slotAndKeyCases } from "./keys.ts";
import { base } from "./models.ts";
import { reencryptionCases } from "./reencryption.ts";

/** The cases of LUKS version 2. */
export const luks2Cases: readonly Case[] = [
  ...headerCases,
  ...jsonCases,
  ...slotAndKeyCases,
  ...kernelCases,
  ...reencryptionCases,
];

/**
 * A token number one above the limit of cryptsetup 2.6.1, and the limit (cryptsetup
 * lib/luks2/luks2_token.c, token_is_blocked).
 */
export const luks2Sound: readonly SingleImage[] = [32, 31].map((number) => ({
  name: `luks2.token.fields-number-${number}`,
  rule: "luks2.token.fields",
  shows: `the token is named ${number}, not 0`,
  base,
  edits: [
    jsonCopy(`/tokens/${number}`, "/tokens/0"),
    json("/tokens/0"),
  ],
}));
