import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  CryptsetupPeer,
  probeTool,
  QemuImgPeer,
  ToolError,
  type ToolState,
  toolVersion,
  withScratch,
} from "../../src/peers/mod.ts";
import { denoWithFakes, type Fake } from "./fake_tools.ts";

const SCRIPT = new URL("probe_all.ts", import.meta.url).pathname;

/** The state of each tool where these tools are on the PATH and may be run. */
function statesOf(
  tools: Readonly<Record<string, Fake>>,
  permissions: readonly string[],
): Promise<Record<string, ToolState>> {
  return withScratch(async (directory) => {
    const args = ["run", "--quiet", "--no-prompt", "--allow-read", ...permissions, SCRIPT];
    const { status, stdout, stderr } = await denoWithFakes(directory, tools, args);
    assertEquals([status, stderr], [0, ""]);
    return JSON.parse(stdout);
  }, "/tmp");
}

/** A tool that is a script. */
function sh(script: string): { command: readonly string[] } {
  return { command: ["/bin/sh", "-c", script, "sh"] };
}

Deno.test("probeTool() calls a tool missing only where no program of its name is there", async () => {
  const fakes = {
    "qemu-img": "uninterpreted",
    "qemu-io": "fails",
    cryptsetup: "dies",
    luksdeinfo: "hangs",
  } as const;
  const all = "--allow-run=qemu-img,qemu-io,qemu-nbd,cryptsetup,luksdeinfo";
  const states = await statesOf(fakes, [all]);
  assertEquals(Object.entries(states).map(([tool, { state }]) => [tool, state]), [
    ["qemu-img", "broken"],
    ["qemu-io", "broken"],
    ["qemu-nbd", "missing"],
    ["cryptsetup", "broken"],
    ["luksdeinfo", "hangs"],
  ]);
  const messages = Object.values(states).map((it) => "message" in it ? it.message : "");
  assertMatch(messages[0] ?? "", /^Cannot start qemu-img: .*No such file or directory/);
  assertEquals(messages.slice(1), [
    "qemu-io --version exited with status 1: cannot load a library",
    "Cannot start qemu-nbd: it is not on the PATH",
    "cryptsetup --version was killed by SIGSEGV",
    "luksdeinfo -V did not finish within 1 s",
  ]);
});

Deno.test("probeTool() calls a tool denied where Deno may not run it", async () => {
  const states = await statesOf({ "qemu-img": "fails", "qemu-io": "fails" }, [
    "--allow-run=qemu-io",
  ]);
  assertEquals(states["qemu-img"], {
    state: "denied",
    message: "Deno has no permission to run qemu-img (add it to --allow-run)",
  });
  assertEquals(states["qemu-io"]?.state, "broken");
});

Deno.test("probeTool() reads the version that each tool prints", async () => {
  const printed = [
    ["qemu-img", "qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", "7.2.22"],
    ["qemu-img", "qemu-img version 11.1.3", "11.1.3"],
    ["qemu-io", "qemu-io version 7.2.22 (Debian 1:7.2+dfsg-7)", "7.2.22"],
    ["qemu-nbd", "qemu-nbd 7.2.22 (Debian 1:7.2+dfsg-7)", "7.2.22"],
    ["cryptsetup", "cryptsetup 2.6.1 flags: UDEV BLKID", "2.6.1"],
    ["luksdeinfo", "luksdeinfo 20200205", "20200205"],
  ] as const;
  for (const [tool, line, version] of printed) {
    assertEquals(await probeTool(tool, sh(`echo '${line}'`)), { state: "works", version });
  }
});

Deno.test("probeTool() says what a broken tool printed and how it ended", async () => {
  const message = async (script: string): Promise<string> => {
    const found = await probeTool("qemu-img", { ...sh(script), timeoutMs: 5_000 });
    assertEquals(found.state, "broken");
    return "message" in found ? found.message.replace(/^.* sh --version /s, "") : "";
  };
  assertEquals(await message("echo version 7.2; exit 3"), "exited with status 3: version 7.2");
  assertEquals(await message("echo one; echo two >&2; exit 1"), "exited with status 1: two");
  assertEquals(await message("kill -ABRT $$"), "was killed by SIGABRT");
  assertEquals(await message("echo hello"), "printed no version: hello");
  assertEquals(await message(":"), "printed no version");
});

Deno.test("probeTool() kills a tool that ignores SIGTERM and leaves a child with its output", async () => {
  const script = "trap '' TERM; sleep 20 & while :; do :; done";
  const { state } = await probeTool("qemu-img", { ...sh(script), timeoutMs: 200 });
  assertEquals(state, "hangs");
});

Deno.test("toolVersion() and the peers throw what is wrong with a tool", async () => {
  const broken = sh("exit 1");
  const asked = [
    () => toolVersion("qemu-img", broken),
    () => new QemuImgPeer(broken).describe(),
    () => new CryptsetupPeer(broken).describe(),
  ];
  for (const ask of asked) {
    const { trouble } = await assertRejects(ask, ToolError, "exited with status 1");
    assertEquals(trouble, "broken");
  }
  const { trouble } = await assertRejects(
    () => toolVersion("qemu-img", { command: ["diskproof-no-such-tool"] }),
    ToolError,
  );
  assertEquals(trouble, "missing");
});
