/** One cause is one finding, and different causes stay apart. */

import { assertEquals } from "@std/assert";
import { Ledger } from "../../../fuzz/engine/mod.ts";

const FAILURE = { group: "peer", smallest: [], special: [], complete: true } as const;

function ledgerWith(...failures: [signature: string, special: string[], cause?: string[]][]) {
  const ledger = new Ledger();
  for (const [signature, special, cause = special] of failures) {
    ledger.settle({ ...FAILURE, signature, cause, smallest: [signature, ...special], special });
  }
  return ledger.entries.map(({ signature, cause, met }) => [signature, ...cause, met]);
}

Deno.test("failures that look the same and have a trait in common are one finding", () => {
  const failures = ledgerWith(
    ["crash nil pointer", ["extended-l2", "partial", "size"], ["extended-l2", "partial"]],
    ["crash nil pointer", ["size", "snapshots"]],
    ["crash nil pointer", ["header", "size"], ["header"]],
  );
  assertEquals(failures, [["crash", "size", 3]]);
});

Deno.test("failures that look like nothing are one finding if their causes have two traits in common", () => {
  const failures = ledgerWith(
    ["wrong-content", ["backing", "compressed", "short-backing"]],
    ["wrong-content", ["backing", "compressed", "larger-clusters"]],
  );
  assertEquals(failures, [["wrong-content", "backing", "compressed", 2]]);
});

Deno.test("failures stay apart that look different, or have nothing in common", () => {
  const failures = ledgerWith(
    ["crash nil pointer", ["zstd", "size"]],
    ["crash stack overflow", ["size", "snapshots"]],
    ["crash nil pointer", ["compressed"]],
    ["hang nil pointer", ["zstd"]],
    ["wrong-content", ["zstd", "backing"]],
    ["wrong-content", ["zstd", "snapshots"]],
  );
  assertEquals(failures, [
    ["crash", "zstd", "size", 1],
    ["crash", "size", "snapshots", 1],
    ["crash", "compressed", 1],
    ["hang", "zstd", 1],
    ["wrong-content", "zstd", "backing", 1],
    ["wrong-content", "zstd", "snapshots", 1],
  ]);
});

Deno.test("a hang whose case could not be made small is counted with the others", () => {
  const ledger = new Ledger();
  ledger.know({ group: "peer", signature: "hang", cause: ["compressed"] });
  const failure = { ...FAILURE, signature: "hang No answer", cause: ["zstd"], smallest: ["zstd"] };
  ledger.settle({ ...failure, complete: false });
  assertEquals(ledger.entries.map(({ cause }) => cause), [["compressed"]]);
  ledger.settle(failure);
  assertEquals(ledger.entries.map(({ cause }) => cause), [["compressed"], ["zstd"]]);
});
