import { assert, assertEquals } from "@std/assert";
import type { CaseReport } from "../../../fuzz/engine/target.ts";
import { type Compared, signatureOf } from "../../../fuzz/compare/observation.ts";
import type { Toolbox } from "../../../fuzz/compare/tools.ts";
import { filesOf, openWith, sourceOf } from "../../../fuzz/formats/kit.ts";
import { luks2Divergences } from "../../../fuzz/formats/luks2/divergences.ts";
import { luks2 } from "../../../fuzz/formats/luks2/mod.ts";
import type { Edit } from "../../../fuzz/mutate/mod.ts";
import { differential, type DifferentialCase } from "../../../fuzz/targets/differential.ts";
import type { Json } from "../../../src/format/mod.ts";
import type { Luks2Model } from "../../../src/luks2/mod.ts";
import { catalogue } from "../../../src/formats.ts";
import { judgeImage } from "../../../src/image/mod.ts";
import { CryptsetupPeer, toolVersion } from "../../../src/peers/mod.ts";
import { modelOf } from "../../luks2/volumes.ts";
import { liveTest } from "../../live.ts";

/** A difference between the reference and cryptsetup that a run has found. */
interface Named {
  readonly divergence: string;
  readonly model?: Partial<Luks2Model>;
  readonly edits?: readonly Edit[];
  /** With the kernel's help, another library or a later version there is no difference. */
  readonly perhaps?: true;
}

const luks2Differential = differential(luks2);

const inBoth = { path: "/*/json", sealed: true } as const;

function json(member: string, value: Json): Edit {
  return { op: "json", member, value, ...inBoth };
}

const named: readonly Named[] = [
  { divergence: "cryptsetup-digest-lengths", edits: [json("/digests/0/digest", "AAAA")] },
  {
    divergence: "cryptsetup-digest-lengths",
    edits: [json("/digests/0/salt", "AAAA"), json("/digests/0/digest", "é")],
  },
  {
    divergence: "cryptsetup-luks2-needs-the-kernel",
    model: { encryption: "serpent-xts-plain64" },
    perhaps: true,
  },
  {
    divergence: "cryptsetup-abort-for-token-32",
    edits: [{ op: "json-copy", member: "/tokens/32", from: "/tokens/0", ...inBoth }],
    perhaps: true,
  },
];

/** Hands a directory for files to what runs cases. */
function withCases(
  name: string,
  test: (
    run: (value: Partial<DifferentialCase<Luks2Model>>) => Promise<CaseReport>,
  ) => Promise<void>,
): void {
  liveTest({ needs: ["cryptsetup"] }, name, async (scratch) => {
    const directory = `${scratch}/case`;
    await Deno.mkdir(directory);
    const cryptsetup = await toolVersion("cryptsetup");
    try {
      await test(async (value) => {
        const whole = {
          model: modelOf(),
          edits: [],
          key: "right" as const,
          ask: "cryptsetup",
          ...value,
        };
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

withCases("cryptsetup opens named slots of LUKS2 volumes as the reference does", async (run) => {
  for (const key of ["right", "wrong"] as const) {
    // A named slot opens also if no segment has its key.
    const unbound = [json("/segments/0/type", "future"), json("/digests/0/segments", [])];
    for (const edits of [[], unbound]) {
      const { divergences, skipped } = await run({ edits, key, ask: "key-slot" });
      assertEquals([divergences, skipped], [undefined, undefined]);
    }
  }
});

withCases("cryptsetup reads iterations that are no integer as the reference does", async (run) => {
  const opens = { accepted: [true, "1", " +1x"], data: [false, "x", null, [1]] };
  for (const [expected, values] of Object.entries(opens)) {
    for (const value of values) {
      const edits = [json("/digests/0/iterations", value)];
      const { depth, divergences } = await run({ model: modelOf({ digestIterations: 1 }), edits });
      assertEquals([depth, divergences], [expected, undefined], JSON.stringify(value));
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
    assertEquals(skipped, "cryptsetup does not limit the work that a header requires");
  }
});

/** A cryptsetup that does what a few lines of shell say; the action is the first argument. */
function standIn(script: string): CryptsetupPeer {
  const limit = script.includes("sleep") ? { timeoutMs: 2000 } : {};
  return new CryptsetupPeer({ command: ["/bin/sh", "-c", script, "cryptsetup"], ...limit });
}

async function seenWith(
  peer: CryptsetupPeer,
  edits: Edit[] = [],
  ask = "cryptsetup",
): Promise<Compared> {
  const files = filesOf(luks2, modelOf(), edits);
  const passphrases = ["first"];
  const image = openWith(luks2, files, passphrases);
  const path = await Deno.makeTempFile({ prefix: "diskproof-luks2-" });
  try {
    const header = sourceOf(files);
    await Deno.writeFile(path, header.read(0, header.size));
    const judgement = judgeImage(image);
    const subject = { path, format: "luks2", passphrases };
    const tools = { cryptsetup: { peer, version: "0" } } as unknown as Toolbox;
    const asked = { subject, image, judgement, edited: edits.length > 0 };
    return await luks2.tools.compare(asked, ask, tools);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a cryptsetup with a different answer is a failure, and nothing explains it", async () => {
  const dumps = "printf 'Version:\\t2\\nEpoch:\\t3\\nUUID:\\tnone\\n'";
  const says = (slot: number): string => `${dumps}; echo "Key slot ${slot} unlocked."`;
  const opens = 'unlock: the reference says: accepted {"slot":0}; cryptsetup says:';
  const scripts: [string, Edit[], string?, string?][] = [
    [`${says(0)}`, []],
    [
      "exit 1",
      [],
      "info: the reference says: accepted; cryptsetup says: rejected ()",
      "cryptsetup.info.rejected.",
    ],
    [
      dumps,
      [json("/segments", {})],
      "info: the reference says: rejected (luks2.digest.references",
      "cryptsetup.info.accepted.luks2.digest.references",
    ],
    [
      `${says(3)}`,
      [],
      "unlock: at /slot, the reference says 0 and cryptsetup 3",
      "cryptsetup.unlock.accepted.slot",
    ],
    [
      `test "$1" = luksDump && ${dumps}`,
      [],
      `${opens} rejected ()`,
      "cryptsetup.unlock.rejected.",
    ],
    [
      `${dumps}; test "$1" = luksDump || exec sleep 60`,
      [],
      `${opens} timed-out`,
      "cryptsetup.unlock.timed-out.no-answer-within-ms",
    ],
  ];
  for (const [script, edits, expected, signature] of scripts) {
    const { seen: [seen] } = await seenWith(standIn(script), edits);
    assertEquals(seen?.message.slice(0, expected?.length), expected);
    if (seen === undefined) continue;
    assertEquals(signatureOf(seen.observation), signature);
    assertEquals(seen.answers.map(({ by }) => by), ["reference", "cryptsetup 0"]);
    assert(luks2Divergences.every(({ explains }) => !explains(seen.observation)), script);
  }
});

Deno.test("a cryptsetup that opens another slot than the named one is a failure", async () => {
  const script =
    "printf 'Version:\\t2\\nEpoch:\\t3\\nUUID:\\tnone\\n'; echo 'Key slot 0 unlocked.'";
  const { seen: [seen] } = await seenWith(standIn(script), [], "key-slot");
  assertEquals(
    seen?.message,
    "unlock: the reference says: rejected (luks2.key.unlock: The passphrase opens no key slot); " +
      'cryptsetup says: accepted {"slot":0}',
  );
});

Deno.test("each known divergence over LUKS2 has a case that shows it, a rule and a reason", () => {
  const names = luks2Divergences.map(({ name }) => name);
  const shown = new Set(named.map(({ divergence }) => divergence));
  assertEquals([...shown].sort(), [...names].sort());
  assertEquals(new Set(names).size, names.length);
  for (const { rule, because } of luks2Divergences) {
    assert(catalogue.some(({ id }) => id === rule), rule);
    assert(because.length > 40);
  }
});
