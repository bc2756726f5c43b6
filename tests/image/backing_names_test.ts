import { assert, assertEquals } from "@std/assert";
import { judgeImage, type Judgement, openImage } from "../../src/image/mod.ts";
import { digestFile, runTool } from "../../src/peers/mod.ts";
import { diskproof } from "../cli/program.ts";
import { liveTest, QEMU } from "../live.ts";
import { make } from "../peers/tools.ts";
import { overlayBytes } from "./overlays.ts";

const SIZE = 65536;
const IMAGE = "overlay";
const CONTENT = "content";

/** A backing file name, and the format that the image names for it, where it names one. */
type Name = string | readonly [name: string, format: string];

/** Names that QEMU opens, and so do we. */
const ACCEPTED: readonly Name[] = [
  ...["raw.img", "./raw.img", "sub/raw.img", "x.qcow2", "file:raw.img", "file:./raw.img"],
  ...["file:sub/raw.img", "file:co:lon.img", "./co:lon.img", "file:file:/inside", "./file:/inside"],
  ...["nbd", ".dmg.img", "y.dmg", "x.DMG"],
  'json:{"driver":"file","filename":"raw.img"}',
  'json:{"driver":"file","filename":"co:lon.img"}',
  'json:{"driver":"raw","file":{"filename":"raw.img"}}',
  'json:{"driver":"raw","file":{"driver":"file","filename":"raw.img"}}',
  'json:{"driver":"raw","file.filename":"raw.img"}',
  'json:{"driver":"raw","file.driver":"file","file.filename":"raw.img"}',
  'json:{"driver":"raw","file":{"driver":"file"},"file.filename":"raw.img"}',
  'json:{"file.filename":"raw.img"}',
  'json:{"file.filename":"x.qcow2"}',
  'json:{"file.filename":"x.dmg"}',
  'json:{"file":{"driver":"raw","file":{"filename":"x.qcow2"}}}',
  'json:{"driver":"qcow","file.filename":"x.qcow"}',
  'json:{"driver":"qcow2","file":{"driver":"file","filename":"x.qcow2"}}',
  'json:{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"x.qcow2"}}}',
  'json:{"driver":"qcow2","file.filename":"overlaid","backing":null}',
  'json:{"driver":"qcow2","file.filename":"overlaid","backing":""}',
  'json:{"driver":"qcow2","file.filename":"sub/overlaid"}',
  'json:{"driver":"raw","file.filename":"raw.img","backing":null}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":512,"size":1024}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":"512","size":"1024"}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":100}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":65536}',
  'json:{"driver":"raw","file.filename":"raw.img","size":0}',
  'json:{"driver":"raw","offset":512,"file":{"driver":"raw","offset":1024,"file.filename":"raw.img"}}',
  'json:{"driver":"qcow2","file":{"driver":"raw","offset":512,"file.filename":"shifted"}}',
  "json:{'driver':'raw','file.filename':'raw.img'}",
  'json: {"driver" :\t"raw","file.filename":"raw.img"} ',
  'json:{"driver":"raw","file.filename":"\\u0072\\u0061w\\u002eimg"}',
  'json:{"driver":"raw","file.filename":"sub\\/raw.img"}',
  ["raw.img", "raw"],
  ["x.qcow2", "raw"],
  ["x.dmg", "raw"],
  ["raw.img", "file"],
  ["x.qcow2", "file"],
  ["co:lon.img", "file"],
  ["file:raw.img", "file"],
  ["file:co:lon.img", "raw"],
  ["x.qcow2", "blkdebug"],
  ["file:raw.img", "blkdebug"],
  ["x.qcow2", "preallocate"],
  ['json:{"driver":"qcow2","file.filename":"x.qcow2"}', "raw"],
  ['json:{"filename":"raw.img"}', "file"],
  ['json:{"file.filename":"x.qcow2"}', "qcow2"],
];

/** Names that QEMU rejects, whatever files exist. */
const REJECTED: readonly Name[] = [
  ...["missing", "no/folder/raw.img", "raw.img/below", "sub", "file:missing", "file:", "file:raw:"],
  ...["file:file:raw.img", "co:lon.img", ":raw.img", "File:raw.img", "raw:raw.img", "Json:{}"],
  ...["quorum:", "vvfat:sub", "preallocate:raw.img", "nbd+ssh://localhost", "a".repeat(300)],
  ...["json:", "json:{", "json:{}", "json:[]", "json:5", "json:nul", "json:{}{}"],
  'json:{"driver":"file"}',
  'json:{"driver":"file","filename":""}',
  'json:{"driver":"file","filename":"file:raw.img"}',
  'json:{"driver":"raw"}',
  'json:{"driver":"raw","file":{}}',
  'json:{"driver":"raw","file":null}',
  'json:{"driver":"raw","filename":"raw.img"}',
  'json:{"driver":"raw","file.filename":"file:raw.img"}',
  'json:{"driver":"raw","file.filename":"json:{}"}',
  'json:{"driver":"raw","file.filename":"missing"}',
  'json:{"filename":"raw.img"}',
  'json:{"file":{"file":{"filename":"raw.img"}}}',
  'json:{"driver":"qcow2","file.filename":"raw.img"}',
  'json:{"driver":"none","file.filename":"raw.img"}',
  'json:{"driver":"luks2","file.filename":"raw.img"}',
  'json:{"driver":"raw","file.filename":"raw.img","size":100}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":70000}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":512,"size":65536}',
  'json:{"driver":"raw","file.filename":"raw.img"} x',
  'json:{"driver":"raw","driver":"raw","file.filename":"raw.img"}',
  'json:{"driver":"raw","file.filename":"raw.img",}',
  'json:{"driver":"raw","file.filename":"raw.img","offset":01}',
  'json:{"driver":"raw","file.filename":"r\\aw.img"}',
  'json:{"driver":"raw","file.filename":"\\ud800"}',
  'json:{"driver":"raw","file.filename":"raw.img\t"}',
  ["raw.img", "qcow2"],
  ["raw.img", "luks2"],
  ["raw.img", "qcow1"],
  ["raw.img", "Raw"],
  ["co:lon.img", "raw"],
  ["co:lon.img", "blkdebug"],
  ["nbd:localhost:1", "file"],
  ["nbd:localhost:1", "rax"],
  ["missing", "vmdk"],
  ["raw.img", "host_device"],
  ["raw.img", "host_cdrom"],
  ['json:{"filename":"raw.img"}', "raw"],
  ...["blkverify", "compress", "copy-before-write", "copy-on-read", "http", "nbd", "null-co"]
    .map((format): Name => ["raw.img", format]),
  ...["quorum", "replication", "throttle", "vvfat"].map((format): Name => ["raw.img", format]),
  ...["nbd", "null-co"].map((format): Name => ["file:raw.img", format]),
];

/** Names that lead QEMU to what we do not look at. */
const UNKNOWN: readonly Name[] = [
  ...["/dev/null", "../outside.img", "nbd:localhost:1", "fat:sub", "null-co://", "null-co:x"],
  ...["blkdebug::raw.img", "host_device:/dev/null", "http://localhost:1/x", "x.dmg"],
  'json:{"driver":"null-co","size":65536}',
  'json:{"driver":"raw","file":{"driver":"nbd"}}',
  'json:{"driver":"raw","file":{"driver":"null-co","size":65536}}',
  'json:{"driver":"raw","file":{"driver":"qcow2","file":{"driver":"file","filename":"x.qcow2"}}}',
  'json:{"driver":"raw","file":"raw.img"}',
  'json:{"driver":"raw","file.filename":"raw.img","unheard-of":1}',
  'json:{"driver":"raw","file.filename":"raw.img","read-only":true}',
  'json:{"driver":"raw","file.filename":"raw.img","size":"1k"}',
  'json:{"driver":"qcow2","file.filename":"x.qcow2","backing":{"driver":"raw","file.filename":"raw.img"}}',
  'json:{"driver":"raw","file.filename":"raw.img","file":{"filename":"x.qcow2"}}',
  'json:{"driver":5,"file.filename":"raw.img"}',
  'json:{"driver":"vmdk","file.filename":"raw.img"}',
  `json:${'{"a":'.repeat(100)}1${"}".repeat(100)}`,
  ["raw.img", "snapshot-access"],
  ["raw.img", "vmdk"],
  ["raw.img", "vpc"],
  ["/dev/null", "host_device"],
  ["null-co://", "null-co"],
  ["fat:sub", "vvfat"],
  ['json:{"driver":"raw","file.filename":"raw.img"}', "nbd"],
];

async function makeFiles(directory: string): Promise<void> {
  const raw = Uint8Array.from({ length: SIZE }, (_, at) => at * 7 + (at >> 9));
  for (const folder of ["sub", "file:"]) Deno.mkdirSync(`${directory}/${folder}`);
  const names = ["raw.img", "sub/raw.img", "file:/inside", "co:lon.img", "nbd", ".dmg.img"];
  for (const name of [...names, "x.dmg", "x.DMG"]) Deno.writeFileSync(`${directory}/${name}`, raw);
  for (const format of ["qcow", "qcow2"]) {
    const convert = ["qemu-img", "convert", "-f", "raw", "-O", format, "raw.img", `x.${format}`];
    await make(directory, ...convert);
  }
  Deno.copyFileSync(`${directory}/x.qcow2`, `${directory}/y.dmg`);
  const overlay = overlayBytes({ size: BigInt(SIZE), backing: { name: "raw.img" } });
  for (const name of ["overlaid", "sub/overlaid"]) {
    Deno.writeFileSync(`${directory}/${name}`, overlay);
  }
  const image = Deno.readFileSync(`${directory}/x.qcow2`);
  const shifted = new Uint8Array(512 + image.length);
  shifted.set(image, 512);
  Deno.writeFileSync(`${directory}/shifted`, shifted);
}

function judged(directory: string): Judgement {
  const image = openImage(IMAGE, { directory, format: "qcow2" });
  try {
    return judgeImage(image, { digestUpTo: SIZE });
  } finally {
    image.close();
  }
}

/** SHA-256 of the content as qemu-img reads it; `undefined` where it does not. */
async function byQemu(directory: string): Promise<string | undefined> {
  const convert = ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", IMAGE, CONTENT];
  const { end } = await runTool(convert, { directory, timeoutMs: 60_000 });
  assert(end.kind === "exited", JSON.stringify(end));
  return end.code === 0 ? digestFile(`${directory}/${CONTENT}`).sha256 : undefined;
}

function writeOverlay(directory: string, of: Name): void {
  const [name, format] = typeof of === "string" ? [of] : of;
  const backing = { name, ...(format === undefined ? {} : { format }) };
  const bytes = overlayBytes({ size: BigInt(SIZE), clusterBits: 12, backing });
  Deno.writeFileSync(`${directory}/${IMAGE}`, bytes);
}

const GROUPS = { accept: ACCEPTED, reject: REJECTED, unknown: UNKNOWN } as const;

for (const [open, names] of Object.entries(GROUPS)) {
  const name = `qemu-img does with ${names.length} backing file names what judge says: ${open}`;
  liveTest({ needs: QEMU }, name, async (directory) => {
    await makeFiles(directory);
    for (const of of names) {
      writeOverlay(directory, of);
      const { qemu, digest, findings } = judged(directory);
      const theirs = await byQemu(directory);
      const text = `${of}: ${findings.map(({ message }) => message)}`;
      assertEquals(qemu.open, open, text);
      if (open === "accept") assertEquals(digest, theirs, text);
      if (open === "reject") assertEquals(theirs, undefined, text);
      if (open === "unknown") {
        assertEquals([qemu.read, digest], ["unknown", null], text);
        assert(findings.some(({ effect }) => effect === "unknown"), text);
      }
    }
  });
}

/** Names of data files, which are paths whatever they look like. */
const DATA_FILES: Readonly<Record<string, "accept" | "reject" | "unknown">> = {
  "raw.img": "accept",
  "x.qcow2": "accept",
  "x.dmg": "accept",
  "co:lon.img": "accept",
  "file:/inside": "accept",
  "file:raw.img": "reject",
  "nbd:localhost:1": "reject",
  'json:{"driver":"file","filename":"raw.img"}': "reject",
  "missing": "reject",
  "/dev/zero": "unknown",
};

liveTest(
  { needs: QEMU },
  "qemu-img treats names of data files as judge says, and reads each as raw",
  async (directory) => {
    await makeFiles(directory);
    const clusters = [{ index: 0, kind: "data", pattern: { kind: "fill", seed: 1 } }] as const;
    for (const [name, open] of Object.entries(DATA_FILES)) {
      const bytes = overlayBytes({ clusters, dataFile: { name, raw: false } });
      Deno.writeFileSync(`${directory}/${IMAGE}`, bytes);
      const { qemu, digest, findings } = judged(directory);
      const theirs = await byQemu(directory);
      assertEquals(qemu.open, open, `${name}: ${JSON.stringify(findings)}`);
      if (open !== "unknown") assertEquals(digest ?? undefined, theirs, name);
    }
  },
);

/** Names of an image with a relative backing file name of its own. */
const CHAINED = [
  "sub/overlaid",
  "file:sub/overlaid",
  "file:file:/overlaid",
  'json:{"driver":"qcow2","file":{"driver":"file","filename":"sub/overlaid"}}',
  'json:{"file.filename":"sub/overlaid"}',
];

liveTest(
  { needs: QEMU },
  "info --backing-chain names the files of a chain as qemu-img does, however they are named",
  async (directory) => {
    await makeFiles(directory);
    Deno.copyFileSync(`${directory}/overlaid`, `${directory}/file:/overlaid`);
    Deno.copyFileSync(`${directory}/raw.img`, `${directory}/file:/raw.img`);
    for (const name of CHAINED) {
      writeOverlay(directory, name);
      const args = ["info", "--backing-chain", "--output=json", IMAGE];
      const theirs = await runTool(["qemu-img", ...args], { directory });
      const ours = await diskproof(directory, args);
      assertEquals(namesIn(ours.stdout), namesIn(theirs.stdout), name);
    }
  },
);

function namesIn(json: string): unknown[] {
  return (JSON.parse(json) as Record<string, unknown>[]).map((info) => [
    info["filename"],
    info["backing-filename"],
    info["full-backing-filename"],
  ]);
}

/** Names of parts of a file: the offsets of raw ones are those in the file. */
const PARTS = [
  'json:{"driver":"raw","offset":512,"file":{"driver":"file","filename":"raw.img"}}',
  'json:{"driver":"raw","offset":512,"file":{"driver":"raw","offset":1024,"file.filename":"raw.img"}}',
  'json:{"driver":"qcow2","file":{"driver":"raw","offset":512,"file.filename":"shifted"}}',
];

liveTest(
  { needs: QEMU },
  "map has the offsets of qemu-img where a backing file is a part of a file",
  async (directory) => {
    await makeFiles(directory);
    for (const name of PARTS) {
      writeOverlay(directory, name);
      const args = ["map", "--output=json", IMAGE];
      const theirs = await runTool(["qemu-img", ...args], { directory });
      const ours = await diskproof(directory, args);
      assertEquals(offsetsIn(ours.stdout), offsetsIn(theirs.stdout), name);
    }
  },
);

function offsetsIn(json: string): unknown[] {
  return (JSON.parse(json) as Record<string, unknown>[]).map((
    { start, offset },
  ) => [start, offset]);
}
