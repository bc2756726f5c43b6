import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { run, succeed } from "../luks1/live.ts";
import { readRecord, unpackRecord } from "../../src/recorded/mod.ts";
import { diskproof } from "./program.ts";
import { liveTest } from "../live.ts";

const QUICK = ["--iterations", "1000"];
const PAYLOAD = "payload that stays";

/** A file with key slots, which the passphrase `one` opens, and what opens it. */
interface Kind {
  readonly name: string;
  readonly needs: readonly ("qemu-img" | "qemu-io" | "cryptsetup")[];
  readonly make: (directory: string) => Promise<void>;
  /** The tools that have to agree on which passphrases open it. */
  readonly openers: readonly ((directory: string, key: string) => Promise<boolean>)[];
}

const cryptsetup = async (directory: string, key: string): Promise<boolean> => {
  const test = ["cryptsetup", "open", "--test-passphrase", "--key-file"];
  return (await run([...test, `${directory}/${key}`, `${directory}/file`])).code === 0;
};

const cryptsetupDetached = async (directory: string, key: string): Promise<boolean> => {
  const test = ["cryptsetup", "open", "--test-passphrase", "--key-file", `${directory}/${key}`];
  const files = ["--header", `${directory}/file`, `${directory}/payload`];
  return (await run([...test, ...files])).code === 0;
};

/** Opens and reads what was written when the image was made. */
const qemu = (options: string) => async (directory: string, key: string): Promise<boolean> => {
  const { code, stdout } = await run([
    ...["qemu-io", "--object", `secret,id=key,file=${directory}/${key}`],
    ...["-c", "read -P 7 1M 64k", "--image-opts", `${options},file.filename=${directory}/file`],
  ]);
  assert(!new TextDecoder().decode(stdout).includes("Pattern verification failed"));
  return code === 0;
};

const qemuLuks = qemu("driver=luks,key-secret=key");
const qemuQcow2 = qemu("driver=qcow2,encrypt.key-secret=key");

/** Writes content through qemu-io. */
async function fill(directory: string, options: string): Promise<void> {
  await succeed([
    ...["qemu-io", "--object", `secret,id=key,file=${directory}/one`],
    ...["-c", "write -P 7 1M 64k", "--image-opts", `${options},file.filename=${directory}/file`],
  ]);
}

async function formatted(directory: string, ...files: string[]): Promise<void> {
  await succeed([
    ...["cryptsetup", "luksFormat", "--type", "luks1", "--batch-mode", "--key-file"],
    ...[`${directory}/one`, "--pbkdf-force-iterations", "1000", ...files],
  ]);
}

const GOLDEN = new URL("../../golden/images", import.meta.url).pathname;

/** A golden image that qemu-img made, which takes it seconds; the word in `one` opens it. */
function qemuMade(directory: string, name: string): string {
  const record = readRecord(GOLDEN, name);
  unpackRecord(GOLDEN, record, directory);
  Deno.renameSync(`${directory}/${record.subject}`, `${directory}/file`);
  Deno.writeTextFileSync(`${directory}/one`, record.passphrases?.[0] ?? "");
  return `${directory}/file`;
}

const kinds: readonly Kind[] = [
  {
    name: "a volume of cryptsetup",
    needs: ["cryptsetup", "qemu-io"],
    make: async (directory) => {
      Deno.writeFileSync(`${directory}/file`, new Uint8Array(6 * 2 ** 20));
      await formatted(directory, `${directory}/file`);
      await fill(directory, "driver=luks,key-secret=key");
    },
    openers: [cryptsetup, qemuLuks],
  },
  {
    name: "a volume of qemu-img",
    needs: ["cryptsetup", "qemu-img", "qemu-io"],
    make: async (directory) => {
      const path = qemuMade(directory, "luks-defaults");
      Deno.truncateSync(path, Deno.statSync(path).size + 4 * 2 ** 20);
      await fill(directory, "driver=luks,key-secret=key");
    },
    openers: [cryptsetup, qemuLuks],
  },
  {
    name: "LUKS in a qcow2 image of qemu-img",
    needs: ["qemu-img", "qemu-io"],
    make: async (directory) => {
      const path = qemuMade(directory, "qcow2-luks-cluster-64k");
      const image = `driver=qcow2,encrypt.key-secret=key,file.filename=${path}`;
      const secret = ["--object", `secret,id=key,file=${directory}/one`];
      await succeed(["qemu-img", "resize", "-q", ...secret, "--image-opts", image, "4M"]);
      await fill(directory, "driver=qcow2,encrypt.key-secret=key");
    },
    openers: [qemuQcow2],
  },
  {
    name: "a detached header of cryptsetup",
    needs: ["cryptsetup"],
    make: async (directory) => {
      Deno.writeFileSync(`${directory}/payload`, new Uint8Array(2 ** 20));
      await formatted(directory, "--header", `${directory}/file`, `${directory}/payload`);
    },
    openers: [cryptsetupDetached],
  },
  {
    name: "a volume of ours",
    needs: ["cryptsetup", "qemu-io"],
    make: async (directory) => {
      const args = [
        "-f",
        "luks",
        "--passphrase-file",
        "one",
        "-o",
        "iterations=1000",
        "file",
        "4M",
      ];
      assertEquals((await diskproof(directory, ["create", ...args])).status, 0);
      await fill(directory, "driver=luks,key-secret=key");
    },
    openers: [cryptsetup, qemuLuks],
  },
];

/** Which of the passphrases open the file, if all tools agree on it. */
async function opening({ openers }: Kind, directory: string): Promise<string> {
  const words = [];
  for (const opener of openers) {
    const opened = [];
    for (const key of ["one", "two", "three"]) if (await opener(directory, key)) opened.push(key);
    words.push(opened.join(" "));
  }
  assertEquals(new Set(words).size, 1, words.join(" but "));
  return words[0] ?? "";
}

for (const kind of kinds) {
  liveTest(
    { needs: kind.needs },
    `keys are added, changed and erased in ${kind.name}`,
    async (directory) => {
      for (const word of ["one", "two", "three"]) {
        Deno.writeTextFileSync(`${directory}/${word}`, word);
      }
      await kind.make(directory);
      const key = async (action: string, ...args: string[]) => {
        const { status, stdout, stderr } = await diskproof(directory, [
          "key",
          action,
          "file",
          ...args,
        ]);
        assertEquals([status, stderr], [0, ""], `${action} ${args.join(" ")}`);
        return [stdout.trim().replaceAll("\n", ", "), await opening(kind, directory)];
      };
      const old = (word: string) => ["--passphrase-file", word];
      const fresh = (word: string) => ["--new-passphrase-file", word, ...QUICK];
      const size = Deno.statSync(`${directory}/file`).size;
      assertEquals(await opening(kind, directory), "one");
      assertEquals(await key("add", ...old("one"), ...fresh("two")), [
        "key slot 1 has the new key",
        "one two",
      ]);
      assertEquals(await key("change", ...old("one"), ...fresh("three")), [
        "key slot 2 has the new key, key slot 0 is erased",
        "two three",
      ]);
      assertEquals(await key("change", "--slot", "1", ...old("two"), ...fresh("one")), [
        "key slot 1 has the new key",
        "one three",
      ]);
      assertEquals(await key("add", "--slot", "7", ...old("one"), ...fresh("two"), "--json"), [
        '{"image":"file","added":[7],"erased":[]}',
        "one two three",
      ]);
      assertEquals(await key("erase", "--slot", "2"), ["key slot 2 is erased", "one two"]);
      assertEquals(await key("erase", ...old("one")), ["key slot 1 is erased", "two"]);
      assertEquals(Deno.statSync(`${directory}/file`).size, size);
      const before = Deno.readFileSync(`${directory}/file`);
      const last = await diskproof(directory, ["key", "erase", "file", ...old("two")]);
      assertEquals([last.status, last.stdout], [2, ""]);
      assertStringIncludes(
        last.stderr,
        "no key would remain, and the content would be lost (--force ",
      );
      assertEquals(Deno.readFileSync(`${directory}/file`), before);
      assertEquals(await key("erase", "--slot", "7", "--force"), ["key slot 7 is erased", ""]);
    },
  );
}

liveTest(
  { needs: ["cryptsetup"] },
  "a key is changed where no slot is free with --force only",
  async (dir) => {
    for (const word of ["one", "two", "three"]) Deno.writeTextFileSync(`${dir}/${word}`, word);
    const others = Array(6).fill(["--passphrase", "other"]).flat();
    const keys = ["--passphrase-file", "three", ...others, "--passphrase-file", "one"];
    const made = ["create", "-f", "luks", ...keys, "-o", "iterations=1000", "file", "1M"];
    assertEquals((await diskproof(dir, made)).status, 0);
    const before = Deno.readFileSync(`${dir}/file`);
    const change = ["key", "change", "file", "--passphrase-file", "one"];
    change.push("--new-passphrase-file", "two", ...QUICK);
    for (const args of [change, [...change, "--slot", "1"]]) {
      const { status, stdout, stderr } = await diskproof(dir, args);
      assertEquals([status, stdout], [2, ""]);
      const says = "Cannot change a key of file: no key slot is free, and a failure halfway would";
      assertStringIncludes(stderr, says);
      assertEquals(stderr.trimEnd().split("\n").length, 1);
    }
    assertEquals(Deno.readFileSync(`${dir}/file`), before);
    const forced = await diskproof(dir, [...change, "--slot", "1", "--force"]);
    assertEquals([forced.status, forced.stdout], [0, "key slot 1 has the new key\n"]);
    const opens = [];
    for (const word of ["one", "two", "three"]) if (await cryptsetup(dir, word)) opens.push(word);
    assertEquals(opens, ["two", "three"]);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "only header and key material of a slot change",
  async (directory) => {
    Deno.writeTextFileSync(`${directory}/one`, "one");
    const file = `${directory}/file`;
    Deno.writeFileSync(file, new Uint8Array(4 * 2 ** 20));
    await formatted(directory, file);
    const before = Deno.readFileSync(file);
    before.set(new TextEncoder().encode(PAYLOAD), 3 * 2 ** 20);
    Deno.writeFileSync(file, before);
    const args = ["--passphrase-file", "one", "--new-passphrase", "x", "--slot", "3", ...QUICK];
    assertEquals((await diskproof(directory, ["key", "add", "file", ...args])).status, 0);
    const after = Deno.readFileSync(file);
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    // Slot 3 of keys of 64 bytes: its record, and 256000 bytes from sector 8 + 3 * 504 on.
    const record = 208 + 3 * 48;
    const material = (8 + 3 * 504) * 512;
    assert(
      changed.every((at) =>
        (at >= record && at < record + 48) || (at >= material && at < material + 256_000)
      ),
    );
    assert(changed.length > 250_000);
  },
);

/** Where a LUKS header has the length of the master key. */
const KEY_BYTES = 108;

liveTest(
  { needs: ["cryptsetup"] },
  "an impossible change of keys is reported in one line, without a passphrase, and changes nothing",
  async (directory) => {
    const SECRET = "hunter-zwölf";
    Deno.writeTextFileSync(`${directory}/one`, "one");
    Deno.writeTextFileSync(`${directory}/bad`, SECRET);
    Deno.writeFileSync(`${directory}/file`, new Uint8Array(4 * 2 ** 20));
    await formatted(directory, `${directory}/file`);
    for (const options of ["encrypt.format=aes", "encrypt.format=luks,encrypt.iterations=1000"]) {
      const name = options.includes("aes") ? "aes" : "inside";
      const made = ["-f", "qcow2", "--passphrase-file", "one", "-o", options, name, "1M"];
      assertEquals((await diskproof(directory, ["create", ...made])).status, 0);
    }
    Deno.writeFileSync(`${directory}/binary`, Uint8Array.of(0xff, 1));
    const keyless = Deno.readFileSync(`${directory}/file`);
    keyless.fill(0, KEY_BYTES, KEY_BYTES + 4);
    Deno.writeFileSync(`${directory}/keyless`, keyless);
    const files = ["file", "aes", "inside", "keyless"];
    const before = files.map((name) => Deno.readFileSync(`${directory}/${name}`));
    const fresh = ["--new-passphrase", SECRET];
    const one = ["--passphrase-file", "one"];
    const refused: [number, string[], string][] = [
      [2, ["ad", "file"], "did you mean add?"],
      [2, ["add"], "name one file"],
      [2, ["add", "gone", ...one, ...fresh], "Cannot open gone: there is no such file"],
      [2, ["add", "file", ...fresh], "add requires a passphrase"],
      [2, ["add", "file", ...one], "add requires one new passphrase"],
      [2, ["erase", "file"], "erase requires a passphrase (--passphrase-file), or a slot"],
      [2, ["erase", "file", ...one, ...fresh], "erase does not accept a new passphrase"],
      [2, ["add", "file", "--passphrase-file", "bad", ...fresh], "opens no key slot"],
      [2, ["change", "file", "--passphrase-file", "bad", ...fresh], "opens no key slot"],
      [2, ["erase", "file", "--passphrase-file", "bad"], "opens no key slot"],
      [2, ["change", "file", "--slot", "1", ...one, ...fresh], "does not open key slot 1"],
      [2, ["add", "file", "--slot", "0", ...one, ...fresh], "key slot 0 is in use"],
      [2, ["add", "file", "--slot", "8", ...one, ...fresh], "from 0 to 7, not '8'"],
      [2, ["erase", "file", "--slot", "5"], "key slot 5 is not in use"],
      [
        2,
        ["add", "file", ...one, ...fresh, "--max-iterations", "1000"],
        "(--max-iterations changes it)",
      ],
      [2, ["add", "inside", ...one, "--new-passphrase-file", "binary"], "accepts only UTF-8"],
      [1, ["add", "aes", ...one, ...fresh], "the legacy AES has no key slots"],
      [1, ["add", "one", ...one, ...fresh], "it has no LUKS header"],
      [1, ["add", "keyless", ...one, ...fresh], "keys of keyless: cannot use aes"],
    ];
    for (const [expected, args, says] of refused) {
      const { status, stdout, stderr } = await diskproof(directory, ["key", ...args]);
      assertEquals([status, stdout], [expected, ""], `${args.join(" ")}: ${stderr}`);
      assertMatch(stderr, /^diskproof: [^\n]+\n$/);
      assertStringIncludes(stderr, says);
      assert(!stderr.includes(SECRET));
    }
    assertEquals(files.map((name) => Deno.readFileSync(`${directory}/${name}`)), before);
  },
);
