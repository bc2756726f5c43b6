import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  makeScratch,
  runTool,
  ScratchError,
  withScratch,
  writeScratchFile,
} from "../../src/peers/mod.ts";

const MODULE = new URL("../../src/peers/mod.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Names in a directory, in order. */
function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** A Deno that runs a script with `makeScratch()`, and a directory as its `TMPDIR`. */
function scratchCommand(
  tmpdir: string,
  script: string,
  permissions: readonly string[] = ["--allow-read", "--allow-write=/tmp"],
): Deno.Command {
  const path = `${tmpdir}.ts`;
  Deno.writeTextFileSync(path, `import { makeScratch } from "${MODULE}";\n${script}\n`);
  return new Deno.Command("deno", {
    args: ["run", "--no-prompt", "--no-check", "--quiet", "--config", CONFIG, ...permissions, path],
    env: { TMPDIR: tmpdir, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** A run that has made a scratch folder, and waits. */
async function startRun(tmpdir: string): Promise<{ child: Deno.ChildProcess; path: string }> {
  const script = `const { path } = makeScratch();
Deno.writeTextFileSync(path + "/file", "");
Deno.stdout.writeSync(new TextEncoder().encode(path));
for await (const _ of Deno.stdin.readable);`;
  const child = scratchCommand(tmpdir, script).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return { child, path: new TextDecoder().decode(value) };
}

async function kill({ child }: { child: Deno.ChildProcess }): Promise<void> {
  child.kill("SIGKILL");
  await child.stdin.close().catch(() => {});
  await child.output();
}

/** Makes and removes a scratch folder in a process of its own. */
async function runOnce(tmpdir: string): Promise<string> {
  const command = scratchCommand(
    tmpdir,
    "const s = makeScratch(); console.log(s.path); s.remove();",
  );
  const child = command.spawn();
  await child.stdin.close();
  const { code, stdout, stderr } = await child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).trim();
}

/** Hands a test a directory for `TMPDIR`. */
function withTmpdir(test: (tmpdir: string) => Promise<void>): () => Promise<void> {
  return () =>
    withScratch(async (directory) => {
      Deno.mkdirSync(`${directory}/tmp`);
      await test(`${directory}/tmp`);
    }, "/tmp");
}

Deno.test(
  "makeScratch() makes a folder below TMPDIR, and remove() leaves nothing",
  withTmpdir(async (tmpdir) => {
    const path = await runOnce(tmpdir);
    assert(path.startsWith(`${tmpdir}/diskproof-`), path);
    assertEquals(namesIn(tmpdir), []);
  }),
);

Deno.test(
  "leftovers of a killed run are removed by the next run, and files of a live run are not",
  withTmpdir(async (tmpdir) => {
    const killed = await startRun(tmpdir);
    const live = await startRun(tmpdir);
    try {
      await kill(killed);
      assert(Deno.statSync(killed.path).isDirectory);
      await runOnce(tmpdir);
      assertThrows(() => Deno.statSync(killed.path), Deno.errors.NotFound);
      assertEquals(namesIn(live.path), ["file"]);
      assertEquals(namesIn(tmpdir).length, 1);
    } finally {
      await kill(live);
    }
    await runOnce(tmpdir);
    assertEquals(namesIn(tmpdir), []);
  }),
);

Deno.test(
  "folders that are not leftovers stay: without a lock, with another prefix, or not a folder",
  withTmpdir(async (tmpdir) => {
    Deno.mkdirSync(`${tmpdir}/diskproof-mine`);
    Deno.writeTextFileSync(`${tmpdir}/diskproof-mine/file`, "");
    Deno.mkdirSync(`${tmpdir}/other`);
    Deno.writeTextFileSync(`${tmpdir}/other/.diskproof-lock`, "");
    Deno.writeTextFileSync(`${tmpdir}/diskproof-file`, "");
    Deno.mkdirSync(`${tmpdir}/diskproof-fifo`);
    const fifo = `${tmpdir}/diskproof-fifo/.diskproof-lock`;
    await runTool(["/bin/sh", "-c", 'mkfifo "$0"', fifo], { inheritEnvironment: true });
    const before = namesIn(tmpdir);
    await runOnce(tmpdir);
    assertEquals(namesIn(tmpdir), before);
    assertEquals(namesIn(`${tmpdir}/diskproof-mine`), ["file"]);
  }),
);

Deno.test(
  "a folder that Deno may not write to has its own message",
  withTmpdir(async (tmpdir) => {
    const child = scratchCommand(
      tmpdir,
      "try { makeScratch(); } catch (e) { console.log(String(e)); }",
      [
        "--allow-read",
      ],
    ).spawn();
    await child.stdin.close();
    const { stdout } = await child.output();
    assertMatch(
      new TextDecoder().decode(stdout),
      /^ScratchError: Cannot make a scratch folder: Deno has no permission for it: .*TMPDIR/,
    );
  }),
);

Deno.test("makeScratch() says why there is no folder, and writing why there is no file", () =>
  withScratch((directory) => {
    assertThrows(
      () => makeScratch(`${directory}/missing`),
      ScratchError,
      "Cannot make a scratch folder: No such file or directory",
    );
    assertThrows(
      () => writeScratchFile(`${directory}/missing/file`, new Uint8Array()),
      ScratchError,
      `Cannot write to the scratch folder ${directory}/missing: `,
    );
    return Promise.resolve();
  }, "/tmp"));

Deno.test("makeScratch() returns separate folders, which only this user can read", () => {
  const [first, second] = [makeScratch(), makeScratch()];
  assert(first.path !== second.path);
  assertEquals(namesIn(first.path), []);
  assertEquals((Deno.statSync(`${first.path}/..`).mode ?? 0) & 0o777, 0o700);
  first.remove();
  second.remove();
  assertThrows(() => Deno.statSync(`${first.path}/..`), Deno.errors.NotFound);
});
