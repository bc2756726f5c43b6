/** Rows for what holds of every format: probing, backing files, names. */

import { modelOf as qcow1 } from "../qcow1/images.ts";
import { luksHeader } from "./luks_header.ts";
import { bytes, data, field, row, type RuleRow, small } from "./row.ts";

const SIZE = 65536;
const raw = (size: number) =>
  ({ format: "raw", size, pattern: { kind: "zero", seed: 0 } }) as const;
const luks = { op: "bytes", skip: 0, bytes: luksHeader } as const;
const LUKS_VERSION = 7;
/** As long as the header and its key slots, and a sector. */
const LUKS_FILE = 2057 * 512;
/** Version 1, of one cluster. */
const old = qcow1({
  size: 4096n,
  clusters: [{ index: 0, kind: "data", pattern: { kind: "text", seed: 1 } }],
});

const probing: readonly RuleRow[] = [
  row("blk.probe.nonempty", {
    about: "the file is empty, not of one byte",
    base: raw(0),
    breaks: [],
    kept: raw(1),
    probed: true,
  }),
  field("blk.probe.version", "/header/version", {
    base: small({ version: 2, headerLength: 72 }),
    bad: 0,
    good: 2,
    probed: true,
  }),
  row("blk.probe.luks-version", {
    about: "the version behind the LUKS magic is 2, not 1",
    base: raw(LUKS_FILE),
    breaks: [luks, { op: "bytes", skip: LUKS_VERSION, bytes: Uint8Array.of(2) }],
    keeps: [luks],
    leaves: ["luks.open.key-present", "luks.slot.any-enabled"],
    probed: true,
  }),
  row("blk.io.past-eof", {
    about: "the last of a cluster's bytes is missing, not the one behind it",
    base: old,
    breaks: [{ op: "cut", at: "/data[0]", delta: 4095 }],
    keeps: [{ op: "cut", at: "/data[0]", delta: 4096 }],
    leaves: ["qcow1.check.unsupported"],
    probed: true,
  }),
];

const base = { base: new Uint8Array(SIZE).fill(7) };
const backed = small({ backing: { name: "base", format: "raw" }, clusters: [data(0)] });
const OURS = {
  not: {
    questions: ["info", "read", "check", "content", "write"],
    because: "qemu follows names wherever they lead",
  },
} as const;

const backing: readonly RuleRow[] = [
  row("blk.backing.driver-known", {
    about: "the backing format is rax, not raw",
    base: backed,
    breaks: [bytes("/extension[0]/data", "rax")],
    files: base,
  }),
  row("blk.backing.opens", {
    about: "the backing file is named basf, which is not there, not base",
    base: backed,
    breaks: [bytes("/backing_name", "basf")],
    files: base,
  }),
  row("blk.backing.opens", {
    about: "the backing file is no qcow2 image, though it is said to be",
    base: small({ backing: { name: "base", format: "qcow2" }, clusters: [data(0)] }),
    breaks: [],
    kept: backed,
    files: base,
  }),
  row("blk.backing.no-loop", {
    about: "the backing file is the image itself, not the file imagf",
    base: small({ backing: { name: "image" }, clusters: [data(0)] }),
    breaks: [],
    keeps: [bytes("/backing_name", "imagf")],
    files: { imagf: base.base },
    live: {
      not: {
        questions: ["read", "check", "content", "write"],
        because: "qemu opens the image again and again until it runs out of something",
      },
    },
  }),
  field("blk.backing.short", "/header/size", {
    base: backed,
    bad: SIZE + 512,
    good: SIZE,
    files: base,
  }),
  row("blk.backing.not-followed", {
    about: "the backing file lies outside the folder of the image",
    base: small({ backing: { name: "/dev/null", format: "raw" }, clusters: [data(0)] }),
    breaks: [],
    keeps: [bytes("/backing_name", "base-file")],
    files: { "base-file": base.base },
    live: OURS,
  }),
  row("blk.datafile.not-followed", {
    about: "the data file lies outside the folder of the image",
    base: small({ dataFile: { name: "data-file", raw: false }, clusters: [] }),
    breaks: [bytes("/extension[0]/data", "/dev/null")],
    live: OURS,
  }),
];

const names: readonly RuleRow[] = [
  row("blk.name.nul", {
    about: "the backing file name ends with NUL, not with another character",
    base: small({ backing: { name: "base!" }, clusters: [data(0)] }),
    breaks: [bytes("/backing_name", [0], 4)],
    files: { ...base, "base!": base.base },
  }),
];

export const blockRows: readonly RuleRow[] = [...probing, ...backing, ...names];
