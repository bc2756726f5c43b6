import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { liveTest } from "../../live.ts";
import { eventsOf, type Outcome, taskArguments } from "./child.ts";

/** A qemu-img that makes images and has one answer to every question. */
const ONE_ANSWER = `#!/bin/sh
case "$1" in
  --version) echo "qemu-img version 7.2.0" ;;
  create) exec QEMU_IMG "$@" ;;
  *) printf '%s' 'no json \\001' ;;
esac
`;

/** Runs Deno with the folder in front of the others on the PATH. */
async function runWith(folder: string, args: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'PATH="$0:$PATH" exec deno "$@"', folder, ...args],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function pathOf(tool: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", `command -v ${tool}`] })
    .output();
  return new TextDecoder().decode(stdout).trim();
}

liveTest(
  { needs: ["qemu-img", "qemu-io"] },
  "fuzz keeps a malformed answer of a tool as a finding with its bytes, goes on, and repro repeats it",
  async (directory) => {
    const tool = ONE_ANSWER.replace("QEMU_IMG", await pathOf("qemu-img"));
    Deno.writeTextFileSync(`${directory}/qemu-img`, tool, { mode: 0o755 });
    const artifacts = `${directory}/artifacts`;
    const args = ["differential", "--runs", "40", "--seed", "1", "--artifacts", artifacts];
    const run = await runWith(directory, taskArguments("fuzz", [...args, "--json"]));
    assertEquals([run.status, run.stderr], [1, ""]);
    const events = eventsOf(run);
    const malformed = events.filter(({ event, kind }) =>
      event === "failure" && kind === "malformed-answer"
    );
    assertEquals(
      malformed.map(({ signature }) =>
        String(signature).replace(/\.(info|map|check|open)\./, ".*.")
      )
        .filter((signature) => signature !== "qemu-img.*.malformed-answer.the-answer-is-not-json"),
      [],
    );
    const kinds = events.filter(({ event }) => event === "failure").map(({ kind }) => kind);
    assertEquals(new Set(kinds), new Set(["malformed-answer"]));
    const [first] = malformed;
    assertStringIncludes(JSON.stringify(first?.answers), String.raw`no json \\\\001`);
    const [target] = events.filter(({ event }) => event === "target");
    assertEquals(target?.end, "runs");

    const artifact = String(first?.artifact);
    const again = await runWith(directory, taskArguments("repro", [artifact]));
    assertEquals(again.status, 1);
    assertMatch(again.stdout, /fails as before: malformed-answer, qemu-img\./);
    assertMatch(again.stdout, /^Answers:\n {2}reference +qemu-img 7\.2\.0$/m);
  },
);
