import type { Use, UseTable } from "../format/mod.ts";

const KEYS: readonly Use[] = ["digest", "unlock"];
const READ: readonly Use[] = ["digest"];

/**
 * Which questions need which structures of LUKS version 1. A reader that has found the key in one key
 * slot has not used the other slots, nor the layout of the whole header.
 */
export const luks1Uses: UseTable = {
  open: READ,
  header: ["info", ...KEYS],
  "header.payload-after-header": [],
  "header.mk-iterations": KEYS,
  "header.uuid": [],
  slot: [],
  "slot.any-enabled": KEYS,
  "slot.material-inside-file": KEYS,
  cipher: KEYS,
  hash: KEYS,
  key: KEYS,
  payload: READ,
  size: READ,
  work: KEYS,
  detached: READ,
  check: [],
};
