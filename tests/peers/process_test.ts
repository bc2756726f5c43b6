import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { PeerError, runTool } from "../../src/peers/mod.ts";
import { startTool } from "../../src/peers/tool/process.ts";

/** A shell stands in for a tool here; nothing outside the tests goes through one. */
function sh(script: string): string[] {
  return ["/bin/sh", "-c", script];
}

Deno.test("runTool() gives exit status, standard output and standard error", async () => {
  const result = await runTool(sh("echo out; echo err >&2; exit 63"));
  assertEquals(result, {
    end: { kind: "exited", code: 63 },
    stdout: "out\n",
    stderr: "err\n",
  });
});

Deno.test("runTool() distinguishes death by a signal from every exit status", async () => {
  const crashed = await runTool(sh("kill -SEGV $$"));
  assertEquals(crashed.end, { kind: "crashed", signal: "SIGSEGV" });
  const killed = await runTool(sh("kill -KILL $$"));
  assertEquals(killed.end, { kind: "crashed", signal: "SIGKILL" });
  const status = await runTool(sh("exit 139"));
  assertEquals(status.end, { kind: "exited", code: 139 });
});

Deno.test("runTool() kills a tool that ignores SIGTERM and takes too long", async () => {
  const result = await runTool(sh("trap '' TERM; echo begun; while :; do :; done"), {
    timeoutMs: 300,
  });
  assertEquals(result.end, { kind: "timed-out", timeoutMs: 300 });
  assertEquals(result.stdout, "begun\n");
});

Deno.test("runTool() does not wait for a child that the tool has left behind", async () => {
  const result = await runTool(sh("sleep 20 & echo done"), { timeoutMs: 10_000 });
  // A tool that is waited for longer than its time limit has timed out.
  assertEquals(result.end, { kind: "exited", code: 0 });
  assertEquals(result.stdout, "done\n");
});

Deno.test("runTool() accepts output up to its limit and kills a tool that prints more", async () => {
  const exact = await runTool(sh("printf 12345678"), { stdoutLimit: 8 });
  assertEquals(exact.end, { kind: "exited", code: 0 });
  const flooded = await runTool(sh("while :; do echo 12345678; done"), { stdoutLimit: 8 });
  assertEquals(flooded.end, { kind: "flooded", limit: 8 });
  assertEquals(flooded.stdout, "12345678");
});

Deno.test("runTool() gives a tool LC_ALL=C, no standard input, and no other variable", async () => {
  const { stdout } = await runTool(["/usr/bin/env"]);
  assertEquals(stdout, "LC_ALL=C\n");
  const input = await runTool(sh("cat; echo end"));
  assertEquals(input.stdout, "end\n");
});

Deno.test("runTool() runs a tool in the directory it is given", async () => {
  const { stdout } = await runTool(sh("pwd"), { directory: "/" });
  assertEquals(stdout, "/\n");
});

Deno.test("runTool() says which tool cannot be started", async () => {
  let message = "";
  try {
    await runTool(["diskproof-no-such-tool"]);
  } catch (error) {
    assertEquals(error instanceof PeerError, true);
    message = (error as Error).message;
  }
  assertStringIncludes(message, "Cannot start diskproof-no-such-tool: ");
  assertThrows(() => startTool([]), PeerError, "Cannot start a tool: its command is empty");
  assertMatch(message, /[^.]$/);
});
