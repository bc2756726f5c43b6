import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { hash, sectorCipher } from "../../src/crypto/mod.ts";
import { luks2Content } from "../../src/luks2/mod.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { cryptSegment, DATA, signed, volumeKey } from "./reencrypting.ts";
import { type AnyJson, changed, modelOf } from "./volumes.ts";

const content = luks2Content(modelOf());
const SIZE = content.length;
/** Two free pages before the payload. */
const AREA = DATA - 8192;
const area = { offset: String(AREA), size: "8192" };
const xts = (sectorSize: number) =>
  sectorCipher({ cipher: "aes", mode: "xts", ivGenerator: "plain64", sectorSize }, volumeKey());

type Edits = readonly (readonly [string, unknown])[];

/** A volume in a reencryption, and other bytes at some places. */
function reencrypting(
  edits: Edits,
  patches: readonly (readonly [number, Uint8Array])[],
  text = (json: string) => json,
) {
  const bytes = changed({}, { json: (root: AnyJson) => signed(root, edits), text });
  for (const [offset, patch] of patches) bytes.set(patch, offset);
  return { source: new MemorySource(bytes), passphrase: "first" };
}

/** Content as stored in sectors of a size, from an offset on. */
function stored(from: number, length: number, sectorSize = 512): Uint8Array {
  const bytes = content.slice(from, from + length);
  xts(sectorSize).encrypt(bytes, BigInt(from / 512));
  return bytes;
}

const garbage = (length: number) => new Uint8Array(length).fill(0x5a);
const inSectors = (size: number, segment: AnyJson) => ({ ...segment, sector_size: size });
const allNames = ["/digests/0/segments", ["0", "1", "2", "3", "4"]] as const;

function assertContent(volume: ReturnType<typeof reencrypting>): void {
  const { layer, findings } = openVolume(volume);
  assertEquals(findings.rules(), ["luks2.reencryption.finished"], `${messagesOf(findings)}`);
  assert(layer !== undefined);
  assertEquals(readAll(layer), content);
  const [run] = layer.runs(0, SIZE);
  assert(run !== undefined);
  fc.assert(fc.property(fc.nat(SIZE - 1), fc.nat(SIZE - 1), (one, other) => {
    const [from, to] = [Math.min(one, other), Math.max(one, other) + 1];
    const part = new Uint8Array(to - from);
    layer.readRun(run, from, part);
    assertEquals(part, content.subarray(from, to));
  }));
}

Deno.test("segments are read in their order, each in its sectors and with its IVs", () => {
  assertContent(reencrypting([
    ["/segments/0", inSectors(4096, cryptSegment(DATA, 4096))],
    ["/segments/1", cryptSegment(DATA + 4096, "dynamic")],
    ["/segments/2", cryptSegment(DATA, "dynamic", ["backup-previous"])],
    ["/segments/3", inSectors(4096, cryptSegment(DATA, "dynamic", ["backup-final"]))],
    ["/digests/0/segments", ["0", "1", "2", "3"]],
  ], [[DATA, stored(0, 4096, 4096)]]));
});

Deno.test("segments are read in the order of their numbers, and not of the JSON", () => {
  const first = JSON.stringify(cryptSegment(DATA, 1024));
  const second = JSON.stringify(cryptSegment(DATA + 1024, "dynamic"));
  const moved = `"1":${second},"0":${first}`;
  const volume = reencrypting(
    [
      ["/segments/0", JSON.parse(first)],
      ["/segments/1", JSON.parse(second)],
      ["/segments/2", cryptSegment(DATA, "dynamic", ["backup-previous"])],
      ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-final"])],
      ["/digests/0/segments", ["0", "1", "2", "3"]],
    ],
    [],
    (json) => json.replace(`"0":${first},"1":${second}`, moved),
  );
  assert(new TextDecoder().decode(volume.source.read(0, 0x4000)).includes(moved));
  assertContent(volume);
});

Deno.test("a segment may be stored after the following one, and unencrypted", () => {
  assertContent(reencrypting([
    ["/keyslots/1/mode", "encrypt"],
    ["/keyslots/1/direction", "backward"],
    ["/keyslots/1/area", { ...area, size: "4096", type: "datashift", shift_size: "4096" }],
    ["/segments/0", { type: "linear", offset: String(DATA + 4096), size: "4096" }],
    ["/segments/1", { ...cryptSegment(DATA, 4096), iv_tweak: "8" }],
    ["/segments/2", { type: "linear", offset: "0", size: "8192", flags: ["backup-previous"] }],
    ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-final"])],
    ["/digests/0/segments", ["1", "3"]],
  ], [[DATA, stored(4096, 4096)], [DATA + 4096, content.slice(0, 4096)]]));
});

Deno.test("an interrupted segment is read from its journal", () => {
  assertContent(reencrypting([
    ["/keyslots/1/area", { ...area, size: "4096", type: "journal" }],
    ["/segments/0", cryptSegment(DATA, 1024)],
    ["/segments/1", cryptSegment(DATA + 1024, 2048, ["in-reencryption"])],
    ["/segments/2", cryptSegment(DATA + 3072, "dynamic")],
    ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
    ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
    allNames,
  ], [[AREA, stored(1024, 2048)], [DATA + 1024, garbage(2048)]]));
});

Deno.test("after an interruption with checksums, each block is read in its actual state", () => {
  const size = String(SIZE);
  assertContent(reencrypting([
    ["/keyslots/1/area", { ...area, type: "checksum", hash: "sha256", sector_size: 4096 }],
    [
      "/segments/0",
      inSectors(4096, { ...cryptSegment(DATA, "dynamic", ["in-reencryption"]), size }),
    ],
    ["/segments/1", cryptSegment(DATA, "dynamic", ["backup-previous"])],
    ["/segments/2", inSectors(4096, cryptSegment(DATA, "dynamic", ["backup-final"]))],
  ], [
    [DATA, stored(0, 4096, 4096)],
    [AREA, hash("sha256", stored(0, 4096))],
    [AREA + 32, hash("sha256", stored(4096, 4096))],
  ]));
});

Deno.test("a segment that was interrupted while it was moved is read from its old offset", () => {
  assertContent(reencrypting([
    ["/keyslots/1/direction", "backward"],
    ["/keyslots/1/area", { ...area, size: "4096", type: "datashift", shift_size: "4096" }],
    ["/segments/0", cryptSegment(DATA - 4096, 4096)],
    ["/segments/1", { ...cryptSegment(DATA + 4096, 4096, ["in-reencryption"]), iv_tweak: "8" }],
    ["/segments/2", cryptSegment(DATA - 4096, "dynamic", ["backup-previous"])],
    ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-final"])],
    ["/digests/0/segments", ["0", "1", "2", "3"]],
    ["/segments/0/iv_tweak", "0"],
    ["/segments/2/iv_tweak", "0"],
    ["/config/keyslots_size", String(DATA - 2 * 0x4000 - 4096)],
  ], [[DATA - 4096, stored(0, 4096)], [DATA, stored(4096, 4096)], [DATA + 4096, garbage(4096)]]));
});

Deno.test("both keys of a reencryption are within one budget, and its digest too", () => {
  const { source } = reencrypting([], []);
  const works = (iterationsMax: number): boolean =>
    openVolume({ source, passphrase: "first", iterationsMax }).layer?.unlocked === true;
  // Two iterations of PBKDF2 for each 32 bytes of the key, 256000 bytes of material by 128, and three
  // iterations for the digest of the key, and of the reencryption.
  const work = 2 * 2 + 2000 + 3 + 3;
  assert(works(work));
  assert(!works(work - 1));
});
