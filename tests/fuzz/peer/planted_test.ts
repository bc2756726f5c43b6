import { assert, assertEquals } from "@std/assert";
import { Ledger } from "../../../fuzz/engine/mod.ts";
import { fuzzPlanted } from "./under_test.ts";

interface Planting {
  readonly bug: string;
  readonly target: string;
  /** Cases at most. */
  readonly runs: number;
  readonly seed?: number;
  /** Cases that have to fail before the run ends early; two by default, so that one fails again. */
  readonly failed?: number;
  /** The kind and the cause of the finding. */
  readonly finding: readonly [kind: string, ...cause: string[]];
}

const PLANTED: readonly Planting[] = [
  {
    bug: "compressed",
    target: "peer-content",
    runs: 200,
    finding: ["wrong-content", "compressed"],
  },
  { bug: "zero", target: "peer-content", runs: 400, finding: ["wrong-content", "zero-flag"] },
  {
    bug: "subcluster",
    target: "peer-content",
    runs: 500,
    failed: Infinity,
    finding: ["wrong-content", "extended-l2"],
  },
  {
    bug: "last-cluster",
    target: "peer-content",
    runs: 200,
    finding: ["wrong-content", "partial-last-cluster"],
  },
  {
    bug: "backing",
    target: "peer-content",
    runs: 1000,
    finding: ["wrong-content", "backing", "short-backing"],
  },
  {
    bug: "hang",
    target: "peer-malformed",
    runs: 2000,
    seed: 5,
    failed: 1,
    finding: ["hang", "qcow2.header.cluster-bits-min"],
  },
  {
    bug: "crash",
    target: "peer-malformed",
    runs: 400,
    seed: 2,
    failed: Infinity,
    finding: ["crash", "qcow2.l1.offset"],
  },
  {
    bug: "unknown-bit",
    target: "peer-malformed",
    runs: 900,
    finding: ["accepts-invalid", "qcow2.header.incompat-unknown"],
  },
  {
    bug: "map",
    target: "peer-map",
    runs: 200,
    failed: Infinity,
    finding: ["wrong-map", "compressed"],
  },
];

for (const { bug, target, runs, seed = 1, failed = 2, finding } of PLANTED) {
  Deno.test(`fuzz --peer finds the planted bug '${bug}' once, with its kind and cause`, async () => {
    const { findings, failures, status } = await fuzzPlanted(bug, {
      targets: [target],
      runs,
      seed,
      until: { reported: 1, failed },
    });
    assertEquals(findings.map(({ entry }) => [entry.signature, ...entry.cause]), [[...finding]]);
    assertEquals([failures.length, status], [1, 1]);
  });
}

Deno.test("fuzz --peer goes on past a known finding and finds the next one", async () => {
  const ledger = new Ledger();
  const known = { group: "compressed+last-cluster", signature: "wrong-content" };
  ledger.know({ ...known, cause: ["compressed"] });
  const bugs = "compressed+last-cluster";
  const { findings, failures } = await fuzzPlanted(bugs, {
    targets: ["peer-content"],
    runs: 500,
    until: { reported: 1, failed: Infinity },
    ledger,
  });
  assertEquals(findings.map(({ entry }) => [entry.known, ...entry.cause]), [
    [true, "compressed"],
    [false, "partial-last-cluster"],
  ]);
  assert(findings.every(({ count }) => count > 0), "a finding is not met");
  assertEquals(failures.length, 1);
});

Deno.test("fuzz --peer finds two planted bugs of one kind, each once", async () => {
  const { findings } = await fuzzPlanted("compressed+last-cluster", {
    targets: ["peer-content"],
    runs: 500,
    seed: 2,
    until: { reported: 2, failed: 20 },
  });
  const causes = findings.map(({ entry }) => entry.cause);
  assertEquals(causes.toSorted(), [["compressed"], ["partial-last-cluster"]]);
});
