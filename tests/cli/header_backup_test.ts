import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run, succeed } from "../luks1/live.ts";
import { liveTest } from "../live.ts";
import { diskproof } from "./program.ts";

const QUICK = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];

/** A header backup of cryptsetup in `file`, with passphrases `one` in slot 0 and `two` in slot 5. */
async function backedUp(
  directory: string,
  type: "luks1" | "luks2",
  ...more: string[]
): Promise<void> {
  for (const word of ["one", "two", "bad"]) Deno.writeTextFileSync(`${directory}/${word}`, word);
  const volume = `${directory}/volume`;
  Deno.writeFileSync(volume, new Uint8Array(0));
  Deno.truncateSync(volume, 20 * 2 ** 20);
  await succeed([
    ...["cryptsetup", "luksFormat", "-q", "--type", type, ...QUICK, ...more],
    ...[volume, `${directory}/one`],
  ]);
  await succeed([
    ...["cryptsetup", "luksAddKey", "-q", "--key-slot", "5", ...QUICK],
    ...["--key-file", `${directory}/one`, volume, `${directory}/two`],
  ]);
  const file = `${directory}/file`;
  await succeed(["cryptsetup", "luksHeaderBackup", volume, "--header-backup-file", file]);
  Deno.chmodSync(file, 0o600);
}

/** Both exit statuses of a test of a passphrase: ours, and that of cryptsetup. */
async function tested(directory: string, key: string, slot?: number): Promise<[number, number]> {
  const which = slot === undefined ? [] : ["--key-slot", String(slot)];
  const ours = await diskproof(directory, [
    "key",
    "test",
    "file",
    "--passphrase-file",
    key,
    ...which,
  ]);
  const theirs = await run([
    ...["cryptsetup", "open", "--test-passphrase", "--key-file", `${directory}/${key}`],
    ...[...which, `${directory}/file`],
  ]);
  return [ours.status, theirs.code];
}

const ANSWERS = [
  { type: "luks1", rule: "luks.payload.header-alone", says: "header backup" },
  { type: "luks2", rule: "luks2.payload.header-alone", says: "header backup" },
] as const;

for (const { type, rule, says } of ANSWERS) {
  liveTest(
    { needs: ["cryptsetup", "qemu-img"] },
    `a header backup of ${type} is a valid header without content`,
    async (directory) => {
      await backedUp(directory, type);
      const judged = await diskproof(directory, ["judge", "file", "--passphrase-file", "one"]);
      const { spec, qemu, findings } = JSON.parse(judged.stdout);
      assertEquals([spec.verdict, findings.map((found: { rule: string }) => found.rule)], [
        "valid",
        [rule],
      ]);
      const { code } = await run(["qemu-img", "info", `${directory}/file`]);
      assertEquals(qemu.open, code === 0 ? "accept" : "reject");
      const info = await diskproof(directory, ["info", "file"]);
      assertEquals([info.status, info.stderr], [0, ""]);
      assertStringIncludes(info.stdout, "virtual size: 0 B");
      assertEquals((await diskproof(directory, ["inspect", "file"])).status, 0);
      const digest = await diskproof(directory, ["digest", "file", "--passphrase-file", "one"]);
      assertEquals([digest.status, digest.stdout], [1, ""]);
      assertStringIncludes(digest.stderr, says);
    },
  );

  liveTest(
    { needs: ["cryptsetup"] },
    `key test answers as cryptsetup does on a header backup of ${type}`,
    async (directory) => {
      await backedUp(directory, type);
      for (const key of ["one", "two", "bad"]) {
        for (const slot of [undefined, 0, 1, 5]) {
          const [ours, theirs] = await tested(directory, key, slot);
          assertEquals(ours, theirs, `${key} in slot ${slot}`);
        }
      }
      const opened = await diskproof(directory, [
        ...["key", "test", "file", "--passphrase-file", "bad", "--passphrase-file", "two"],
        "--json",
      ]);
      assertEquals(opened.stdout, '{"image":"file","slot":5}\n');
      const text = await diskproof(directory, ["key", "test", "file", "--passphrase", "one"]);
      assertEquals(text.stdout, "key slot 0 opens\n");
    },
  );
}

liveTest(
  { needs: ["cryptsetup"] },
  "keys of a header backup are added, changed and erased",
  async (directory) => {
    await backedUp(directory, "luks1");
    Deno.writeTextFileSync(`${directory}/new`, "new");
    const fresh = ["--new-passphrase-file", "new", "--iterations", "1000"];
    const change = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await diskproof(directory, ["key", ...args]);
      assertEquals([status, stderr], [0, ""]);
      return stdout;
    };
    await change("add", "file", "--passphrase-file", "two", ...fresh);
    assertEquals(await tested(directory, "new", 1), [0, 0]);
    await change("erase", "file", "--slot", "1");
    assertEquals(await tested(directory, "new", 1), [1, 1]);
    await change("change", "file", "--passphrase-file", "one", ...fresh);
    assertEquals([await tested(directory, "new"), await tested(directory, "one")], [[0, 0], [
      2,
      2,
    ]]);
    // The changed header fits its volume.
    await succeed([
      ...["cryptsetup", "luksHeaderRestore", "-q", `${directory}/volume`],
      ...["--header-backup-file", `${directory}/file`],
    ]);
    const open = ["cryptsetup", "open", "--test-passphrase", "--key-file", `${directory}/new`];
    await succeed([...open, `${directory}/volume`]);
  },
);

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "a header backup that ends where the payload starts may be an empty volume",
  async (directory) => {
    await backedUp(directory, "luks1", "--align-payload", "8");
    const judged = await diskproof(directory, ["judge", "file", "--passphrase-file", "one"]);
    const { spec, qemu, findings } = JSON.parse(judged.stdout);
    assertEquals([spec.verdict, qemu.open, findings[0].rule], [
      "valid",
      "accept",
      "luks.payload.empty",
    ]);
    const { code } = await run(["qemu-img", "info", `${directory}/file`]);
    assertEquals(code, 0);
  },
);

liveTest({ needs: [] }, "key test says what has no key slots", async (directory) => {
  Deno.writeTextFileSync(`${directory}/one`, "one");
  const options = {
    aes: "encrypt.format=aes",
    inside: "encrypt.format=luks,encrypt.iterations=1000",
  };
  for (const [name, option] of Object.entries(options)) {
    const made = ["-f", "qcow2", "--passphrase-file", "one", "-o", option, name, "1M"];
    assertEquals((await diskproof(directory, ["create", ...made])).status, 0);
  }
  const answers: [number, string[], string][] = [
    [0, ["inside"], ""],
    [1, ["inside", "--key-slot", "1"], "key slot 1 is not in use"],
    [1, ["aes"], "the legacy AES has no key slots"],
    [1, ["one"], "a raw image has no key slots"],
    [2, ["inside", "--slot", "0", "--key-slot", "0"], "are the same option"],
    [2, ["inside", "--new-passphrase", "x"], "does not accept a new passphrase"],
    [2, ["inside", "--max-iterations", "10"], "(--max-iterations changes it)"],
  ];
  for (const [expected, args, says] of answers) {
    const { status, stderr } = await diskproof(directory, [
      ...["key", "test", ...args, "--passphrase-file", "one"],
    ]);
    assertEquals(status, expected, `${args.join(" ")}: ${stderr}`);
    assert(stderr.includes(says), stderr);
  }
});

for (const type of ["luks1", "luks2"] as const) {
  liveTest(
    { needs: ["cryptsetup"] },
    `key test works on a detached header of ${type} without its payload, as cryptsetup does`,
    async (directory) => {
      for (const word of ["one", "bad"]) Deno.writeTextFileSync(`${directory}/${word}`, word);
      Deno.writeFileSync(`${directory}/payload`, new Uint8Array(2 ** 20));
      await succeed([
        ...["cryptsetup", "luksFormat", "-q", "--type", type, ...QUICK],
        ...["--header", `${directory}/file`, `${directory}/payload`, `${directory}/one`],
      ]);
      assertEquals(await tested(directory, "one"), [0, 0]);
      assertEquals(await tested(directory, "bad"), [2, 2]);
    },
  );
}

liveTest(
  { needs: ["cryptsetup"] },
  "key test says that the key material is past the end of a file that was cut",
  async (directory) => {
    await backedUp(directory, "luks1");
    Deno.truncateSync(`${directory}/file`, 4096);
    const args = ["key", "test", "file", "--passphrase-file", "one"];
    const { status, stderr } = await diskproof(directory, args);
    assertEquals(status, 2);
    assertStringIncludes(stderr, "the key material of slot 0 ends at byte 260096, after the end");
    assertStringIncludes(stderr, "of the file at byte 4096");
  },
);
