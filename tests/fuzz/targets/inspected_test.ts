import { assertThrows } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import { assertInspected } from "../../../fuzz/targets/inspected.ts";
import type { Anatomy, Claim, Placed } from "../../../src/format/mod.ts";

const placed: readonly Placed[] = [
  { path: "/l1", offset: 512, length: 8, role: "table" },
  { path: "/data[0]", offset: 1024, length: 512, role: "data" },
];

function anatomy(...ranges: [offset: number, length: number][]): Anatomy {
  const claims = ranges.map(([offset, length]): Claim => ({
    offset,
    length,
    kind: "data",
    path: "/",
  }));
  return { parts: [], claims, gaps: [], complete: true };
}

Deno.test("what an image was built of has to be found by inspecting it", () => {
  assertInspected(anatomy([512, 512], [1024, 1024]), placed, []);
  const failure = () => assertInspected(anatomy([512, 512], [1024, 511]), placed, []);
  assertThrows(failure, Failure, "/data[0]");
  assertInspected(anatomy([1024, 512]), placed, [{ path: "/l1/0", offset: 512 }]);
  assertInspected(anatomy([512, 512]), placed, [{ path: "/cluster[2]", offset: 1024 }]);
  const other = () => assertInspected(anatomy([512, 512]), placed, [{ path: "/", offset: 1536 }]);
  assertThrows(other, Failure, "/data[0]");
});
