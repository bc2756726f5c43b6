import { struct, u16, u32, u64 } from "../../layout/mod.ts";
import { l1Entry } from "./entries.ts";
import { L1_BYTES_MAX, TABLE_END_MAX } from "./header.ts";

/** The defined extra data of a snapshot. */
export const snapshotExtra = struct(
  "qcow2.snapshot_extra",
  { section: "qcow2.txt, Snapshots", size: 24 },
  [
    u64("vm_state_size_large", { doc: "Length of the VM state.", unit: "bytes" }),
    u64("disk_size", { doc: "Virtual disk size of the snapshot.", unit: "bytes" }),
    u64("icount", { doc: "Instruction count, or all ones." }),
  ],
);

/** The fixed part of a snapshot table entry; extra data, id and name follow it. */
export const snapshotHead = struct(
  "qcow2.snapshot",
  { section: "qcow2.txt, Snapshots", size: 40 },
  [
    u64("l1_table_offset", {
      doc: "Offset of the snapshot's L1 table.",
      unit: "bytes",
      pointsTo: "qcow2.l1_entry",
      constraints: [
        {
          multipleOf: "cluster size",
          rule: ["qcow2.snap.l1-valid", "qcow2.check.snap-l1-aligned"],
        },
        { region: "L1 table", longest: L1_BYTES_MAX, rule: "qcow2.snap.l1-valid" },
        { region: "L1 table", endsBy: TABLE_END_MAX, rule: "qcow2.snap.l1-valid" },
      ],
    }),
    u32("l1_size", {
      doc: "Length of the snapshot's L1 table.",
      unit: "entries",
      constraints: [{ max: L1_BYTES_MAX, each: l1Entry.size, rule: "qcow2.check.snap-l1-size" }],
    }),
    u16("id_str_size", {
      doc: "Length of the id.",
      unit: "bytes",
      constraints: [{ max: 127, rule: "qcow2.snap.id-length" }],
    }),
    u16("name_size", {
      doc: "Length of the name.",
      unit: "bytes",
      constraints: [{ max: 255, rule: "qcow2.snap.id-length" }],
    }),
    u32("date_sec", { doc: "Time of the snapshot since the Epoch.", unit: "seconds" }),
    u32("date_nsec", { doc: "Subsecond part of the time of the snapshot.", unit: "nanoseconds" }),
    u64("vm_clock_nsec", {
      doc: "Time for which the guest had been running.",
      unit: "nanoseconds",
    }),
    u32("vm_state_size", { doc: "Length of the VM state.", unit: "bytes" }),
    u32("extra_data_size", {
      doc: "Length of the extra data.",
      unit: "bytes",
      constraints: [
        { max: 1024, rule: ["qcow2.snap.extra-max", "qcow2.check.snap-extra"] },
        {
          // Up to the end of the disk size.
          min: snapshotExtra.offsets.icount,
          when: "in version 3",
          rule: ["qcow2.snap.extra-min-v3", "qcow2.check.snap-incomplete"],
        },
      ],
    }),
  ],
);
