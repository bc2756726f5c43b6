import { assertEquals } from "@std/assert";
import { runDeno } from "./child.ts";

Deno.test("importing the fuzzer and its targets reads no file and needs no permission", async () => {
  const outcome = await runDeno(["run", "--quiet", "--no-prompt", "tests/fuzz/cli/import_all.ts"]);
  assertEquals(outcome, { status: 0, stdout: "", stderr: "" });
});
