import { assertEquals } from "@std/assert";
import {
  comparable,
  compareCheck,
  compareInfo,
  compareMap,
  compareOutcomes,
  type InfoReport,
  isOlder,
  type MapEntry,
  olderVersion,
} from "../../src/peers/mod.ts";

/**
 * What 7.2.22 and 10.0.13 print of the same AES-encrypted qcow image, made by 7.2.22's qemu-io with
 * `write -c -P 1 0 4k` and `write -P 2 4k 4k`.
 */
const MAP_7_2: MapEntry[] = JSON.parse(
  `[{ "start": 0, "length": 8192, "depth": 0, "present": true, "zero": false, "data": true},
{ "start": 8192, "length": 8192, "depth": 0, "present": false, "zero": true, "data": false}]`,
);
const MAP_10_0: MapEntry[] = JSON.parse(
  `[{ "start": 0, "length": 4096, "depth": 0, "present": true, "zero": false, "data": true, "compressed": true},
{ "start": 4096, "length": 4096, "depth": 0, "present": true, "zero": false, "data": true, "compressed": false},
{ "start": 8192, "length": 8192, "depth": 0, "present": false, "zero": true, "data": false, "compressed": false}]`,
);

Deno.test("comparable() omits what a version does not print yet", () => {
  assertEquals(comparable("6.0.1").mapWithout, ["present", "compressed"]);
  assertEquals(comparable("6.1.0").mapWithout, ["compressed"]);
  assertEquals(comparable("8.1.5").mapWithout, ["compressed"]);
  assertEquals(comparable("8.2.0").mapWithout, []);
  assertEquals(comparable("11.1.3").mapWithout, []);
});

Deno.test("olderVersion() compares numbers, not text", () => {
  assertEquals(olderVersion("10.0.13", "7.2.22"), "7.2.22");
  assertEquals(olderVersion("7.2.9", "7.2.22"), "7.2.9");
  assertEquals(olderVersion("10.0", "10.0.1"), "10.0");
  assertEquals(olderVersion("10.0.1", undefined), "10.0.1");
});

Deno.test("isOlder() is true of a version that is older, and not of the same one", () => {
  assertEquals(isOlder("8.2.9", "9.0"), true);
  assertEquals(isOlder("9.0", "9.0"), false);
  assertEquals(isOlder("9.0.0", "9.0"), false);
  assertEquals(isOlder("9.0", "9.0.0"), false);
  assertEquals(isOlder("10.0.13", "9.0"), false);
});

Deno.test("compareInfo() misses detached-header of no version before 9.0", () => {
  const luks = (data: { [key: string]: string | boolean }): InfoReport => {
    return { "virtual-size": 512, format: "luks", "format-specific": { type: "luks", data } };
  };
  const qcow2 = (encrypt: { [key: string]: string | boolean }): InfoReport => {
    const specific = { type: "qcow2", data: { compat: "1.1", encrypt } };
    return { "virtual-size": 512, format: "qcow2", "format-specific": specific };
  };
  for (const [report, path] of [[luks, ""], [qcow2, "/encrypt"]] as const) {
    const newer = report({ uuid: "x", "detached-header": false });
    const older = report({ uuid: "x" });
    assertEquals(compareInfo(older, newer, { version: "8.2.9" }), []);
    assertEquals(compareInfo(older, newer, { version: "9.0.0" }), [{
      path: `/format-specific/data${path}/detached-header`,
      left: undefined,
      right: false,
    }]);
    const other = report({ uuid: "y", "detached-header": false });
    assertEquals(compareInfo(older, other, { version: "7.2.22" }), [{
      path: `/format-specific/data${path}/uuid`,
      left: "x",
      right: "y",
    }]);
  }
});

Deno.test("compareMap() merges what the older version does not distinguish", () => {
  assertEquals(compareMap(MAP_7_2, MAP_10_0, { version: "7.2.22" }), []);
  assertEquals(compareMap(MAP_7_2, MAP_10_0, { version: "10.0.13" }), [
    { path: "/0/length", left: 8192, right: 4096 },
    { path: "/0/compressed", left: undefined, right: true },
  ]);
});

Deno.test("compareMap() does not merge over a gap in host offsets, a depth or a flag", () => {
  const first: MapEntry = {
    start: 0,
    length: 512,
    depth: 0,
    zero: false,
    data: true,
    offset: 4096,
  };
  const joined = { ...first, length: 1024 };
  const next = { ...first, start: 512 };
  const options = { version: "8.2.0" };
  assertEquals(compareMap([joined], [first, { ...next, offset: 4608 }], options), []);
  for (
    const other of [
      { ...next, offset: 4607 },
      { ...next, offset: 4608, depth: 1 },
      { ...next, offset: 4608, zero: true },
      { ...next, offset: 4608, present: true },
    ]
  ) {
    assertEquals(compareMap([joined], [first, other], options)[0]?.path, "/0/length");
  }
});

Deno.test("compareMap() treats the one empty entry of an empty image as no entry", () => {
  const empty = { start: 0, length: 0, depth: 0, present: false, zero: false, data: false };
  assertEquals(compareMap([empty], [], { version: "10.0.13" }), []);
});

Deno.test("compareInfo() ignores the order of keys and what belongs to the machine", () => {
  const left = { "virtual-size": 512, format: "raw", "dirty-flag": false, filename: "a" };
  const right = {
    "dirty-flag": false,
    format: "raw",
    "virtual-size": 512,
    "actual-size": 4096,
    children: [],
  };
  assertEquals(compareInfo(left, right, { version: "10.0.13" }), []);
});

Deno.test("compareInfo() names the place of each difference", () => {
  const left = { "virtual-size": 512, format: "qcow2", "format-specific": { data: { a: [1, 2] } } };
  const right = { "virtual-size": 512, format: "qcow2", "format-specific": { data: { a: [1] } } };
  assertEquals(compareInfo(left, right, { version: "10.0.13" }), [
    { path: "/format-specific/data/a/1", left: 2, right: undefined },
  ]);
});

const COUNTS = {
  corruptions: 0,
  leaks: 1,
  checkErrors: 0,
  imageEndOffset: 4096,
  totalClusters: 1,
  allocatedClusters: 0,
  fragmentedClusters: 0,
  compressedClusters: 0,
};

Deno.test("compareCheck() compares exit status and counts", () => {
  const left = { exitCode: 3, counts: COUNTS };
  assertEquals(compareCheck(left, { exitCode: 3, counts: { ...COUNTS } }), []);
  assertEquals(compareCheck(left, { exitCode: 0, counts: { ...COUNTS, leaks: 0 } }), [
    { path: "/exitCode", left: 3, right: 0 },
    { path: "/counts/leaks", left: 1, right: 0 },
  ]);
  assertEquals(compareCheck({ exitCode: 63 }, { exitCode: 63 }), []);
});

Deno.test("compareOutcomes() never treats a crash as another outcome, nor a missing answer as an answer", () => {
  const values = () => [];
  const rejected = { outcome: "rejected", message: "a" } as const;
  const crashed = { outcome: "crashed", message: "SIGSEGV" } as const;
  const unsupported = { outcome: "unsupported", message: "too long" } as const;
  const accepted = { outcome: "accepted", value: 1 } as const;
  assertEquals(compareOutcomes(rejected, { ...rejected, message: "b" }, { values }), []);
  assertEquals(compareOutcomes(accepted, unsupported, { values }), []);
  assertEquals(compareOutcomes(accepted, rejected, { values }).length, 1);
  assertEquals(compareOutcomes(rejected, crashed, { values }).length, 1);
  assertEquals(compareOutcomes(crashed, crashed, { values }).length, 1);
});
