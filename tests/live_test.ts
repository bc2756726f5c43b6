import { assertEquals, assertStringIncludes } from "@std/assert";
import { TEST_PERMISSIONS } from "../scripts/test.ts";
import { withScratch } from "../src/peers/mod.ts";
import { denoWithFakes, type Fake, type Run } from "./peers/fake_tools.ts";

const LIVE = new URL("live.ts", import.meta.url).href;

/** Runs a test file with one live test that fails if it runs, with these tools on the PATH. */
function runLive(
  needs: readonly string[],
  { tools, required }: { tools: Readonly<Record<string, Fake>>; required: boolean },
): Promise<Run> {
  return withScratch((directory) => {
    const file = `${directory}/one_test.ts`;
    const test = `liveTest({ needs: ${JSON.stringify(needs)} }, "one", () => Promise.reject(1));`;
    Deno.writeTextFileSync(file, `import { liveTest } from "${LIVE}";\n${test}\n`);
    const args = ["test", "--no-prompt", "--no-check", ...TEST_PERMISSIONS, file];
    return denoWithFakes(directory, tools, args, {
      DISKPROOF_REQUIRE_TOOLS: required ? "1" : "",
    });
  }, "/tmp");
}

Deno.test("liveTest() ignores a test whose tool is missing, and says why", async () => {
  const { status, stdout } = await runLive(["qemu-img"], { tools: {}, required: false });
  assertEquals(status, 0, stdout);
  assertStringIncludes(stdout, "skipped: one: Cannot start qemu-img: it is not on the PATH\n");
  assertStringIncludes(stdout, "0 passed | 0 failed | 1 ignored");
});

Deno.test("liveTest() fails for a tool that is required and missing or broken", async () => {
  const tools = { cryptsetup: "fails" } as const;
  for (
    const [need, message] of [
      ["qemu-img", "Cannot start qemu-img: it is not on the PATH"],
      ["qemu-img 9.0", "Cannot start qemu-img: it is not on the PATH"],
      ["cryptsetup", "cryptsetup --version exited with status 1: cannot load a library"],
      ["tar", "Cannot start tar: it is not on the PATH"],
    ] as const
  ) {
    const { status, stdout, stderr } = await runLive([need], { tools, required: true });
    assertEquals(status, 1, need);
    assertStringIncludes(stdout + stderr, `DISKPROOF_REQUIRE_TOOLS: ${message}`);
  }
});
