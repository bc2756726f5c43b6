import { assert, assertEquals } from "@std/assert";
import { chains } from "../../../fuzz/formats/chain/mod.ts";
import { luks1Divergences } from "../../../fuzz/formats/luks1/divergences.ts";
import { luks1 } from "../../../fuzz/formats/luks1/mod.ts";
import { differential } from "../../../fuzz/targets/differential.ts";
import type { CaseReport, Tools } from "../../../fuzz/engine/target.ts";
import type { Edit } from "../../../fuzz/mutate/mod.ts";
import type { Luks1Model } from "../../../src/luks1/mod.ts";
import { liveTest, versionOf } from "../../live.ts";
import { modelOf } from "../../luks1/volumes.ts";

const luksDifferential = differential(luks1);

/** A difference between the reference and a tool that a run has found. */
interface Named {
  readonly divergence: string;
  readonly model?: Partial<Luks1Model>;
  readonly edits?: readonly Edit[];
  readonly ask: string;
  /** Versions of QEMU before this one differ. */
  readonly before?: number;
  /** Where the kernel helps, there is no difference. */
  readonly kernel?: true;
}

const { spec } = modelOf();
const key24 = { ...spec, keyBytes: 24 };

function set(path: string, value: number | bigint): Edit {
  return { op: "set", path, value: BigInt(value) };
}

function text(path: string, value: string, fill = 0): Edit {
  return { op: "text", path, text: value, fill };
}

const named: readonly Named[] = [
  { divergence: "qemu-abort-for-24-byte-keys", model: { spec: key24 }, ask: "nothing" },
  {
    divergence: "qemu-sm3-since-9.2",
    model: { spec: { ...spec, hash: "sm3" } },
    ask: "info",
    before: 9.2,
  },
  {
    divergence: "qemu-sm4-since-9.0",
    model: { spec: { ...spec, cipher: "sm4", mode: "ecb" } },
    ask: "info",
    before: 9,
  },
  {
    divergence: "cryptsetup-hash-of-20-bytes",
    model: { spec: { ...spec, hash: "md5" } },
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-needs-the-kernel",
    model: { spec: { ...spec, cipher: "serpent" } },
    ask: "cryptsetup",
    kernel: true,
  },
  {
    divergence: "cryptsetup-file-size",
    model: { detached: true, cutHeader: true },
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-4000-stripes",
    edits: [set("/key_slots/7/stripes", 3999)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-detached-with-payload-offset",
    model: { detached: true },
    edits: [set("/header/payload_offset", 1)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-sums-of-64-bits",
    edits: [set("/key_slots/0/key_material_offset", 0xffffffff)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-header-by-itself",
    edits: [set("/header/payload_offset", 0)],
    ask: "cryptsetup",
  },
  { divergence: "cryptsetup-key-length", edits: [set("/header/key_bytes", 0)], ask: "cryptsetup" },
  {
    divergence: "cryptsetup-text-of-39-bytes",
    edits: [text("/header/uuid", "a".repeat(40))],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-slot-state",
    edits: [set("/key_slots/7/active", 1)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-payload-is-not-opened",
    model: { detached: true },
    edits: [set("/header/payload_offset", 0x100000)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-unterminated-text",
    edits: [text("/header/cipher_name", "aes", 0x20)],
    ask: "cryptsetup",
  },
  {
    divergence: "cryptsetup-names-when-used",
    edits: [text("/header/cipher_mode", "cbc-essiv")],
    ask: "cryptsetup",
  },
  {
    divergence: "luksdeinfo-cipher-names",
    model: { spec: { ...spec, cipher: "camellia" } },
    ask: "luksdeinfo",
  },
  { divergence: "luksdeinfo-key-length", edits: [set("/header/key_bytes", 0)], ask: "luksdeinfo" },
  { divergence: "luksdeinfo-uuid", edits: [text("/header/uuid", "x")], ask: "luksdeinfo" },
  { divergence: "luksdeinfo-empty-payload", model: { size: 0 }, ask: "luksdeinfo" },
  {
    divergence: "luksdeinfo-header-alone",
    edits: [set("/key_slots/7/active", 1)],
    ask: "luksdeinfo",
  },
];

const TOOLS = ["qemu-img", "qemu-io", "cryptsetup", "luksdeinfo"] as const;

/** A test that runs cases in a directory. */
function withCases(name: string, test: (directory: string, tools: Tools) => Promise<void>): void {
  liveTest({ needs: TOOLS }, name, async (scratch) => {
    const directory = `${scratch}/case`;
    await Deno.mkdir(directory);
    try {
      await test(directory, Object.fromEntries(TOOLS.map((tool) => [tool, versionOf(tool)])));
    } finally {
      await luksDifferential.stop?.();
    }
  });
}

withCases("what the tools are known to differ in, they differ in", async (directory, tools) => {
  const qemu = Number.parseFloat(tools["qemu-img"] ?? "");
  for (const { divergence, before = Infinity, kernel = false, ...rest } of named) {
    const { model = {}, edits = [], ask } = rest;
    const value = { model: modelOf(model), edits, key: "right" as const, ask };
    const report = await luksDifferential.run(value, { directory, tools }) as CaseReport;
    const expected = qemu < before ? [divergence] : [];
    const found = [...new Set(report.divergences ?? [])];
    if (!kernel || found.length > 0) assertEquals(found, expected, divergence);
  }
});

withCases("a sound volume is the same to all tools", async (directory, tools) => {
  for (const ask of ["info", "map", "check", "cryptsetup", "key-slot", "luksdeinfo"] as const) {
    for (const key of ["right", "wrong", "none"] as const) {
      const value = { model: modelOf(), edits: [], key, ask };
      const report = await luksDifferential.run(value, { directory, tools }) as CaseReport;
      assertEquals(
        [report.divergences, report.skipped],
        [undefined, undefined],
        `${ask} ${key}`,
      );
    }
  }
});

Deno.test("each known divergence over LUKS has a case that shows it", () => {
  assertEquals(
    named.map(({ divergence }) => divergence).sort(),
    luks1Divergences.map(({ name }) => name).sort(),
  );
  for (const { tools } of [luks1, chains]) {
    assert(luks1Divergences.every((divergence) => tools.divergences.includes(divergence)));
  }
});
