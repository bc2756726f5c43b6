import { type Segment, SegmentSource, utf8 } from "../../bytes/mod.ts";
import { type Pattern, patternBytes } from "../../format/mod.ts";
import { createLuks1, luks1Format } from "../../luks1/mod.ts";
import { buildQcow1, type Qcow1Model } from "../../qcow1/mod.ts";
import { buildQcow2, plainQcow2 } from "../../qcow2/build/mod.ts";
import type { GuestCluster, Qcow2Model } from "../../qcow2/mod.ts";
import type { DigestScope, Operation, Subject } from "../../peers/mod.ts";

/** An image that an adapter is asked about. */
export interface ExampleImage {
  /** The name of its file, and what it is. */
  readonly name: string;
  readonly what: string;
  readonly files: Readonly<Record<string, BuiltFile>>;
  readonly subject: Subject;
  /** Questions other than the usual ones. */
  readonly more?: readonly { readonly operation: Operation; readonly scope?: DigestScope }[];
  /** Only these operations. */
  readonly only?: readonly Operation[];
}

interface BuiltFile {
  readonly size: number;
  readonly segments: readonly Segment[];
}

const PASSPHRASE = "correct horse";
const v3: Qcow2Model = {
  ...plainQcow2,
  size: 1048576n,
  featureTable: true,
  clusters: [data(0), data(3), { index: 5, kind: "zero" }, data(15)],
};

const qcow1: Qcow1Model = {
  format: "qcow",
  clusterBits: 12,
  l2Bits: 9,
  size: 1048576n,
  mtime: 0,
  padding: 0,
  clusters: [{ index: 0, kind: "data", pattern: noise(0) }],
  placement: { seed: 0, holes: [], l1Skew: 0, l2Skews: [0], clusterSkews: [0], cutTail: false },
};

function noise(seed: number): Pattern {
  return { kind: "noise", seed };
}

function data(index: number): GuestCluster {
  return { index, kind: "data", pattern: noise(index) };
}

function compressed(index: number): GuestCluster {
  return { index, kind: "compressed", pattern: { kind: "text", seed: index }, level: 6, gap: 0 };
}

function qcow2File(model: Qcow2Model): BuiltFile {
  return buildQcow2(model).image;
}

function fileOf(bytes: Uint8Array): BuiltFile {
  return { size: bytes.length, segments: [{ offset: 0, bytes }] };
}

/** A valid image with one byte of its header changed. */
function changed(at: number, xor: number): BuiltFile {
  const { size, segments } = qcow2File(v3);
  const bytes = new SegmentSource(segments, size).read(0, size).slice();
  bytes[at] = (bytes[at] ?? 0) ^ xor;
  return fileOf(bytes);
}

function luksFile(): BuiltFile {
  const { header } = createLuks1({
    ...{ cipher: "aes", keyBytes: 32, mode: "xts", ivGenerator: "plain64", hash: "sha256" },
    ...{ passphrase: utf8(PASSPHRASE), iterations: 1000, uuid: UUID },
    random: (length) => patternBytes({ kind: "noise", seed: length }, length),
  });
  const payload = patternBytes(noise(7), 65536);
  return {
    size: header.length + payload.length,
    segments: [{ offset: 0, bytes: header }, { offset: header.length, bytes: payload }],
  };
}

const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";
/** The last byte of `l1_table_offset`, and the first one of `incompatible_features`. */
const L1_OFFSET_END = 47;
const INCOMPATIBLE_START = 72;
/** A size that no 64-bit floating-point number but a multiple of 32 is near to. */
const HUGE = 2n ** 57n + 512n;
const CUT_AT = 30;

/** The images, from the simplest one. */
export function exampleImages(): ExampleImage[] {
  const image = (
    name: string,
    what: string,
    file: BuiltFile,
    more: Partial<ExampleImage> = {},
  ): ExampleImage => ({ name, what, subject: { path: name }, ...more, files: { [name]: file } });
  const overlay = { ...v3, clusters: [data(1)], backing: { name: "base.qcow2", format: "qcow2" } };
  const snapshot = {
    ...{ id: "1", name: "before", extraSize: 24, size: Number(v3.size), dateSec: 0 },
    ...{ vmClockNsec: 0, icount: 0n, clusters: [data(0)], shared: [], vmState: [] },
  };
  return [
    image("v2.qcow2", "qcow2 version 2", qcow2File({ ...v3, ...V2, clusters: [data(0), data(9)] })),
    image("v3.qcow2", "qcow2 version 3, with a cluster of zeros", qcow2File(v3), {
      more: [{ operation: "digest", scope: { range: { start: 196608, length: 1024 } } }],
    }),
    image("compressed.qcow2", "compressed clusters", qcow2File(packed("deflate"))),
    image("zstd.qcow2", "clusters compressed with zstd", qcow2File(packed("zstd"))),
    {
      name: "overlay.qcow2",
      what: "a backing file beside the image",
      files: { "overlay.qcow2": qcow2File(overlay), "base.qcow2": qcow2File(v3) },
      subject: { path: "overlay.qcow2" },
    },
    image(
      "snapshot.qcow2",
      "an internal snapshot",
      qcow2File({ ...v3, clusters: [data(2)], snapshots: [snapshot] }),
      { more: [{ operation: "digest", scope: { snapshot: "before" } }] },
    ),
    image("huge.qcow2", "a virtual size above 2^53", qcow2File(huge()), {
      only: ["probe", "info"],
      more: [{ operation: "digest", scope: { range: { start: 2 ** 57, length: 512 } } }],
    }),
    image("old.qcow", "qcow version 1", buildQcow1(qcow1)),
    image("volume.luks", "a LUKS volume, with its passphrase", luksFile(), {
      subject: { path: "volume.luks", format: luks1Format.name, passphrases: [PASSPHRASE] },
      more: [{ operation: "unlock" }],
    }),
    image("misaligned.qcow2", "a misaligned L1 table: invalid", changed(L1_OFFSET_END, 1)),
    image("future.qcow2", "an unknown incompatible feature", changed(INCOMPATIBLE_START, 0x40)),
    image("cut.qcow2", "a header that is cut off: invalid", cut()),
  ];
}

const V2 = { version: 2, headerLength: 72, featureTable: false } as const;

function packed(compression: "deflate" | "zstd"): Qcow2Model {
  return { ...v3, compression, clusters: [compressed(0), compressed(1), data(4)] };
}

function huge(): Qcow2Model {
  return { ...v3, clusterBits: 21, size: HUGE, clusters: [data(0)] };
}

function cut(): BuiltFile {
  const { size, segments } = qcow2File(v3);
  return fileOf(new SegmentSource(segments, size).read(0, CUT_AT).slice());
}

/** Writes the files of an image into a directory. */
export function writeExample({ files }: ExampleImage, directory: string): void {
  for (const [name, { size, segments }] of Object.entries(files)) {
    using file = Deno.openSync(`${directory}/${name}`, { write: true, create: true });
    for (const { offset, bytes } of segments) {
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    }
    file.truncateSync(size);
  }
}
