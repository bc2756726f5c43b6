/** What other implementations claim is compared, and nothing that they leave out. */

import { assertEquals } from "@std/assert";
import {
  checkClaims,
  digestClaims,
  infoClaims,
  mapClaims,
  type MapEntry,
} from "../../src/peers/mod.ts";

/** Two clusters of data, one of zeros, and one of data of the backing file. */
const MAP: readonly MapEntry[] = [
  { start: 0, length: 8192, depth: 0, present: true, zero: false, data: true, offset: 65536 },
  { start: 8192, length: 4096, depth: 0, present: true, zero: true, data: false },
  { start: 12288, length: 4096, depth: 1, present: true, zero: false, data: true, offset: 0 },
];

/** Entries as an implementation may report them: without most members. */
function told(...entries: Partial<MapEntry>[]): MapEntry[] {
  return entries as MapEntry[];
}

function firstPath(reported: MapEntry[]): string | undefined {
  return mapClaims(MAP, reported)[0]?.path;
}

Deno.test("a map is right at any granularity where it claims nothing false", () => {
  assertEquals(mapClaims(MAP, MAP), []);
  assertEquals(mapClaims(MAP, told({ start: 0, length: 16384 })), []);
  assertEquals(mapClaims(MAP, told({ start: 0, length: 16384, zero: false, data: true })), []);
  const halves = MAP.flatMap(({ start, length, zero }) => [
    { start, length: length / 2, zero },
    { start: start + length / 2, length: length / 2, zero },
  ]);
  assertEquals(mapClaims(MAP, told(...halves)), []);
});

Deno.test("zero over data is false, and so is a hole over data", () => {
  assertEquals(firstPath(told({ start: 0, length: 16384, zero: true })), "/0/zero");
  assertEquals(
    firstPath(told({ start: 0, length: 12288, zero: false }, {
      start: 12288,
      length: 4096,
      zero: true,
    })),
    "/1/zero",
  );
  assertEquals(firstPath(told({ start: 0, length: 16384, data: false })), "/0/data");
});

Deno.test("zero over data that is all zeros is true", () => {
  const asked: unknown[] = [];
  const first = (isZero: boolean) =>
    mapClaims(
      MAP,
      told({ start: 0, length: 4096 }, { start: 4096, length: 12288, zero: true }),
      (it) => {
        asked.push(it);
        return isZero;
      },
    )[0]?.path;
  assertEquals(first(false), "/1/zero");
  assertEquals(asked.splice(0), [{ start: 4096, length: 4096 }]);
  assertEquals(first(true), undefined);
  assertEquals(asked, [{ start: 4096, length: 4096 }, { start: 12288, length: 4096 }]);
});

Deno.test("a map that claims a member is held to it wherever it claims it", () => {
  assertEquals(firstPath(told({ start: 0, length: 16384, depth: 0 })), "/0/depth");
  const offsets = [
    { start: 0, length: 4096, offset: 65536 },
    { start: 4096, length: 12288, offset: 65536 },
  ];
  assertEquals(firstPath(told(...offsets)), "/1/offset");
});

Deno.test("the entries of a map cover the disk, in order and without gaps", () => {
  assertEquals(firstPath([]), "/end");
  assertEquals(firstPath(told({ start: 0, length: 8192 })), "/end");
  assertEquals(firstPath(told({ start: 0, length: 20480 })), "/end");
  assertEquals(firstPath(told({ start: 4096, length: 12288 })), "/0/start");
  assertEquals(
    firstPath(told({ start: 0, length: 8192 }, { start: 12288, length: 4096 })),
    "/1/start",
  );
});

Deno.test("counts of a check that are left out are not compared, and the others are", () => {
  const right = { exitCode: 3, counts: { corruptions: 0, leaks: 2, allocatedClusters: 7 } };
  assertEquals(checkClaims(right, { exitCode: 0 }), []);
  assertEquals(checkClaims(right, { exitCode: 0, counts: { corruptions: 0 } }), []);
  assertEquals(checkClaims(right, { exitCode: 0, counts: { corruptions: 0, leaks: 0 } }), [
    { path: "/counts/leaks", left: 2, right: 0 },
  ]);
});

Deno.test("members of info that say nothing may be there or not, and others are compared", () => {
  const right = { format: "qcow2", "virtual-size": 4096, "cluster-size": 512 };
  assertEquals(infoClaims(right, { format: "qcow2", "virtual-size": 4096 }), []);
  const empty = { ...right, encrypted: false, snapshots: [], "actual-size": 5, mine: true };
  assertEquals(infoClaims(right, empty), []);
  assertEquals(infoClaims(right, { ...right, "virtual-size": 512 }), [
    { path: "/virtual-size", left: 4096, right: 512 },
  ]);
  assertEquals(infoClaims(right, { ...right, encrypted: true }), [
    { path: "/encrypted", left: undefined, right: true },
  ]);
  const listed = { ...right, snapshots: [{ name: "a" }, { name: "b" }] };
  assertEquals(infoClaims(listed, { ...right, snapshots: [{ name: "a" }] }).length, 1);
});

Deno.test("the length of a digest may be left out", () => {
  const right = { sha256: "00", length: 512 };
  assertEquals(digestClaims(right, { sha256: "00" } as typeof right), []);
  assertEquals(digestClaims(right, { sha256: "01" } as typeof right).length, 1);
  assertEquals(digestClaims(right, { sha256: "00", length: 0 }).length, 1);
});
