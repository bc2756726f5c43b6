import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  compareOutcomes,
  ExecPeer,
  type Outcome,
  QemuImgPeer,
  QemuIoSession,
  ScratchError,
} from "../../src/peers/mod.ts";

const SUBJECT = { path: "disk" };

/** A qemu-img that does what a shell script does; `$1` is the verb. */
function qemuImg(script: string): QemuImgPeer {
  return new QemuImgPeer({ command: ["/bin/sh", "-c", script, "qemu-img"] });
}

/** Reason and bytes of a malformed answer. */
function malformed(outcome: Outcome<unknown>): readonly [string, string] {
  if (outcome.outcome === "malformed-answer") return [outcome.message, outcome.printed];
  throw new Error(`It is ${JSON.stringify(outcome)}`);
}

Deno.test("an answer of qemu-img in another shape is malformed, with its bytes", async () => {
  const cases: [string, "info" | "map" | "check", string, string][] = [
    ["", "info", "The answer is empty", ""],
    ["printf '\\n'", "map", "The answer is empty", "\\n"],
    ["printf '{'", "check", "The answer is not JSON", "{"],
    ["printf null", "info", "The answer is not a JSON object", "null"],
    ["printf null", "check", "The answer is not a JSON object", "null"],
    ["printf '[]'", "info", "The answer is not a JSON object", "[]"],
    ["printf '{}'", "info", "The answer to info has no virtual-size or no format", "{}"],
    [
      "printf '[1]'",
      "map",
      "The answer to map is not a list of entries with start and length",
      "[1]",
    ],
    [
      `printf '{"leaks": "1"}'; exit 3`,
      "check",
      "The answer to check has a value of leaks that is not a number",
      '{"leaks": "1"}',
    ],
    [
      String.raw`printf '\377\\ \303\244\001'`,
      "info",
      "The answer is not JSON",
      "\\xff\\\\ \\xc3\\xa4\\x01",
    ],
  ];
  for (const [script, verb, message, printed] of cases) {
    assertEquals(malformed(await qemuImg(script)[verb](SUBJECT)), [message, printed], script);
  }
});

Deno.test("a deeply nested answer is malformed", async () => {
  const nested = (depth: number) =>
    `printf '{"format": "raw", "virtual-size": 0, "x": '; printf '[%.0s' $(seq ${depth}); ` +
    `printf ']%.0s' $(seq ${depth}); printf '}'`;
  assertEquals((await qemuImg(nested(90)).info(SUBJECT)).outcome, "accepted");
  for (const depth of [110, 100_000]) {
    const [message] = malformed(await qemuImg(nested(depth)).info(SUBJECT));
    // A parser that gives up earlier than that says that it is not JSON.
    assertEquals(/nested too deeply|not JSON/.test(message), true, message);
  }
});

Deno.test("a long malformed answer is cut off", async () => {
  const [, printed] = malformed(await qemuImg("printf 'x%.0s' $(seq 5000)").info(SUBJECT));
  assertEquals(printed, `${"x".repeat(1024)}… (5000 bytes)`);
});

Deno.test("what qemu-io prints that is not a map is malformed", async () => {
  const script =
    `while printf 'qemu-io> ' && read -r line; do case "$line" in map) echo nothing;; ` +
    `end-of-batch*) echo "command \\"$line\\" not found" >&2;; esac; done`;
  const session = new QemuIoSession({ command: ["/bin/sh", "-c", script] });
  try {
    const map = await session.map({ path: "disk", format: "raw" });
    assertEquals(malformed(map), ["The answer to map is not a map", "nothing\\n"]);
  } finally {
    await session.close();
  }
});

Deno.test("a malformed answer is the same as no other, not even as another malformed one", async () => {
  const answer = await new ExecPeer({ command: ["/bin/sh", "-c", "echo no"] }).info(SUBJECT);
  assertEquals(malformed(answer), ["The answer is not JSON", "no\\n"]);
  const accepted = { outcome: "accepted", value: 1 } as const;
  for (const other of [accepted, { outcome: "rejected", message: "no" } as const, answer]) {
    const [difference] = compareOutcomes<unknown>(other, answer, { values: () => [] });
    assertEquals((difference?.right as { outcome: string }).outcome, "malformed-answer");
  }
});

Deno.test("a full scratch folder is not a rejection of an image", async () => {
  const script =
    `if [ "$1" = info ]; then echo '{"format": "raw", "virtual-size": 512}'; exit 0; fi; ` +
    "echo 'qemu-img: error while writing at byte 0: No space left on device' >&2; exit 1";
  const error = await assertRejects(() => qemuImg(script).digest(SUBJECT), ScratchError);
  assertStringIncludes(error.message, "Cannot write to the scratch folder: ");
  assertStringIncludes(error.message, "No space left on device");
});
