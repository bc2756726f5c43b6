import { struct, u64 } from "../../layout/mod.ts";

/** An entry of an L1 table. */
export const l1Entry = struct("qcow2.l1_entry", { section: "qcow2.txt, L1 table entry", size: 8 }, [
  u64("l1_entry", {
    doc: "Location of an L2 table.",
    pointsTo: "qcow2.l2_entry",
    bits: [
      { name: "reserved_low", from: 0, to: 8, doc: "Zero.", reserved: true },
      { name: "offset", from: 9, to: 55, doc: "Offset of the L2 table; 0 for none." },
      { name: "reserved_high", from: 56, to: 62, doc: "Zero.", reserved: true },
      { name: "copied", from: 63, to: 63, doc: "The refcount of the L2 table is exactly 1." },
    ],
    constraints: [
      { clear: "reserved", rule: ["qcow2.l1e.reserved", "qcow2.check.l1e-reserved"] },
      {
        multipleOf: "cluster size",
        bits: "offset",
        rule: ["qcow2.l1e.aligned", "qcow2.check.l2-aligned"],
      },
    ],
  }),
]);

/** An L2 entry that describes a standard cluster. */
export const l2Entry = struct(
  "qcow2.l2_entry",
  { section: "qcow2.txt, L2 table entry", size: 8 },
  [
    u64("l2_entry", {
      doc: "Location of a cluster.",
      bits: [
        { name: "zero", from: 0, to: 0, doc: "The cluster reads as zeros." },
        { name: "reserved_low", from: 1, to: 8, doc: "Zero.", reserved: true },
        { name: "offset", from: 9, to: 55, doc: "Offset of the cluster." },
        { name: "reserved_high", from: 56, to: 61, doc: "Zero.", reserved: true },
        { name: "compressed", from: 62, to: 62, doc: "The entry describes a compressed cluster." },
        { name: "copied", from: 63, to: 63, doc: "The refcount of the cluster is exactly 1." },
      ],
      constraints: [
        { clear: ["zero"], when: "in version 2", rule: "qcow2.l2e.zero-v2" },
        { clear: "reserved", rule: ["qcow2.l2e.reserved", "qcow2.check.l2e-reserved"] },
        { clear: ["zero"], when: "with extended L2 entries", rule: "qcow2.l2e.reserved" },
        {
          multipleOf: "cluster size",
          bits: "offset",
          rule: [
            "qcow2.l2e.aligned",
            "qcow2.check.data-aligned",
            "qcow2.check.prealloc-aligned",
            "qcow2.write.inplace-aligned",
          ],
        },
      ],
    }),
  ],
);

/** An extended L2 entry: an L2 entry and the state of its subclusters. */
export const extendedL2Entry = struct(
  "qcow2.extended_l2_entry",
  { section: "qcow2.txt, Extended L2 Entries", size: 16 },
  [
    ...l2Entry.fields,
    u64("subcluster_bitmap", {
      doc: "State of the 32 subclusters.",
      bits: [
        { name: "allocated", from: 0, to: 31, doc: "The subcluster is allocated." },
        { name: "zero", from: 32, to: 63, doc: "The subcluster reads as zeros." },
      ],
    }),
  ],
);

/** An entry of the refcount table. */
export const refcountTableEntry = struct(
  "qcow2.refcount_table_entry",
  { section: "qcow2.txt, Host cluster management", size: 8 },
  [
    u64("refcount_table_entry", {
      doc: "Location of a refcount block.",
      pointsTo: "qcow2.refcount_block",
      bits: [
        { name: "reserved", from: 0, to: 8, doc: "Zero.", reserved: true },
        { name: "offset", from: 9, to: 63, doc: "Offset of the refcount block; 0 for none." },
      ],
      constraints: [
        { clear: "reserved", rule: "qcow2.check.reftable-reserved" },
        {
          multipleOf: "cluster size",
          bits: "offset",
          rule: ["qcow2.refblock.aligned", "qcow2.check.refblock-aligned"],
        },
      ],
    }),
  ],
);
