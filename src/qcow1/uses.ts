import type { Use, UseTable } from "../format/mod.ts";

const CONTENT: readonly Use[] = ["map", "digest"];
const READ: readonly Use[] = ["digest"];

/** Which questions need which structures of qcow version 1. */
export const qcow1Uses: UseTable = {
  header: ["info", ...CONTENT],
  l1: CONTENT,
  l1e: CONTENT,
  l2: CONTENT,
  l2e: CONTENT,
  comp: READ,
  crypt: READ,
  backing: CONTENT,
  "backing.empty": ["info", ...CONTENT],
  "backing.name-length": ["info", ...CONTENT],
  check: [],
  write: [],
  create: [],
};
