import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type AnatomyRow, Marks, type Part } from "../../src/format/mod.ts";
import {
  buildLuks2,
  decodeLuks2,
  detectLuks2,
  header,
  HEADER_SIZES,
  luks2Driver,
} from "../../src/luks2/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { bytesOf, changed, modelOf } from "./volumes.ts";

// Offsets as the widths of Figure 2 of the LUKS2 On-Disk Format Specification 1.1.1 give them.
Deno.test("the fields are where the specification says", () => {
  assertEquals(header.offsets, {
    magic: 0,
    version: 6,
    hdr_size: 8,
    seqid: 16,
    label: 24,
    csum_alg: 72,
    salt: 104,
    uuid: 168,
    subsystem: 208,
    hdr_offset: 256,
    _padding: 264,
    csum: 448,
    _padding4096: 512,
  });
  assertEquals(header.size, 4096);
});

// Table 1 of the specification.
Deno.test("HEADER_SIZES are the places that the secondary copy may have", () => {
  assertEquals(HEADER_SIZES, [
    16384,
    32768,
    65536,
    131072,
    262144,
    524288,
    1048576,
    2097152,
    4194304,
  ]);
});

Deno.test("decodeLuks2() finds the secondary copy at each of its places when the primary is gone", () => {
  for (const headerSize of HEADER_SIZES) {
    const bytes = bytesOf(buildLuks2(modelOf({ headerSize, primary: "missing" })).image);
    const { primary, secondary } = decodeLuks2(new MemorySource(bytes));
    assertEquals([primary.intact, secondary.intact], [undefined, true]);
    assertEquals(secondary.offset, headerSize);
    assert(detectLuks2(new MemorySource(bytes)));
  }
});

Deno.test("detectLuks2() distinguishes version 2 from version 1, and from no header", () => {
  assert(detectLuks2(new MemorySource(changed({}))));
  assert(!detectLuks2(new MemorySource(changed({}, { fields: { version: 1 }, only: "primary" }))));
  // Version 0 is damage: cryptsetup 2.6.1 says "Command successful." to isLuks, by the other copy.
  const damaged = { fields: { version: 0 }, only: "primary" } as const;
  assert(detectLuks2(new MemorySource(changed({}, damaged))));
  const both = { fields: { version: 0 } };
  assert(!detectLuks2(new MemorySource(changed({}, both))));
  assert(!detectLuks2(new MemorySource(new Uint8Array(2 ** 20))));
  assert(!detectLuks2(new MemorySource(new Uint8Array(0))));
});

function rowsOf(part: Part | undefined): AnatomyRow[] {
  return [...part?.rows ?? []];
}

const options = { rows: 50, tables: 50, entries: 1000, marks: new Marks([]) };

Deno.test("any bytes open, with a finding, and have an anatomy", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
    const findings = new Findings();
    assertEquals(luks2Driver.open(new MemorySource(bytes), findings), undefined);
    assert(findings.refusal("info") !== undefined);
    assert(luks2Driver.anatomy?.(new MemorySource(bytes), options) !== undefined);
  }));
});

Deno.test("the anatomy of a volume has both copies, their values, the areas and the payload", () => {
  const source = new MemorySource(changed({}));
  const anatomy = luks2Driver.anatomy?.(source, options);
  assertEquals(anatomy?.parts.map(({ path }) => path), [
    "/primary",
    "/primary/json",
    "/secondary",
    "/secondary/json",
  ]);
  const json = anatomy?.parts[1];
  const row = rowsOf(json).find(({ path }) => path === "/primary/json/segments/0/offset");
  assertEquals(row?.value, '"557056"');
  assertEquals(new TextDecoder().decode(source.read(row?.offset ?? 0, 8)), '"557056"');
  assertEquals(
    Array.from(anatomy?.claims ?? [], ({ offset, length, kind }) => [offset, length, kind]),
    [
      [0, 16384, "header"],
      [16384, 16384, "header"],
      [32768, 258048, "table"],
      [290816, 258048, "table"],
      [557056, 8192, "data"],
    ],
  );
  assert(anatomy?.complete);
});

Deno.test("the anatomy lists values up to a limit, and all with a mark", () => {
  const source = new MemorySource(changed({}));
  const all = luks2Driver.anatomy?.(source, { ...options, rows: 1000 }).parts[1];
  const last = rowsOf(all).at(-1);
  const marks = new Marks([last?.offset ?? 0]);
  const part = luks2Driver.anatomy?.(source, { ...options, rows: 3, marks }).parts[1];
  assertEquals(rowsOf(part).length, 4);
  assertEquals(rowsOf(part).at(-1)?.path, "/primary/json/config/keyslots_size");
  assertEquals(part?.omitted, rowsOf(all).length - 4);
});
