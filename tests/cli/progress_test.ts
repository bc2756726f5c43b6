import { assertEquals, assertMatch } from "@std/assert";
import { Progress } from "../../src/cli/progress.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

Deno.test("--progress changes neither the output nor the errors of what takes less than a second", () =>
  withDirectory(async (directory) => {
    const made = await diskproof(directory, ["create", "-f", "qcow2", "disk", "1M"]);
    assertEquals(made, { status: 0, stdout: "", stderr: "" });
    for (
      const args of [["check", "--json", "disk"], ["judge", "disk"], ["convert", "disk", "out"]]
    ) {
      const without = await diskproof(directory, args);
      assertEquals([without.status, without.stderr], [0, ""]);
      assertEquals(await diskproof(directory, [...args, "--progress"]), without, args.join(" "));
    }
  }));

/** What a piece of work prints on a terminal. */
function onTerminal(work: () => void): string {
  const { isTerminal, writeSync } = Deno.stderr;
  const now = performance.now.bind(performance);
  const decoder = new TextDecoder();
  let printed = "";
  let calls = 0;
  Deno.stderr.isTerminal = () => true;
  Deno.stderr.writeSync = (bytes) => {
    printed += decoder.decode(bytes);
    return bytes.length;
  };
  // Each look at the clock takes a quarter of a second.
  performance.now = () => 250 * calls++;
  try {
    work();
  } finally {
    Object.assign(Deno.stderr, { isTerminal, writeSync });
    performance.now = now;
  }
  return printed;
}

Deno.test("on a terminal, progress is one line from the first second on, which is removed at the end", () => {
  const report = (done: readonly number[]): string =>
    onTerminal(() => {
      const progress = new Progress(1);
      for (const bytes of done) progress.at(0, bytes, 4096);
      progress.clear();
    });
  assertEquals(report([256, 512, 768]), "");
  assertMatch(
    report([256, 512, 768, 1024, 2048]),
    // deno-lint-ignore no-control-regex
    /^\r\x1b\[K1 KiB of 4 KiB {2}1 KiB\/s {2}3 s left\r\x1b\[K2 KiB of 4 KiB {2}[\d.]+ KiB\/s {2}2 s left\r\x1b\[K$/,
  );
});
