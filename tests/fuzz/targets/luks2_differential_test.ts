import { assert, assertEquals } from "@std/assert";
import type { CaseReport } from "../../../fuzz/engine/target.ts";
import { compareLuks2, type Luks2Compared } from "../../../fuzz/targets/luks2_answers.ts";
import {
  luks2Differential,
  type Luks2DifferentialCase,
} from "../../../fuzz/targets/luks2_differential.ts";
import { luks2Divergences } from "../../../fuzz/targets/luks2_divergences.ts";
import type { CopyEdit } from "../../../fuzz/targets/luks2_edits.ts";
import { openLuks2 } from "../../../fuzz/targets/luks2_trial.ts";
import { luks2Files } from "../../../fuzz/targets/luks2_volume.ts";
import type { Json } from "../../../src/format/mod.ts";
import type { Luks2Model } from "../../../src/luks2/mod.ts";
import { catalogue } from "../../../src/formats.ts";
import { CryptsetupPeer, toolVersion } from "../../../src/peers/mod.ts";
import { modelOf } from "../../luks2/volumes.ts";
import { liveTest } from "../../live.ts";

/** A difference between the reference and cryptsetup that a run has found. */
interface Named {
  readonly divergence: string;
  readonly model?: Partial<Luks2Model>;
  readonly edits?: readonly CopyEdit[];
  /** With the kernel's help, another library or a later version there is no difference. */
  readonly perhaps?: true;
}

function json(path: string, value: Json): CopyEdit {
  return { op: "json", path, value, copies: "both" };
}

const named: readonly Named[] = [
  { divergence: "cryptsetup-digest-lengths", edits: [json("/digests/0/digest", "AAAA")] },
  {
    divergence: "cryptsetup-luks2-needs-the-kernel",
    model: { encryption: "serpent-xts-plain64" },
    perhaps: true,
  },
  {
    divergence: "cryptsetup-abort-for-token-32",
    edits: [{ op: "json-copy", path: "/tokens/32", from: "/tokens/0", copies: "both" }],
    perhaps: true,
  },
];

/** Hands a directory for files to what runs cases. */
function withCases(
  name: string,
  test: (run: (value: Partial<Luks2DifferentialCase>) => Promise<CaseReport>) => Promise<void>,
): void {
  liveTest({ needs: ["cryptsetup"] }, name, async (scratch) => {
    const directory = `${scratch}/case`;
    await Deno.mkdir(directory);
    const cryptsetup = await toolVersion("cryptsetup");
    try {
      await test(async (value) => {
        const whole = { model: modelOf(), edits: [], key: "right" as const, ...value };
        return await luks2Differential.run(whole, { directory, tools: { cryptsetup } });
      });
    } finally {
      await luks2Differential.stop?.();
    }
  });
}

withCases("what cryptsetup is known to differ in over LUKS2, it differs in", async (run) => {
  for (const { divergence, model = {}, edits = [], perhaps = false } of named) {
    const { divergences = [] } = await run({ model: modelOf(model), edits });
    if (!perhaps || divergences.length > 0) assertEquals(divergences, [divergence]);
  }
});

withCases("cryptsetup opens sound LUKS2 volumes as the reference does", async (run) => {
  for (const detached of [false, true]) {
    for (const key of ["right", "wrong", "none"] as const) {
      const { depth, ...report } = await run({ model: modelOf({ detached }), key });
      assertEquals([report.divergences, report.skipped], [undefined, undefined]);
      assertEquals(depth, key === "right" ? "accepted" : "data");
    }
  }
});

withCases(
  "cryptsetup ends its search at a key slot past the file as the reference does",
  async (run) => {
    const { divergences, rules } = await run({ edits: [json("/keyslots/0/key_size", 144)] });
    assertEquals(divergences, undefined);
    assert(rules.includes("luks2.area.readable"));
  },
);

withCases("cryptsetup is not asked for work without end, and says so", async (run) => {
  const costs = [
    json("/keyslots/0/kdf/iterations", 2 ** 31 - 1),
    json("/keyslots/3/kdf/time", -1),
    json("/keyslots/3/kdf/memory", 2 ** 31 - 1),
    json("/keyslots/0/area/key_size", 2 ** 30),
    json("/digests/0/iterations", 2 ** 31),
  ];
  for (const cost of costs) {
    const { skipped } = await run({ edits: [cost] });
    assertEquals(skipped, "the header asks for more work than cryptsetup is let do");
  }
});

/** A cryptsetup that does what a few lines of shell say; the action is the first argument. */
function standIn(script: string): CryptsetupPeer {
  const limit = script.includes("sleep") ? { timeoutMs: 2000 } : {};
  return new CryptsetupPeer({ command: ["/bin/sh", "-c", script, "cryptsetup"], ...limit });
}

async function seenWith(peer: CryptsetupPeer, edits: CopyEdit[] = []): Promise<Luks2Compared> {
  const model = modelOf();
  const passphrase = "first";
  const files = luks2Files(model, edits);
  const image = openLuks2(files, passphrase);
  const path = await Deno.makeTempFile({ prefix: "diskproof-luks2-" });
  try {
    const { header } = files;
    await Deno.writeFile(path, header.read(0, header.size));
    const version = "0";
    return await compareLuks2({ subject: { path }, header, image, passphrase, peer, version });
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a cryptsetup that answers otherwise is seen, and nothing explains it", async () => {
  const dumps = "printf 'Version:\\t2\\nEpoch:\\t3\\nUUID:\\tnone\\n'";
  const says = (slot: number): string => `${dumps}; echo "Key slot ${slot} unlocked."`;
  const scripts: [string, CopyEdit[], string | undefined][] = [
    [`${says(0)}`, [], undefined],
    ["exit 1", [], "dump: takes it; cryptsetup rejected ()"],
    [dumps, [json("/segments", {})], "dump: rejected (luks2.digest.references"],
    [`${says(3)}`, [], "unlock: opens slot 0; cryptsetup opens slot 3"],
    [`test "$1" = luksDump && ${dumps}`, [], "unlock: opens slot 0; cryptsetup rejected ()"],
    [
      `${dumps}; test "$1" = luksDump || exec sleep 60`,
      [],
      "unlock: opens slot 0; cryptsetup timed-out",
    ],
  ];
  for (const [script, edits, expected] of scripts) {
    const { seen } = await seenWith(standIn(script), edits);
    assertEquals(seen?.message.slice(0, expected?.length), expected);
    if (seen === undefined) continue;
    assert(luks2Divergences.every(({ explains }) => !explains(seen.observation)), script);
  }
});

Deno.test("each known divergence over LUKS2 has a case that shows it, a rule and a reason", () => {
  const names = luks2Divergences.map(({ name }) => name);
  assertEquals(named.map(({ divergence }) => divergence).sort(), [...names].sort());
  assertEquals(new Set(names).size, names.length);
  for (const { rule, because } of luks2Divergences) {
    assert(catalogue.some(({ id }) => id === rule), rule);
    assert(because.length > 40);
  }
});
