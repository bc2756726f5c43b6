import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat, MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { decode, encode } from "../../src/layout/mod.ts";
import { foreignFormats } from "../../src/formats.ts";
import { judgeImage, openDetachedBytes, openFiles, openImage, probe } from "../../src/image/mod.ts";
import { QemuImgPeer, runTool } from "../../src/peers/mod.ts";
import { emptyHeader } from "../../corpus/cases/luks1/empty_header.ts";
import { overlayBytes } from "../image/overlays.ts";
import { liveTest, QEMU } from "../live.ts";
import { make } from "../peers/tools.ts";

/** Formats whose images qemu-img makes. */
const MADE = ["vmdk", "vdi", "vpc", "vhdx", "qed", "parallels"];

/** The start of a file of 4 KiB: values at offsets, little-endian where they are numbers. */
function start(values: Readonly<Record<number, string | number | bigint>>): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(values)) {
    const at = Number(offset);
    if (typeof value === "string") bytes.set(utf8(value), at);
    else if (typeof value === "number") view.setUint32(at, value, true);
    else view.setBigUint64(at, value, true);
  }
  return bytes;
}

const BOCHS = { 0: "Bochs Virtual HD Image", 32: "Redolog", 48: "Growing", 64: 0x20000 };
const CLOOP =
  "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n";
const VDI = 0xbeda107f;

/** An empty disk: header, catalog, bitmap and extent sizes, and the size of the disk. */
const bochs = start({ ...BOCHS, 68: 512, 72: 1, 76: 1, 80: 4096, 88: 4096n });
/** No blocks, of 512 bytes (big-endian). */
const cloop = start({ 0: CLOOP, 128: 0x20000 });

for (const format of [...MADE, "bochs", "cloop"]) {
  liveTest(
    { needs: QEMU },
    `an image of ${format} is recognised as qemu-img recognises it, and not judged`,
    async (directory) => {
      if (format === "bochs") Deno.writeFileSync(`${directory}/image`, bochs);
      else if (format === "cloop") Deno.writeFileSync(`${directory}/image`, cloop);
      else await make(directory, "qemu-img", "create", "-q", "-f", format, "image", "64k");
      const theirs = await new QemuImgPeer().probe({ path: "image", directory });
      assertEquals(theirs, { outcome: "accepted", value: { format } });
      const judgement = judged(directory, "image");
      assertEquals(judgement.format, format);
      assertEquals(judgement.qemu, { open: "unknown", read: "unknown", check: null });
      assertEquals(judgement.spec.verdict, "unknown");
      assertEquals(judgement.findings.map(({ rule }) => rule), ["blk.probe.foreign"]);
      const raw = judged(directory, "image", "raw");
      assertEquals([raw.format, raw.qemu.open, raw.findings], ["raw", "accept", []]);
      const overlay = overlayBytes({ backing: { name: "image" } });
      Deno.writeFileSync(`${directory}/overlay`, overlay);
      const above = judged(directory, "overlay");
      assertEquals([above.qemu.open, above.qemu.read], ["unknown", "unknown"]);
      assertEquals(above.findings.map(({ rule }) => rule), ["blk.backing.foreign"]);
    },
  );
}

function judged(directory: string, path: string, format?: string) {
  const image = openImage(path, { directory, ...(format === undefined ? {} : { format }) });
  try {
    return judgeImage(image);
  } finally {
    image.close();
  }
}

/** Names of files and how they start. Of those that are not raw, qemu-img opens none. */
const STARTS: readonly (readonly [name: string, bytes: Uint8Array, format: string])[] = [
  ...[
    "version=1\n",
    "version=3\r\n",
    "# a comment\nversion=2\n",
    "#\n  \n   \r\nversion=1\r\n",
    `#${"x".repeat(500)}\nversion=1\n`,
    "KDMV",
    "COWD",
  ].map((text) => ["image", start({ 0: text }), "vmdk"] as const),
  ...[
    "version=4\n",
    "version=1",
    "version=1 \n",
    "\nversion=1\n",
    "# a comment\n\nversion=1\n",
    " version=1\n",
    "  \r\r\nversion=1\n",
    "#",
    `#${"x".repeat(501)}\nversion=1\n`,
    "KDM",
    "conectiX",
    "vhdxfilE",
    "QED ",
    CLOOP.slice(0, -1),
  ].map((text) => ["image", start({ 0: text }), "raw"] as const),
  ["image", start({ ...BOCHS, 64: 0x30000 }), "raw"],
  ["image", start({ ...BOCHS, 48: "Growing." }), "raw"],
  ["image", start({ 0: "WithoutFreeSpace", 16: 3 }), "raw"],
  ["image", start({ 60: VDI }), "raw"],
  ["x.dmg", start({}), "dmg"],
  ["x.dmg", start({ 0: CLOOP }), "dmg"],
  ["dmg", start({}), "raw"],
  [".dmg", start({}), "raw"],
  ["x.DMG", start({}), "raw"],
  ["x.dmg", new Uint8Array(0), "raw"],
];

liveTest(
  { needs: QEMU },
  `${STARTS.length} starts of files are raw where qemu-img treats them as raw, and otherwise foreign`,
  async (directory) => {
    for (const [name, bytes, format] of STARTS) {
      Deno.writeFileSync(`${directory}/${name}`, bytes);
      const theirs = await new QemuImgPeer().probe({ path: name, directory });
      const isRaw = theirs.outcome === "accepted" && theirs.value.format === "raw";
      const text = `${name}: ${new TextDecoder().decode(bytes.subarray(0, 64))}`;
      assertEquals(isRaw, format === "raw", text);
      assertEquals(probe(new MemorySource(bytes), { name }).name, format, text);
    }
  },
);

/** Files that two formats recognise with the same score, and what qemu-img then says. */
const TIES: readonly (readonly [Uint8Array, string, RegExp])[] = [
  [start({ 0: "QED", 64: VDI }), "qed", /QED|qed|Invalid argument/],
  [start({ 0: "WithoutFreeSpace", 16: 2, 64: VDI }), "parallels", /sectors per track/],
  [start({ 0: "KDMV", 64: VDI }), "vdi", /VDI/],
  [start({ 0: "conectix", 64: VDI }), "vdi", /VDI/],
  [start({ 0: "vhdxfile", 64: VDI }), "vdi", /VDI/],
  [concat(overlayBytes({}).subarray(0, 64), start({ 0: VDI })), "vdi", /VDI/],
  [concat(emptyHeader.subarray(0, 64), start({ 0: VDI })), "vdi", /VDI/],
];

liveTest(
  { needs: QEMU },
  "where two formats recognise a file, QEMU's order decides",
  async (directory) => {
    for (const [bytes, format, says] of TIES) {
      Deno.writeFileSync(`${directory}/image`, bytes);
      const { stderr } = await runTool(["qemu-img", "info", "image"], { directory });
      assertMatch(stderr, says);
      assertEquals(probe(new MemorySource(bytes)).name, format, stderr);
    }
  },
);

Deno.test("a qcow2 image whose name ends in .dmg is qcow2", () => {
  const image = openFiles(new Map([["x.dmg", new MemorySource(overlayBytes({}))]]));
  assertEquals(image.format, "qcow2");
});

Deno.test("what is unknown about a backing file is unknown about the images above it", () => {
  const files = new Map([
    ["top", overlayBytes({ backing: { name: "middle", format: "qcow2" } })],
    ["middle", overlayBytes({ backing: { name: "base" } })],
    ["base", start({ 0: "KDMV" })],
  ]);
  const image = openFiles(new Map([...files].map(([name, b]) => [name, new MemorySource(b)])));
  const { qemu, findings } = judgeImage(image);
  assertEquals([qemu.open, qemu.read], ["unknown", "unknown"]);
  assertEquals(findings.map(({ rule }) => rule), ["blk.backing.foreign"]);
  assertStringIncludes(findings[0]?.message ?? "", "'base' is not opened: it is a VMDK image");
});

Deno.test("an image that is rejected itself is rejected whatever its backing file is", () => {
  const bytes = overlayBytes({ backing: { name: "base", format: "nothing" } });
  const files = new Map([
    ["top", new MemorySource(overlayBytes({ backing: { name: "middle", format: "qcow2" } }))],
    ["middle", new MemorySource(bytes)],
    ["base", new MemorySource(start({ 0: "KDMV" }))],
  ]);
  const { qemu } = judgeImage(openFiles(files));
  assertEquals([qemu.open, qemu.read], ["reject", "error"]);
});

Deno.test("a cluster that cannot be read is an error whatever the backing file is", () => {
  const cluster = { index: 0, kind: "data", pattern: { kind: "fill", seed: 1 } } as const;
  const bytes = overlayBytes({ clusterBits: 12, backing: { name: "base" }, clusters: [cluster] });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const l1 = Number(view.getBigUint64(40));
  const l2 = Number(view.getBigUint64(l1) & 0xffffffffffff00n);
  view.setBigUint64(l2, view.getBigUint64(l2) + 0x200n);
  const files = new Map([
    ["top", new MemorySource(bytes)],
    ["base", new MemorySource(start({ 0: "KDMV" }))],
  ]);
  const { qemu } = judgeImage(openFiles(files));
  assertEquals([qemu.open, qemu.read], ["unknown", "error"]);
});

Deno.test("a foreign image as the payload of a detached header is unknown", () => {
  const payload = new MemorySource(start({ 0: "KDMV" }));
  const image = openDetachedBytes(payload, new MemorySource(emptyHeader));
  const { findings } = judgeImage(image);
  const found = findings.find(({ rule }) => rule === "blk.probe.foreign");
  assertEquals(found?.path, "/payload");
  assertEquals(image.layer, undefined);
});

Deno.test("the structures of foreign formats encode as they decode, and no foreign format is in the list", () => {
  assert(foreignFormats.length > 8);
  for (const { structures, tools, foreign } of foreignFormats) {
    assertEquals([tools, foreign], [["qemu-img"], true]);
    for (const description of structures) {
      const bytes = Uint8Array.from({ length: description.size }, (_, at) => at * 5 + 1);
      assertEquals(encode(description, decode(description, bytes)), bytes);
    }
  }
});
