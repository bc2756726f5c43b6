import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { mixedContent } from "../image/created.ts";
import { makeFifo, withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const QUICK = ["-o", "iterations=1000"];
const LUKS = ["-f", "luks", "--passphrase-file", "key", ...QUICK];

/** A directory with a passphrase in `key`, content in `raw`, and a volume of both in `volume`. */
function withVolume(test: (directory: string) => Promise<void>): Promise<void> {
  return withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/key`, "secret");
    Deno.writeFileSync(`${directory}/raw`, mixedContent(2 ** 20));
    await succeed(directory, "create", ...LUKS, "--from", "raw", "volume");
    await test(directory);
  });
}

async function succeed(directory: string, ...args: string[]): Promise<void> {
  const { status, stderr } = await diskproof(directory, args);
  assertEquals([status, stderr], [0, ""], args.join(" "));
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("a passphrase file and a detached header are never written to", () =>
  withVolume(async (directory) => {
    const key = ["--passphrase-file", "key"];
    await succeed(directory, "create", ...LUKS, "--header", "head", "--from", "raw", "payload");
    const inQcow2 = ["-f", "qcow2", ...key, "-o", "encrypt.format=luks,encrypt.iterations=1000"];
    const attempts = [
      ["create", "--force", ...LUKS, "key", "1M"],
      ["create", "--force", ...LUKS, "--header", "key", "other", "1M"],
      ["create", "--force", ...LUKS, "--header", "other", "./key", "1M"],
      ["create", "--force", ...inQcow2, "key", "1M"],
      ["create", "--force", ...inQcow2, "-o", "data_file=key", "other", "1M"],
      ["convert", ...key, "volume", "key"],
      ["convert", ...key, "--passphrase-file", "raw", "volume", "raw"],
      ["convert", ...key, "--header", "head", "payload", "head"],
    ];
    const before = namesIn(directory).map((name) => Deno.readFileSync(`${directory}/${name}`));
    for (const args of attempts) {
      const { status, stderr } = await diskproof(directory, args);
      assertEquals(status, 2, args.join(" "));
      assertStringIncludes(stderr, "it is one of the input files\n");
    }
    const after = namesIn(directory).map((name) => Deno.readFileSync(`${directory}/${name}`));
    assertEquals(after, before);
  }));

/** Runs a command, and sends it a signal when it has begun to write. */
async function interrupted(
  directory: string,
  { args, signal }: { readonly args: readonly string[]; readonly signal: Deno.Signal },
): Promise<{ code: number; stderr: string }> {
  const words = config.tasks.diskproof.command.split(" ");
  const script = new URL(`../../${words.at(-1)}`, import.meta.url).pathname;
  const child = new Deno.Command("deno", {
    args: [...words.slice(1, -1), script, ...args],
    ...{ cwd: directory, stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  const ended = child.output();
  const begun = (): boolean => namesIn(directory).some((name) => name.endsWith(".partial"));
  const timeout = AbortSignal.timeout(30_000);
  while (!begun() && !timeout.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  // Longer than it takes from the file to the first zeros.
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill(signal);
  const { code, stderr } = await ended;
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Zeros that take much longer to read than a test may. */
const ENDLESS = 2 ** 40;

for (
  const [format, signal, ...more] of [
    ["raw", "SIGINT"],
    ["qcow", "SIGINT"],
    ["qcow2", "SIGINT"],
    ["qcow2", "SIGTERM", "-o", "data_file=data,data_file_raw=on"],
    ["luks", "SIGHUP", ...LUKS.slice(2)],
  ] as const
) {
  Deno.test(`${signal} ends a create of ${format} that reads zeros, and no file is left`, () =>
    withVolume(async (directory) => {
      const before = namesIn(directory);
      Deno.openSync(`${directory}/zeros`, { write: true, create: true }).close();
      Deno.truncateSync(`${directory}/zeros`, ENDLESS);
      const args = ["create", "-f", format, ...more, "--from", "zeros", "new"];
      assertEquals(await interrupted(directory, { args, signal }), { code: 130, stderr: "" });
      assertEquals(namesIn(directory), [...before, "zeros"].sort());
    }));
}

const MIB = 2 ** 20;

Deno.test("a file that exceeds the size limit gives one line, and no file is left", () =>
  withVolume(async (directory) => {
    const before = namesIn(directory);
    // What is missing of it reads as zeros, and decrypts to noise.
    Deno.truncateSync(`${directory}/volume`, 80 * MIB);
    const words = config.tasks.diskproof.command.split(" ");
    const script = new URL(`../../${words.at(-1)}`, import.meta.url).pathname;
    const convert = [script, "convert", "--passphrase-file", "key", "volume", "new"];
    // 64 MiB in the blocks of sh, in which the shells of macOS and Linux agree: Deno writes files of its
    // own, which are shorter.
    const { code, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", 'ulimit -f 131072; exec "$@"', "sh", "deno", ...words.slice(1, -1), ...convert],
      ...{ cwd: directory, stdin: "null", stdout: "null", stderr: "piped" },
    }).output();
    assertEquals(code, 2);
    const said = new TextDecoder().decode(stderr);
    assertStringIncludes(said, "Cannot write to new: File too large");
    assertEquals(said.trimEnd().split("\n").length, 1, said);
    assertEquals(namesIn(directory), before);
  }));

Deno.test("a passphrase is read from a FIFO to its end, and from a device to the limit", () =>
  withVolume(async (directory) => {
    await makeFifo(`${directory}/fifo`);
    const open = ["digest", "volume", "--passphrase-file"];
    const { stdout: expected } = await diskproof(directory, [...open, "key"]);
    assert(expected.endsWith("  volume\n"));
    const [run] = await Promise.all([
      diskproof(directory, [...open, "fifo"]),
      Deno.writeTextFile(`${directory}/fifo`, "secret"),
    ]);
    assertEquals(run, { status: 0, stdout: expected, stderr: "" });
    const piped = await diskproof(directory, [...open, "/dev/fd/0"], "secret");
    assertEquals(piped, { status: 0, stdout: expected, stderr: "" });
    const refused = [
      ["/dev/zero", "Cannot read the passphrase in /dev/zero: it is longer than 8 MiB"],
      ["/dev/null", "none of the given passphrases opens it"],
      [".", "Cannot read the passphrase in .: it is not a regular file"],
    ];
    for (const [path = "", says = ""] of refused) {
      const { status, stderr } = await diskproof(directory, [...open, path]);
      assertEquals(status, 2, path);
      assertStringIncludes(stderr, says);
    }
  }));

Deno.test("files of encrypted images and their content are readable only for their owner", () =>
  withVolume(async (directory) => {
    const aes = ["-o", "encrypt.format=aes", "--passphrase-file", "key", "--from", "raw"];
    await succeed(directory, "create", ...LUKS, "--header", "head", "payload", "1M");
    await succeed(directory, "create", "-f", "qcow", ...aes, "qcow");
    await succeed(directory, "create", "-f", "qcow2", ...aes, "-o", "data_file=data", "qcow2");
    await succeed(directory, "create", "-f", "qcow2", "--from", "raw", "plain");
    await succeed(directory, "create", "-f", "qcow2", "-b", "qcow", "-F", "qcow", "overlay");
    Deno.writeTextFileSync(`${directory}/out`, "");
    Deno.chmodSync(`${directory}/out`, 0o644);
    for (const image of ["volume", "overlay", "plain"]) {
      const to = image === "volume" ? "out" : `${image}.out`;
      await succeed(directory, "convert", "--passphrase-file", "key", image, to);
    }
    const mode = (name: string) => (Deno.statSync(`${directory}/${name}`).mode ?? 0) & 0o777;
    const secret = ["volume", "head", "payload", "qcow", "qcow2", "data", "out", "overlay.out"];
    assertEquals(secret.map((name) => [name, mode(name)]), secret.map((name) => [name, 0o600]));
    // As the umask has it, which a file of the test's own shows.
    assertEquals(["plain", "overlay", "plain.out"].map(mode), Array(3).fill(mode("raw")));
  }));
