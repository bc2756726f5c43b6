import { assert, assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { denoCommand, eventsOf, runDeno, runTask, taskArguments, withDirectory } from "./child.ts";
import { runQuickly } from "./task.ts";

Deno.test(
  "fuzz reports the canary's failures with four blocks and exits with 1",
  withDirectory(async (directory) => {
    const args = ["canary", "--seed", "7", "--runs", "300", "--artifacts", directory];
    const { status, stdout, stderr } = await runTask("fuzz", args);
    assertEquals([status, stderr], [1, ""]);
    const report = stdout.slice(stdout.indexOf("FAILURE in canary: crash, canary.text"));
    assertMatch(report, /^ {2}Text of 40 bytes$/m);
    const blocks = ["Input", "Excerpt", "Reproduce with", "Minimize with"];
    const places = blocks.map((block) => report.indexOf(`\n${block}:\n`));
    assert(places.every((place) => place > 0), String(places));
    assertEquals(places.toSorted((a, b) => a - b), places);
    const [artifact = ""] = /\S+\/crash-[0-9a-f]{40}/.exec(report) ?? [];
    assertStringIncludes(report, `deno task repro ${artifact}\n`);
    assertStringIncludes(report, `deno task minimize ${artifact} --time 10m\n`);
    assertMatch(
      stdout,
      /^target +cases +skipped +cases\/s +header +tables +data +accepted +rules /m,
    );
    const [, cases, skipped] = /^canary +(\d+) +(\d+) /m.exec(stdout) ?? [];
    assertEquals(Number(cases) + Number(skipped), 300);
    assertMatch(stdout, /^rules reached: 0 of \d+$/m);
    assertStringIncludes(stdout, `\nthe canary ignores zeros     ${skipped}\n`);
    assertMatch(stdout, /\n2 different failures, seed 7\n$/);
  }),
);

Deno.test(
  "fuzz gives the same artifacts for the same seed",
  withDirectory(async (directory) => {
    const names = async (folder: string) => {
      const artifacts = `${directory}/${folder}`;
      await runQuickly("fuzz", [
        "canary",
        "--seed",
        "9",
        "--runs",
        "300",
        "--artifacts",
        artifacts,
      ]);
      return Array.from(Deno.readDirSync(artifacts), (entry) => entry.name).sort();
    };
    const first = await names("first");
    assertEquals(first.length, 4);
    assertEquals(await names("second"), first);
  }),
);

Deno.test(
  "fuzz gives up on a case that hangs, keeps it and goes on with the other targets",
  withDirectory(async (directory) => {
    const args = ["canary-hang", "canary", "--seed", "7", "--runs", "100", "--timeout", "1s"];
    const more = ["--shrink-time", "1s", "--json", "--artifacts", directory];
    const outcome = await runTask("fuzz", [...args, ...more]);
    assertEquals(outcome.status, 1);
    const events = eventsOf(outcome);
    const hang = events.find((event) => event.event === "failure" && event.kind === "timeout");
    assertMatch(String(hang?.artifact), /\/timeout-[0-9a-f]{40}$/);
    const targets = events.filter((event) => event.event === "target");
    assertEquals(targets.map((event) => event.end).sort(), ["hung", "runs"]);

    const again = await runTask("repro", [String(hang?.artifact)]);
    assertEquals(again.status, 1);
    assertMatch(again.stdout, /fails as before: timeout, timeout\n$/);
  }),
);

Deno.test(
  "fuzz gives up on a case that fills the memory and keeps it",
  withDirectory(async (directory) => {
    const args = [
      "canary-memory",
      "--seed",
      "1",
      "--runs",
      "4",
      "--rss-limit",
      "400",
      "--timeout",
      "60s",
    ];
    const more = ["--jobs", "1", "--shrink-time", "1s", "--json", "--artifacts", directory];
    const outcome = await runTask("fuzz", [...args, ...more]);
    assertEquals(outcome.status, 1);
    const failure = eventsOf(outcome).find((event) => event.event === "failure");
    assertMatch(String(failure?.artifact), /\/oom-[0-9a-f]{40}$/);
  }),
);

Deno.test(
  "fuzz prints the progress of a run as JSON lines",
  withDirectory(async (directory) => {
    const args = ["canary", "--seed", "7", "--runs", "300", "--json", "--artifacts", directory];
    const outcome = await runQuickly("fuzz", args);
    assertEquals(outcome.status, 1);
    const events = eventsOf(outcome);
    const kinds = events.map((event) => event.event)
      .filter((event) => event !== "progress" && event !== "found");
    assertEquals(kinds, ["started", "failure", "failure", "target", "finished"]);
    const [found, failures] = ["found", "failure"].map((kind) =>
      events.filter(({ event }) => event === kind).map(({ signature }) => signature).sort()
    );
    assertEquals(found, failures);
    for (const { signature } of events.filter(({ event }) => event === "found")) {
      const [first] = events.filter((event) => event.signature === signature);
      assertEquals(first?.event, "found");
    }
    assertEquals([events[0]?.seed, events.at(-1)?.status, events.at(-1)?.failures], [7, 1, 2]);
  }),
);

Deno.test("fuzz exits with 2 and one line for a command line that it cannot use", async () => {
  const refused = async (args: string[], line: string, run = runQuickly) => {
    const outcome = await run("fuzz", args);
    assertEquals(outcome, { status: 2, stdout: "", stderr: `diskproof: ${line}\n` });
  };
  await refused(["canari"], "unknown target canari (did you mean canary?)", runTask);
  await refused(["--sed", "5"], "unknown option --sed (did you mean --seed?)");
  await refused(["canary", "--seed", ""], "option --seed needs a value");
  await refused(["canari"], "unknown target canari (did you mean canary?)");
  await refused(["nothing-like-it"], "unknown target nothing-like-it (see --list)");
  await refused(
    ["canary", "--time", "soon"],
    "--time must be a duration such as 60s, 5m or 1h, not 'soon'",
  );
  await refused(
    ["canary", "--seed", "4294967296"],
    "--seed must be a whole number below 2^32 or the hash of a commit, not '4294967296'",
  );
  for (const shard of ["0/4", "5/4", "1", "a/b", "1/65537", "-1/2", "1/2/3"]) {
    await refused(
      ["canary", "--seed", "1", `--shard=${shard}`],
      `--shard must be I/N with I from 1 to N and N at most 65536, such as 2/8, not '${shard}'`,
    );
  }
  await refused(["--shard", "1/2"], "--shard needs --seed: all shards have the same one");
});

Deno.test(
  "fuzz names the targets that ran no case",
  withDirectory(async (directory) => {
    const names = ["qcow-open", "raw-stateful", "roundtrip"];
    const args = [...names, "--time", "1ms", "--seed", "1", "--artifacts", directory];
    const { status, stdout } = await runQuickly("fuzz", args);
    assertEquals(status, 0);
    assertMatch(stdout, /^no case of .*raw-stateful.* has run: a longer --time reaches them$/m);
    assertMatch(stdout, /\nno failures, seed 1\n$/);
  }),
);

Deno.test("fuzz fails at once if it must not write artifacts", async () => {
  const task = taskArguments("fuzz", ["canary", "--artifacts", "/var/lib/nowhere"]);
  const words = task.map((word) => word === "--allow-write" ? "--allow-write=/tmp" : word);
  const { status, stderr } = await runDeno(words);
  assertEquals(status, 2);
  assertMatch(stderr, /^diskproof: Cannot write to \/var\/lib\/nowhere: [^\n]*\n$/);
});

Deno.test(
  "fuzz accepts the hash of a commit as the seed",
  withDirectory(async (directory) => {
    const hash = "0000002a".padEnd(40, "f");
    const args = ["canary", "--seed", hash, "--runs", "1", "--json", "--artifacts", directory];
    assertEquals(eventsOf(await runQuickly("fuzz", args))[0]?.seed, 42);
  }),
);

Deno.test("fuzz lists its targets, and prints its help", async () => {
  const list = await runQuickly("fuzz", ["--list"]);
  assertEquals(list.status, 0);
  assertMatch(list.stdout, /^canary +fails on purpose .*\(only by name\)$/m);
  const help = await runQuickly("fuzz", ["--help"]);
  assertEquals(help.status, 0);
  assertStringIncludes(help.stdout, "Example");
});

Deno.test(
  "fuzz ends early with its tables when it is interrupted",
  withDirectory(async (directory) => {
    const args = taskArguments("fuzz", ["canary", "--time", "1h", "--artifacts", directory]);
    const child = denoCommand(args).spawn();
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      // The first report says that the run is on its way.
      if (!text.includes("FAILURE") && (text + chunk).includes("FAILURE")) child.kill("SIGINT");
      text += chunk;
    }
    await child.stderr.cancel();
    const { code } = await child.status;
    assertEquals(code, 1);
    assertMatch(text, /\ninterrupted, \d+ (different failures|failure), seed \d+\n$/);
  }),
);

Deno.test(
  "fuzz reports a failure and the hang that its shrinking ran into",
  withDirectory(async (directory) => {
    const outcome = await runDeno([
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write=/tmp",
      "--allow-run=deno",
      "tests/fuzz/engine/toy_run.ts",
      directory,
      "shrinks-into-a-hang",
    ]);
    assertEquals(outcome.status, 1);
    const events = eventsOf(outcome);
    const found = events.filter((event) => event.event === "found");
    assertEquals(found.map((failure) => failure.kind), ["crash", "timeout"]);
    // Which one is as small as possible first is a matter of time.
    const failures = ["crash", "timeout"].map((kind) =>
      events.find((event) => event.event === "failure" && event.kind === kind) ?? fail(kind)
    );
    const [crash, timeout] = failures.map((failure) => Number(failure.case));
    assert((crash ?? 0) >= 1000);
    assert((timeout ?? 0) >= 10 && (timeout ?? 0) < 1000);
  }),
);
