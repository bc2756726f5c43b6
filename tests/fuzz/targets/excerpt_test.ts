import { assertStringIncludes } from "@std/assert";
import type { About } from "../../../fuzz/engine/target.ts";
import { filesOf, type Kit, sourceOf } from "../../../fuzz/formats/kit.ts";
import { luks1 } from "../../../fuzz/formats/luks1/mod.ts";
import { qcow1 } from "../../../fuzz/formats/qcow1/mod.ts";
import { qcow2 } from "../../../fuzz/formats/qcow2/mod.ts";
import { excerptOf } from "../../../fuzz/targets/excerpt.ts";
import { normaliseQcow1 } from "../../../src/qcow1/mod.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import { modelOf } from "../../luks1/volumes.ts";
import { plain, snapshot } from "../../qcow2/built_parts.ts";

const pattern = { kind: "fill", seed: 1 } as const;
const CLUSTER = 512;

const image = normaliseQcow2({
  ...plain,
  size: BigInt(4 * CLUSTER),
  clusters: [{ index: 0, kind: "data", pattern }, { index: 2, kind: "data", pattern }],
  snapshots: [snapshot("1"), snapshot("2")],
});

const legacy = normaliseQcow1({
  format: "qcow",
  clusterBits: 9,
  l2Bits: 6,
  size: 2048n,
  mtime: 0,
  padding: 0,
  clusters: [{ index: 3, kind: "data", pattern }],
  placement: { seed: 0, holes: [], l1Skew: 0, l2Skews: [], clusterSkews: [], cutTail: false },
});

function assertShows<Model>(
  kit: Kit<Model>,
  model: Model,
  { about, shown }: { about: About; shown: string[] },
): void {
  const text = excerptOf(kit, sourceOf(filesOf(kit, model)), { about, model });
  for (const part of shown) assertStringIncludes(text, part);
}

Deno.test("an excerpt about a byte of the disk shows the entry that it comes from", () => {
  const about = { guestOffset: 2 * CLUSTER + 7 };
  const shown = [
    "/l1/0 is used for it",
    "/l2[0]: L2 table",
    "guest 0x400",
    "!! The answers differ about this: guest offset 0x407, data, host offset 0x",
  ];
  assertShows(qcow2, image, { about, shown });
  assertShows(qcow1, legacy, {
    about: { guestOffset: 3 * CLUSTER },
    shown: ["/l2[0]: L2 table", "guest 0x600", "!! The answers differ about this"],
  });
});

Deno.test("an excerpt about a byte of a volume shows the cipher", () => {
  const shown = ["cipher_mode", "guest offset 0x200, data, encrypted (luks)"];
  assertShows(luks1, modelOf(), { about: { guestOffset: 512 }, shown });
});

Deno.test("an excerpt about a snapshot shows all of its entry, and of no other", () => {
  const about = { path: "/snapshots/1/vm-clock-nsec" };
  const shown = ["/snapshot[1]: snapshot 1", "vm_clock_nsec", "l1_table_offset"];
  assertShows(qcow2, image, { about, shown });
});

Deno.test("an excerpt about a key slot shows it", () => {
  const about = { path: "/slots/3/active" };
  assertShows(luks1, modelOf(), { about, shown: ["/key_slots/3: key slot 3", "active"] });
});

Deno.test("an excerpt about what the header says shows the header", () => {
  const about = { path: "/format-specific/data/lazy-refcounts" };
  assertShows(qcow2, image, { about, shown: ["/header: header", "compatible_features"] });
});
