import { assertEquals, assertThrows } from "@std/assert";
import { PeerError, runTool } from "../../src/peers/mod.ts";
import { packTar, readTar, type TarFile } from "../../src/recorded/archive/sparse_tar.ts";
import { liveTest } from "../live.ts";

/** A file with bytes at some places, and zeros elsewhere. */
function file(name: string, size: number, places: readonly (readonly [number, number])[]): TarFile {
  const bytes = new Uint8Array(size);
  for (const [start, length] of places) bytes.fill(7, start, start + length);
  return { name, bytes };
}

/** Every way in which a file can have holes. */
const files: readonly TarFile[] = [
  file("empty", 0, []),
  file("text", 5, [[0, 5]]),
  file("whole sectors", 1024, [[0, 1024]]),
  file("more than sectors", 1500, [[0, 1500]]),
  file("hole at its start", 100_000, [[99_990, 10]]),
  file("hole in the middle/image", 2_000_000, [[0, 600], [258_048, 16], [1_999_000, 1000]]),
  file("hole at its end", 5000, [[0, 1]]),
  file("three places and a hole at the end", 50_001, [[0, 1], [9000, 1], [20_000, 700]]),
  file("nothing but a hole", 3_000_000, []),
  file("an odd end behind a hole", 4097, [[4096, 1]]),
  file("four places", 8000, [0, 2000, 4000, 6000].map((start) => [start, 1])),
  file("five places", 10_000, [0, 2000, 4000, 6000, 8000].map((start) => [start, 1])),
  file("many places", 60_000, Array.from({ length: 47 }, (_, at) => [1024 * at, 1])),
  file("grün, 灰.img", 9, [[0, 9]]),
  file("a".repeat(100), 9, [[0, 9]]),
  file(`${"b".repeat(90)}/${"c".repeat(200)}`, 7000, [[6000, 9]]),
];

function unpacked(tar: Uint8Array): TarFile[] {
  return readTar(tar).map((each) => ({ name: each.name, bytes: each.unpack() }));
}

Deno.test("readTar() returns what packTar() packed", () => {
  assertEquals(unpacked(packTar(files)), [...files]);
  assertEquals(readTar(packTar(files)).map(({ size }) => size), files.map((it) => it.bytes.length));
});

Deno.test("packTar() omits holes, and gives the same bytes every time", () => {
  const tar = packTar(files);
  assertEquals(tar.length < 65_536, true, `${tar.length} bytes`);
  assertEquals(packTar(files), tar);
});

liveTest(
  { needs: ["tar"] },
  "the installed tar unpacks what packTar() has packed",
  async (directory) => {
    Deno.writeFileSync(`${directory}/archive`, packTar(files));
    Deno.mkdirSync(`${directory}/out`);
    const command = ["tar", "-xf", "archive", "-C", "out"];
    const { end, stderr } = await runTool(command, { directory });
    assertEquals([end, stderr], [{ kind: "exited", code: 0 }, ""]);
    for (const { name, bytes } of files) {
      assertEquals(Deno.readFileSync(`${directory}/out/${name}`), bytes, name);
    }
  },
);

Deno.test("packTar() rejects what is not the name of a file", () => {
  for (const name of ["", "a\0b"]) {
    assertThrows(() => packTar([file(name, 1, [[0, 1]])]), RangeError, "not the name of a file");
  }
});

Deno.test("readTar() rejects damage at any place", () => {
  const tar = packTar([file("one", 90_000, [[0, 600], [80_000, 600]])]);
  // What is behind the digits of the sum says nothing.
  const told = Array.from({ length: 512 }, (_, at) => at).filter((at) => at !== 154 && at !== 155);
  for (const at of told) {
    const changed = tar.with(at, (tar[at] ?? 0) ^ 0x11);
    assertThrows(() => readTar(changed), PeerError, "Cannot read an archive", `byte ${at}`);
  }
  for (const length of [0, 511, 512, 1023]) {
    assertThrows(() => readTar(tar.subarray(0, length)), PeerError, "Cannot read an archive");
  }
});

/** A packed file with other fields in its header, and a sum that fits again. */
function forged(fields: Readonly<Record<number, string>>): Uint8Array {
  const tar = packTar([file("one", 90_000, [[0, 600], [80_000, 600]])]);
  for (const [at, text] of Object.entries(fields)) tar.set(new TextEncoder().encode(text), +at);
  tar.fill(32, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0") + "\0"), 148);
  return tar;
}

Deno.test("readTar() rejects a hostile header, though its checksum is right", () => {
  const [size, type, first, second, extended, realSize] = [124, 156, 386, 410, 482, 483];
  assertEquals(unpacked(forged({}))[0]?.bytes.length, 90_000);
  const hostile: Record<string, Record<number, string>> = {
    "a size below zero, which leads backwards": { [type]: "0", [size]: "-0000001000" },
    "a size that is no number": { [type]: "0", [size]: "0000zzzzzzz" },
    "a size beyond the archive": { [type]: "0", [size]: "00000077777" },
    "a file of 8 GiB": { [realSize]: "77777777777" },
    "data behind the end of the file": { [realSize]: "00000001000" },
    "data in the same place twice": { [second]: "00000000000" },
    "data in places that go backwards": { [first]: "00000300000" },
    "a place below zero": { [second]: "-0000001000" },
    "the target of a link": { [type]: "2" },
    "further places that the archive does not have": { [extended]: "\x01" },
  };
  for (const [about, fields] of Object.entries(hostile)) {
    assertThrows(() => readTar(forged(fields)), PeerError, "Cannot read an archive", about);
  }
});
