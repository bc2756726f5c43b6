/** Cases of what the formats share: probing, backing files, names. */

import { utf8 } from "../../../src/bytes/mod.ts";
import type { RawModel } from "../../../src/raw/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { bytes, cut, overwrite } from "../edit.ts";
import { emptyHeader } from "../luks1/empty_header.ts";
import { modelOf as qcow1 } from "../qcow1/models.ts";
import { data, filled, small } from "../qcow2/models.ts";

const { pair, field } = casesOf(small());

const SIZE = 65536;
const LUKS_VERSION = 7;
/** The length of the header and its key slots, plus a sector. */
const LUKS_FILE = 2057 * 512;

function zeros(size: number): RawModel {
  return { format: "raw", size, pattern: { kind: "zero", seed: 0 } };
}

/** A Parallels image with an empty disk: its magic, its version, heads, cylinders and tracks. */
const parallels = [...utf8("WithoutFreeSpace"), 2, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 63];
const PARALLELS_VERSION = 16;

/** What is left of the first cluster of an image, or of its refcount table. */
const gone = new Array<number>(2 ** small().clusterBits).fill(0);

/** Version 1, of one cluster. */
const old = qcow1({
  size: 4096n,
  clusters: [{ index: 0, kind: "data", pattern: { kind: "text", seed: 1 } }],
});

const probing: readonly Case[] = [
  pair("blk.probe.nonempty", {
    shows: "the file is empty; one byte long, it is a raw image",
    base: zeros(0),
    kept: { base: zeros(1) },
    probed: true,
  }),
  field("blk.probe.version", "/header/version", {
    base: small({ version: 2, headerLength: 72 }),
    bad: 0,
    good: 2,
    probed: true,
  }),
  pair("blk.probe.luks-version", {
    shows: "the version after the LUKS magic is 2, not 1",
    base: zeros(LUKS_FILE),
    breaks: [overwrite(0, emptyHeader), overwrite(LUKS_VERSION, [2])],
    keeps: [overwrite(0, emptyHeader)],
    leaves: ["luks.open.key-present", "luks.slot.any-enabled"],
    probed: true,
  }),
  pair("blk.probe.remains", {
    shows:
      "the first cluster is zeros, and the refcount table is there; without it, the file is raw",
    base: small({ clusters: [data(0)] }),
    breaks: [overwrite(0, gone)],
    keeps: [overwrite(0, gone), overwrite(gone.length, gone)],
    probed: true,
  }),
  pair("blk.probe.foreign", {
    shows: "the file starts with the header of a Parallels image; of version 3, it is raw",
    base: zeros(SIZE),
    breaks: [overwrite(0, parallels)],
    keeps: [overwrite(0, parallels), overwrite(PARALLELS_VERSION, [3])],
    probed: true,
  }),
  pair("blk.io.past-eof", {
    shows: "the file ends one byte before the end of a data cluster, not with it",
    base: old,
    breaks: [cut("/data[0]", 4095)],
    keeps: [cut("/data[0]", 4096)],
    leaves: ["qcow1.check.unsupported"],
    probed: true,
  }),
];

const base = { base: filled(SIZE) };
const JSON_NAME = 'json:{"file":{"driver":"file","filename":"base"}}';
const backed = small({ backing: { name: "base", format: "raw" }, clusters: [data(0)] });
const OURS = {
  not: {
    questions: ["info", "read", "check", "content", "write"],
    because: "qemu follows names wherever they lead",
  },
} as const;
const DECODED = {
  not: {
    questions: ["info", "read", "check", "content", "write"],
    because: "qemu decodes the format",
  },
} as const;

const backing: readonly Case[] = [
  pair("blk.backing.driver-known", {
    shows: "the backing format is rax, not raw",
    base: backed,
    breaks: [bytes("/extension[0]/data", "rax")],
    files: base,
  }),
  pair("blk.backing.driver-usable", {
    shows: "the backing format is nbd, which opens no file, not raw",
    base: backed,
    breaks: [bytes("/extension[0]/data", "nbd")],
    files: base,
  }),
  pair("blk.backing.protocol-known", {
    shows: "the backing file is called bas:, and QEMU knows no protocol bas",
    base: backed,
    breaks: [bytes("/backing_name", "bas:")],
    files: { ...base, "bas:": base.base },
  }),
  pair("blk.backing.json-valid", {
    shows: "the JSON object of the backing file name ends with a bracket, not with a brace",
    base: small({ backing: { name: JSON_NAME, format: "raw" }, clusters: [data(0)] }),
    breaks: [bytes("/backing_name", "]", JSON_NAME.length - 1)],
    files: base,
  }),
  pair("blk.backing.opens", {
    shows: "the backing file is called basf, which does not exist, not base",
    base: backed,
    breaks: [bytes("/backing_name", "basf")],
    files: base,
  }),
  pair("blk.backing.opens", {
    shows: "the backing file is a raw file, but the image says that it is qcow2",
    base: small({ backing: { name: "base", format: "qcow2" }, clusters: [data(0)] }),
    kept: { base: backed },
    files: base,
  }),
  pair("blk.backing.no-loop", {
    shows: "the backing file is the image itself, not the file imagf",
    happened: "readers followed the name without end, until the stack or the memory was used up",
    flags: ["loop", "security"],
    base: small({ backing: { name: "image" }, clusters: [data(0)] }),
    keeps: [bytes("/backing_name", "imagf")],
    files: { imagf: base.base },
    live: {
      not: {
        questions: ["read", "check", "content", "write"],
        because: "qemu opens the image again and again until it runs out of something",
      },
    },
  }),
  pair("blk.backing.no-loop", {
    shows: "the backing file is the image itself as qcow2, not as a raw file",
    base: small({ backing: { name: "image", format: "qcow2" }, clusters: [data(0)] }),
    kept: { base: small({ backing: { name: "image", format: "raw" }, clusters: [data(0)] }) },
    leaves: ["blk.backing.short"],
    files: base,
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
  pair("blk.backing.not-followed", {
    shows: "the backing file is outside the folder of the image",
    base: small({ backing: { name: "/dev/null", format: "raw" }, clusters: [data(0)] }),
    keeps: [bytes("/backing_name", "base-file")],
    files: { "base-file": base.base },
    live: OURS,
  }),
  pair("blk.backing.foreign", {
    shows: "the backing file, whose format is not recorded, is called base.dmg, not base.img",
    base: small({ backing: { name: "base.img" }, clusters: [data(0)] }),
    breaks: [bytes("/backing_name", "base.dmg")],
    files: { "base.img": base.base, "base.dmg": base.base },
    live: DECODED,
  }),
  pair("blk.backing.foreign", {
    shows: "the backing format is vpc, not raw",
    base: backed,
    breaks: [bytes("/extension[0]/data", "vpc")],
    files: base,
    live: DECODED,
  }),
  pair("blk.datafile.not-followed", {
    shows: "the data file is outside the folder of the image",
    base: small({ dataFile: { name: "data-file", raw: false }, clusters: [] }),
    breaks: [bytes("/extension[0]/data", "/dev/null")],
    live: OURS,
  }),
];

const names: readonly Case[] = [
  pair("blk.name.nul", {
    shows: "the backing file name ends with a NUL byte, not with a letter",
    base: small({ backing: { name: "base!" }, clusters: [data(0)] }),
    breaks: [bytes("/backing_name", [0], 4)],
    files: { ...base, "base!": base.base },
  }),
];

/** The cases of rules of the block layer. */
export const blockCases: readonly Case[] = [...probing, ...backing, ...names];
