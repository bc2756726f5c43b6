import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import config from "../../../deno.json" with { type: "json" };
import { liveTest } from "../../live.ts";
import { denoCommand, runDeno, runTask, taskArguments, withDirectory } from "./child.ts";

interface Interrupted {
  readonly status: number;
  readonly stdout: string;
}

/** Starts a run, sends it a signal as soon as it prints a text, and waits for its end. */
async function interrupted(
  args: readonly string[],
  signal: Deno.Signal,
  when: string,
): Promise<Interrupted> {
  const child = denoCommand(taskArguments("fuzz", args)).spawn();
  let stdout = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (!stdout.includes(when) && (stdout + chunk).includes(when)) child.kill(signal);
    stdout += chunk;
  }
  await child.stderr.cancel();
  return { status: (await child.status).code, stdout };
}

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(
    `fuzz exits with ${status} on ${signal} when it has found nothing, and says so`,
    withDirectory(async (directory) => {
      const args = ["qcow-open", "--seed", "5", "--time", "1h", "--artifacts", directory];
      const run = await interrupted(args, signal, "seed 5, 1 target");
      assertEquals(run.status, status);
      assertMatch(run.stdout, /\ninterrupted, no failures, seed 5\n$/);
    }),
  );
}

Deno.test(
  "fuzz exits with 1 when it is interrupted after a failure",
  withDirectory(async (directory) => {
    const args = ["canary", "--seed", "7", "--time", "1h", "--artifacts", directory];
    const run = await interrupted(args, "SIGTERM", "FAILURE");
    assertEquals(run.status, 1);
    assertMatch(run.stdout, /\ninterrupted, \d+ (different failures|failure), seed 7\n$/);
  }),
);

Deno.test(
  "fuzz exits with 3 where artifacts cannot be written, before it runs anything",
  withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    const run = await runTask("fuzz", ["canary", "--artifacts", `${directory}/file/artifacts`]);
    assertEquals([run.status, run.stdout], [3, ""]);
    assertMatch(run.stderr, /^diskproof: Cannot write to [^\n]*\n$/);
  }),
);

Deno.test(
  "fuzz exits with 3 and keeps no artifact where golden/images is empty",
  withDirectory(async (directory) => {
    const root = new URL("../../../", import.meta.url).pathname;
    const copy = `${directory}/copy`;
    const script = `mkdir -p ${copy}/golden/images && cd ${root} &&
      cp -R src fuzz scripts deno.json deno.lock mod.ts ${copy}`;
    await new Deno.Command("/bin/sh", { args: ["-c", script] }).output();
    const [, ...words] = config.tasks.fuzz.command.split(" ");
    const args = ["golden", "--runs", "3", "--artifacts", `${directory}/artifacts`];
    const { code, stdout } = await new Deno.Command("deno", {
      args: [...words, ...args],
      cwd: copy,
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 3, text);
    assertMatch(text, /trouble: Cannot find recorded images: \S*\/golden\/images is empty/);
    assert(!text.includes("FAILURE"));
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["copy"]);
  }),
);

liveTest(
  { needs: ["qemu-img", "qemu-io"] },
  "fuzz exits with 3 and keeps no artifact where scratch files cannot be written",
  async (directory) => {
    const artifacts = `${directory}/artifacts`;
    const args = ["differential", "--runs", "100", "--seed", "1", "--artifacts", artifacts];
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      // No file may have more than 16 KiB, and a program lives on that tries to write more.
      args: [
        "-c",
        'trap "" XFSZ; ulimit -f 32; exec deno "$@"',
        "sh",
        ...taskArguments("fuzz", args),
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 3, text);
    assertMatch(text, /^ {2}trouble: /m);
    assert(!text.includes("FAILURE"), text);
    assertThrows(() => Deno.statSync(artifacts), Deno.errors.NotFound);
  },
);

Deno.test(
  "fuzz keeps its files below TMPDIR, and removes those of a run that was killed",
  withDirectory(async (directory) => {
    const scratch = `${directory}/scratch`;
    Deno.mkdirSync(scratch);
    const left = () => [...Deno.readDirSync(scratch)].length;
    const args = ["qcow-open", "--artifacts", `${directory}/artifacts`, "--time"];
    const child = denoCommand(taskArguments("fuzz", [...args, "1h"]), { TMPDIR: scratch }).spawn();
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (text.includes("1 target")) child.kill("SIGKILL");
    }
    await child.stderr.cancel();
    await child.status;
    assertEquals(left(), 1);
    const next = denoCommand(taskArguments("fuzz", [...args, "100ms"]), { TMPDIR: scratch });
    assertEquals((await next.output()).code, 0);
    assertEquals(left(), 0);
  }),
);

Deno.test("all ways to start the fuzzer have the same permissions", () => {
  const flags = (command: string) => command.split(" ").filter((word) => word.startsWith("--"));
  const { diskproof, fuzz, repro, minimize } = config.tasks;
  for (const task of [fuzz, repro, minimize]) {
    assertEquals(flags(task.command), flags(diskproof.command));
    assertStringIncludes(task.command, diskproof.command);
  }
});

Deno.test("fuzz --help says what its exit statuses are", async () => {
  const { stdout } = await runDeno(taskArguments("fuzz", ["--help"]));
  for (const words of ["130 (SIGINT)", "143 (SIGTERM)", "--shrink-time", "--require-tools"]) {
    assertStringIncludes(stdout, words);
  }
});
