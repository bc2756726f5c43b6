import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mixedContent } from "../image/created.ts";
import { run, succeed } from "../luks1/live.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";
import { liveTest } from "../live.ts";

const SECRET = "hunter-zwölf";
const QUICK = "iterations=1000";

/** Runs `create`, which must succeed without output. */
async function create(directory: string, ...args: string[]): Promise<void> {
  const { status, stdout, stderr } = await diskproof(directory, ["create", ...args]);
  assertEquals([status, stdout, stderr], [0, "", ""], args.join(" "));
}

/** Content as qemu-img reads it, with the passphrase in `pw` where the options name a key. */
async function contentOf(directory: string, options: string): Promise<Uint8Array> {
  const secret = ["--object", `secret,id=key,file=${directory}/pw`];
  await succeed([
    ...["qemu-img", "convert", ...options.includes("key-secret") ? secret : []],
    ...["--image-opts", options, "-O", "raw", `${directory}/read`],
  ]);
  return Deno.readFileSync(`${directory}/read`);
}

const content = mixedContent(300_000);
/** The last sector is filled up with zeros. */
const padded = new Uint8Array(300_032);
padded.set(content);

interface Case {
  readonly args: readonly string[];
  /** How qemu-img opens it, without its name. */
  readonly opens: string;
}

const cases: Readonly<Record<string, Case>> = {
  "raw": { args: [], opens: "driver=raw" },
  "qcow": { args: ["-f", "qcow"], opens: "driver=qcow" },
  "qcow, compressed": { args: ["-f", "qcow", "-c"], opens: "driver=qcow" },
  "qcow, encrypted": {
    args: ["-f", "qcow", "-o", "encrypt.format=aes", "--passphrase-file", "pw"],
    opens: "driver=qcow,encrypt.key-secret=key",
  },
  "qcow2": { args: ["-f", "qcow2"], opens: "driver=qcow2" },
  "qcow2 of version 2": {
    args: ["-f", "qcow2", "-o", "compat=0.10,cluster_size=4k"],
    opens: "driver=qcow2",
  },
  "qcow2, compressed": {
    args: ["-f", "qcow2", "-c", "-o", "compression_type=zstd", "-o", "refcount_bits=8"],
    opens: "driver=qcow2",
  },
  "qcow2 in the legacy AES": {
    args: ["-f", "qcow2", "-o", "encryption=on", "--passphrase-file", "pw"],
    opens: "driver=qcow2,encrypt.key-secret=key",
  },
  "qcow2 with LUKS": {
    args: [
      ...["-f", "qcow2", "--passphrase-file", "pw", "-o"],
      "cluster_size=4k,encrypt.format=luks,encrypt.cipher-alg=serpent-128,encrypt.cipher-mode=cbc," +
      `encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=md5,encrypt.hash-alg=sha1,encrypt.${QUICK}`,
    ],
    opens: "driver=qcow2,encrypt.key-secret=key",
  },
  "LUKS in qemu-img's words": {
    args: [
      ...["-f", "luks", "--passphrase-file", "pw"],
      ...["-o", `cipher-alg=twofish-256,cipher-mode=ctr,ivgen-alg=plain,hash-alg=sha512,${QUICK}`],
    ],
    opens: "driver=luks,key-secret=key",
  },
  "LUKS in cryptsetup's words": {
    args: [
      ...["-f", "luks", "--passphrase-file", "pw"],
      ...["-o", `cipher=aes-cbc-essiv:sha256,key-size=128,hash=ripemd160,${QUICK}`],
    ],
    opens: "driver=luks,key-secret=key",
  },
};

for (const [name, { args, opens }] of Object.entries(cases)) {
  liveTest(
    { needs: ["qemu-img"] },
    `create makes ${name}, and qemu-img reads it`,
    async (directory) => {
      Deno.writeTextFileSync(`${directory}/pw`, SECRET);
      Deno.writeFileSync(`${directory}/raw`, content);
      await create(directory, "image", "--from", "raw", ...args);
      const options = `${opens},file.filename=${directory}/image`;
      assertEquals(await contentOf(directory, options), padded);
    },
  );
}

liveTest(
  { needs: ["qemu-img", "cryptsetup"] },
  "a passphrase is every byte of its file to qemu-img and cryptsetup as to us, a line end too",
  async (directory) => {
    for (const [index, text] of ["pw", "pw\n", "p w\r\n", "", "ü"].entries()) {
      const [ours, theirs] = [`${directory}/ours${index}`, `${directory}/theirs${index}`];
      const key = `${directory}/pw`;
      Deno.writeTextFileSync(key, text);
      await create(directory, "-f", "luks", "--passphrase-file", "pw", "-o", QUICK, ours, "64K");
      const tested = ["cryptsetup", "open", "--test-passphrase", "--key-file"];
      await succeed([...tested, key, ours]);
      await contentOf(directory, `driver=luks,key-secret=key,file.filename=${ours}`);
      Deno.writeFileSync(theirs, new Uint8Array(2 ** 22));
      await succeed([
        ...["cryptsetup", "luksFormat", "--type", "luks1", "--batch-mode"],
        ...["--pbkdf-force-iterations", "1000", "--key-file", key, theirs],
      ]);
      await contentOf(directory, `driver=luks,key-secret=key,file.filename=${theirs}`);
      const added = ["--passphrase-file", "pw", "--new-passphrase", "x", "--iterations", "1"];
      assertEquals((await diskproof(directory, ["key", "add", theirs, ...added])).status, 0);
      Deno.writeTextFileSync(`${directory}/other`, `${text}.`);
      assertEquals((await run([...tested, `${directory}/other`, ours])).code, 2);
    }
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "several passphrases get a key slot each",
  async (directory) => {
    Deno.writeTextFileSync(`${directory}/pw`, SECRET);
    const keys = ["--passphrase-file", "pw", "--passphrase", "second"];
    await create(directory, "-f", "luks", ...keys, "-o", QUICK, "image", "1M");
    const dump = await succeed(["cryptsetup", "luksDump", `${directory}/image`]);
    assertEquals([...dump.matchAll(/Key Slot (\d): ENABLED/g)].map(([, slot]) => slot), ["0", "1"]);
    Deno.writeTextFileSync(`${directory}/pw`, "second");
    const test = ["cryptsetup", "open", "--test-passphrase", "--key-slot", "1", "--key-file"];
    await succeed([...test, `${directory}/pw`, `${directory}/image`]);
  },
);

liveTest({ needs: ["cryptsetup"] }, "a detached header is a file of its own", async (directory) => {
  Deno.writeTextFileSync(`${directory}/pw`, SECRET);
  Deno.writeFileSync(`${directory}/raw`, content);
  const header = ["--header", "header", "-o", `detached-header=on,${QUICK}`];
  await create(
    directory,
    "-f",
    "luks",
    "--passphrase-file",
    "pw",
    ...header,
    "--from",
    "raw",
    "new",
  );
  assertEquals(Deno.statSync(`${directory}/new`).size, padded.length);
  await succeed([
    ...["cryptsetup", "open", "--test-passphrase", "--key-file", `${directory}/pw`],
    ...["--header", `${directory}/header`, `${directory}/new`],
  ]);
});

liveTest(
  { needs: ["qemu-img"] },
  "what is not said of a volume is as qemu-img has it",
  async (directory) => {
    await create(directory, "-f", "luks", "--passphrase", "x", "image", "1M");
    const info = await succeed(["qemu-img", "info", "--output=json", `${directory}/image`]);
    const { "format-specific": { data }, "virtual-size": size } = JSON.parse(info);
    assertEquals(size, 2 ** 20);
    const { "cipher-alg": cipher, "cipher-mode": mode, "ivgen-alg": iv, "hash-alg": hash } = data;
    assertEquals([cipher, mode, iv, hash], ["aes-256", "xts", "plain64", "sha256"]);
    assertEquals(data.slots.filter(({ active }: { active: boolean }) => active).length, 1);
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "an overlay is as large as its backing file, and has its name",
  async (dir) => {
    Deno.writeFileSync(`${dir}/base`, content);
    for (const format of ["qcow", "qcow2"]) {
      await create(dir, "-f", format, "-b", "base", "-F", "raw", format);
      const read = await contentOf(dir, `driver=${format},file.filename=${dir}/${format}`);
      assertEquals(read, padded);
    }
    await create(dir, "-f", "qcow2", "-u", "-b", "nbd:nowhere", "-F", "raw", "other", "1M");
    const info = await succeed(["qemu-img", "info", "--output=json", `${dir}/other`]);
    assertEquals(JSON.parse(info)["backing-filename"], "nbd:nowhere");
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "a data file is where qemu-img looks for it",
  async (directory) => {
    Deno.writeFileSync(`${directory}/raw`, content);
    const data = `${directory}/with,comma`;
    const options = `data_file=${data.replace(",", ",,")},data_file_raw=on`;
    await create(directory, "-f", "qcow2", "-o", options, "--from", "raw", "image");
    assertEquals(Deno.readFileSync(data), padded);
    const read = await contentOf(directory, `driver=qcow2,file.filename=${directory}/image`);
    assertEquals(read, padded);
  },
);

Deno.test("an existing file does not change without --force", () =>
  withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/image`, "there");
    const refused = await diskproof(directory, ["create", "image", "1M"]);
    assertEquals([refused.status, refused.stdout], [2, ""]);
    assertStringIncludes(refused.stderr, "it exists already (--force replaces it)");
    assertEquals(Deno.readTextFileSync(`${directory}/image`), "there");
    await create(directory, "--force", "image", "1M");
    assertEquals(Deno.statSync(`${directory}/image`).size, 2 ** 20);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["image"]);
  }));

Deno.test("create reports what it cannot create in one line, without the passphrase, and leaves no file", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/raw`, content);
    Deno.writeFileSync(`${directory}/binary`, Uint8Array.of(0xff, 1));
    const luks = ["-f", "luks", "--passphrase", SECRET, "x", "1M"];
    const qcow2 = ["-f", "qcow2", "x", "1M"];
    const inQcow2 = [...qcow2, "--passphrase", SECRET, "-o", "encrypt.format=luks"];
    const refused: [string[], string][] = [
      [[], "name a file to write"],
      [["x"], "give a size, or content with --from"],
      [["x", "1Z"], "the size must be in bytes, such as 512, 64K or 1G, and below 2^63, not '1Z'"],
      [["x", "1M", SECRET], "name a file to write"],
      [["-f", "vmdk", "x", "1M"], "unsupported format 'vmdk' (supported: raw, qcow, qcow2, luks)"],
      [["x", "64K", "--from", "raw"], "raw has 300000 bytes, more than a disk of 65536"],
      [["--force", "raw", "--from", "raw"], "it is one of the input files"],
      [
        ["/proc/x", "1M"],
        "Cannot write to /proc/x: Deno opens files in /dev, /proc and /sys only with ",
      ],
      [["nowhere/x", "1M"], "Cannot write to nowhere/x: the folder nowhere does not exist"],
      [
        ["x", "1M", "--passphrase", SECRET],
        "a passphrase is given, but the image is not encrypted",
      ],
      [["x", "-c", "--from", "raw"], "the format raw does not support compression"],
      [["-f", "luks", "x", "1M"], "requires a passphrase"],
      [[...luks, "-o", "iter-time=10"], "use iterations=N"],
      [[...luks, "-o", "iterations=0"], "from 1 to 2147483647, not '0'"],
      [[...luks, "-o", "iterations=2147483648"], "from 1 to 2147483647, not '2147483648'"],
      [[...luks, "-o", "key-secret=s"], "use --passphrase-file"],
      [[...luks, "-o", "cipher=aes"], "the form aes-cbc-essiv:sha256, not 'aes'"],
      [[...luks, "-o", "cipher=aes-xts-plain65"], "the IV generator plain65: it is not known"],
      [[...luks, "-o", "cipher=aes-xts-plain64,cipher-mode=xts"], "cannot be combined"],
      [[...luks, "-o", "key-size=256"], "key-size requires cipher"],
      [[...luks, "-o", "cipher-alg=aes-265"], "(did you mean aes-256?)"],
      [[...luks, "-o", "hsh=sha1"], "unknown option hsh of luks (did you mean hash?)"],
      [[...luks, "-o", "detached-header=on"], "detached-header=on requires --header FILE"],
      [[...luks, "--header", "x"], "it is named for two files"],
      [[...qcow2, "--header", "y"], "--header requires -f luks"],
      [[...qcow2, "-o", "clustersize=4k"], "(did you mean cluster_size?)"],
      [[...qcow2, "-o", "cluster_size=3k"], "a power of two from 512 to 2M, not 3072"],
      [[...qcow2, "-o", "encrypt.hash=sha1"], "encrypt.hash requires encrypt.format=luks"],
      [[...qcow2, "-o", "data_file_raw=on"], "data_file_raw requires data_file"],
      [[...qcow2, "-c"], "there is nothing to compress without --from"],
      [
        [...qcow2, "-b", "raw"],
        "-b FILE and -F FORMAT are given together",
      ],
      [[...qcow2, "-b", "gone", "-F", "raw"], "gone: there is no such file (-u skips this check)"],
      [["-b", "raw", "-F", "raw", "x", "1M"], "the format raw does not support backing files"],
      [[...inQcow2, "-c", "--from", "raw"], "compression and encryption cannot be combined"],
      [
        [...inQcow2, "--passphrase-file", "binary"],
        "QEMU, which opens such images, accepts only UTF-8 without NUL",
      ],
      [[...inQcow2, "--passphrase-file", "gone"], "the passphrase in gone: there is no such file"],
      [["-f", "qcow", "x", "0"], "a positive multiple of 512, not 0"],
    ];
    for (const [args, says] of refused) {
      const { status, stdout, stderr } = await diskproof(directory, ["create", ...args]);
      assertEquals([status, stdout], [2, ""], args.join(" "));
      assertMatch(stderr, /^diskproof: [^\n]+\n$/);
      assertStringIncludes(stderr, says);
      assert(!stderr.includes(SECRET), args.join(" "));
    }
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(left, ["binary", "raw"]);
  }));
