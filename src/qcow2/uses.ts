import type { Use, UseTable } from "../format/mod.ts";

const CONTENT: readonly Use[] = ["map", "digest", "snapshot", "check"];
const READ: readonly Use[] = ["digest", "snapshot"];
const ALL: readonly Use[] = ["info", ...CONTENT];

/** Without LUKS encryption, nobody has to read the pointer to its header. */
export const qcow2UsedWith = { "qcow2.ext.crypto-": "encryption.luks" } as const;

/**
 * Which questions need which structures of qcow2. Content does not depend on refcounts, on the snapshot
 * table, on bitmaps or on the feature name table (qcow2.txt, Cluster mapping).
 */
export const qcow2Uses: UseTable = {
  header: ALL,
  "header.refcount-order": ["check"],
  "header.extl2-cluster-min": CONTENT,
  "header.size-l1-range": CONTENT,
  "header.length-mult8": [],
  "header.padding-zero": [],
  "header.raw-without-backing": [],
  "header.bitmaps-bit-without-ext": [],
  reftable: ["check"],
  refblock: ["check"],
  snaptable: ["snapshot", "check"],
  snap: ["snapshot", "check"],
  "snap.unique-id": [],
  l1: CONTENT,
  l1e: CONTENT,
  l2e: CONTENT,
  "l2e.copied": ["check"],
  comp: READ,
  "comp.copied": ["check"],
  "comp.bitmap-zero": ["check"],
  crypt: READ,
  ext: [],
  "ext.end-required": ALL,
  "ext.crypto-length": READ,
  "ext.crypto-aligned": READ,
  "ext.crypto-range": READ,
  "ext.crypto-readable": READ,
  "ext.crypto-material-range": READ,
  "ext.bitmaps-length": ["check"],
  "ext.bitmaps-reserved": ["check"],
  "ext.bitmaps-count-max": ["check"],
  "ext.bitmaps-count-min": ["check"],
  "ext.bitmaps-dir-aligned": ["check"],
  "ext.bitmaps-dir-size-max": ["check"],
  datafile: READ,
  "datafile.raw-needs-file": [],
  backing: CONTENT,
  "backing.name-length": ALL,
  "backing.empty": ALL,
  bitmap: ["check"],
  check: ["check"],
  write: [],
};
