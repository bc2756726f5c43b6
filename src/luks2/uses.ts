import type { Use, UseTable } from "../format/mod.ts";

const KEYS: readonly Use[] = ["digest", "unlock"];
const READ: readonly Use[] = ["digest"];

/**
 * Which questions need which structures of LUKS version 2. A reader that has found the key in one key
 * slot has not used the other objects of the JSON area.
 */
export const luks2Uses: UseTable = {
  open: READ,
  header: ["info", ...KEYS],
  "header.text-nul": [],
  "header.padding": [],
  "header.uuid": [],
  json: ["info", ...KEYS],
  "json.sections": [],
  "json.names": [],
  "json.terminated": [],
  config: [],
  token: [],
  digest: [],
  segment: [],
  "segment.fields": READ,
  "segment.offset": READ,
  "segment.size": READ,
  crypt: [],
  "crypt.fields": READ,
  "crypt.sector-size": READ,
  "crypt.iv-tweak": READ,
  keyslot: [],
  "keyslot.any": KEYS,
  area: [],
  kdf: [],
  af: [],
  copy: [],
  reencryption: READ,
  requirement: READ,
};
