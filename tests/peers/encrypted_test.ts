import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import {
  ExecPeer,
  type Peer,
  QemuImgPeer,
  QemuIoSession,
  scrubbed,
  type Subject,
  withScratch,
} from "../../src/peers/mod.ts";
import { measured } from "../luks1/live.ts";
import { makeEncrypted, writeEncrypted } from "./encrypted.ts";
import { make } from "./tools.ts";
import { liveTest, QEMU } from "../live.ts";

const SIZE = 65536;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What every image here holds: 0x21 in its first 4 KiB. */
const CONTENT = new Uint8Array(SIZE).fill(0x21, 0, 4096);
const WRITE = ["write -q -P 0 0 64k", "write -q -P 0x21 0 4k"];

async function digestOf(peer: Peer, subject: Subject): Promise<string> {
  const digest = await peer.digest(subject);
  return digest.outcome === "accepted" ? digest.value.sha256 : digest.outcome;
}

const KINDS = [
  { format: "luks", options: "cipher-alg=aes-128", key: "key-secret" },
  { format: "qcow", options: "", key: "encrypt.key-secret" },
  { format: "qcow2", options: "", key: "encrypt.key-secret" },
  { format: "qcow2", options: "encrypt.format=aes,compat=0.10", key: "encrypt.key-secret" },
] as const;

for (const { format, options, key } of KINDS) {
  const kind = `${format}${options === "" ? "" : ` (${options})`}`;
  liveTest(
    { needs: QEMU },
    `QemuImgPeer and QemuIoSession read ${kind} with its passphrase`,
    async (directory) => {
      // Neither a comma nor a colon in a name is to be treated as something else.
      const path = "a,b:c";
      await makeEncrypted(directory, { name: path, format, passphrase: "pä,ss =", options });
      const image = `driver=${format},${key}=s,file.filename=./a,,b:c`;
      const secrets = { s: "a_b_c.key" };
      await writeEncrypted(directory, image, { keys: secrets, commands: WRITE });
      const peer = new QemuImgPeer();
      const subject = { path, directory, passphrases: ["pä,ss ="] };
      assertEquals(await peer.probe(subject), { outcome: "accepted", value: { format } });
      assertEquals(await digestOf(peer, subject), sha256(CONTENT));
      assertEquals(await digestOf(peer, { ...subject, format }), sha256(CONTENT));
      const range = await peer.digest(subject, { range: { start: 3584, length: 1024 } });
      const part = sha256(CONTENT.subarray(3584, 4608));
      assertEquals(range, { outcome: "accepted", value: { sha256: part, length: 1024 } });
      const map = await peer.map(subject);
      assertEquals(map.outcome === "accepted" && map.value[0]?.data, true);
      const check = await peer.check(subject);
      const checked = format === "qcow2" ? 0 : 63;
      assertEquals(check.outcome === "accepted" && check.value.exitCode, checked);
      for (const passphrases of [undefined, ["another"], [""]]) {
        const wrong = { path, directory, ...(passphrases === undefined ? {} : { passphrases }) };
        const legacy = format === "qcow" || options.includes("aes,");
        const digest = await digestOf(peer, wrong);
        // The legacy encryption knows no wrong passphrase, only other content.
        if (legacy && passphrases !== undefined) assert(/^[0-9a-f]{64}$/.test(digest), digest);
        else assertEquals(digest, "rejected");
        assert(digest !== sha256(CONTENT));
        assertEquals((await peer.info(wrong)).outcome, "accepted");
      }
      const session = new QemuIoSession({ directory });
      const read = await session.readAll({ ...subject, path, format, size: SIZE });
      assertEquals(read.outcome === "accepted" && read.value.bytes, CONTENT);
      assertEquals((await session.readAll({ path, format, size: SIZE })).outcome, "rejected");
      await session.close();
    },
  );
}

liveTest(
  { needs: QEMU },
  "QemuImgPeer reads snapshots of an encrypted image",
  async (directory) => {
    await makeEncrypted(directory, { name: "disk", format: "qcow2", passphrase: "pw" });
    const image = "driver=qcow2,encrypt.key-secret=s,file.filename=disk";
    const keys = { s: "disk.key" };
    await writeEncrypted(directory, image, { keys, commands: WRITE });
    const secret = ["--object", "secret,id=s,file=disk.key"];
    await make(directory, "qemu-img", "snapshot", ...secret, "-c", "before", "--image-opts", image);
    await writeEncrypted(directory, image, { keys, commands: ["write -q -P 5 0 64k"] });
    const subject = { path: "disk", directory, passphrases: ["pw"] };
    const before = await new QemuImgPeer().digest(subject, { snapshot: "before" });
    const value = { sha256: sha256(CONTENT), length: SIZE };
    assertEquals(before, { outcome: "accepted", value });
    assertEquals(await digestOf(new QemuImgPeer(), subject), sha256(CONTENT.slice().fill(5)));
  },
);

liveTest(
  { needs: QEMU },
  "a chain is read with a passphrase for each of its images, or one for all",
  async (directory) => {
    await makeEncrypted(directory, { name: "bottom", format: "luks", passphrase: "one" });
    const luks = "driver=luks,key-secret=s,file.filename=bottom";
    await writeEncrypted(directory, luks, { keys: { s: "bottom.key" }, commands: WRITE });
    const on = (backing: string, format: string) => ["-b", backing, "-F", format];
    await make(
      directory,
      "qemu-img",
      "create",
      "-q",
      "-f",
      "qcow2",
      ...on("bottom", "luks"),
      "plain",
    );
    await makeEncrypted(directory, {
      name: "top",
      format: "qcow2",
      passphrase: "two",
      options: "encrypt.format=aes",
      arguments: [...on("plain", "qcow2"), "-u"],
    });
    const session = new QemuIoSession({ directory });
    const top = { path: "top", directory, format: "qcow2" };
    for (
      const { subject, outcome } of [
        { subject: { ...top, passphrases: ["two", "unused", "one"] }, outcome: "accepted" },
        { subject: { ...top, passphrases: ["two", "one"] }, outcome: "accepted" },
        { subject: { ...top, passphrases: ["one", "two"] }, outcome: "rejected" },
        { subject: { ...top, path: "plain", passphrases: ["", "one"] }, outcome: "accepted" },
        { subject: { ...top, path: "plain", passphrases: ["one"] }, outcome: "accepted" },
        { subject: { ...top, path: "plain" }, outcome: "rejected" },
      ]
    ) {
      const digest = await new QemuImgPeer().digest(subject);
      assertEquals(digest.outcome, outcome);
      if (digest.outcome === "accepted") assertEquals(digest.value.sha256, sha256(CONTENT));
      const read = await session.readAll({ ...subject, size: SIZE });
      assertEquals(read.outcome, outcome);
      if (read.outcome === "accepted") assertEquals(read.value.bytes, CONTENT);
    }
    // What is likely may be wrong: the top image is encrypted, the one below it is not.
    for (const encrypted of [[], [false], [true], [true, true], [true, false]]) {
      const likely = encrypted.map((encrypted) => ({ format: "qcow2", encrypted }));
      const passphrases = ["two", "unused", "one"];
      const read = await session.readAll({ ...top, passphrases, likely, size: SIZE });
      assertEquals(read.outcome === "accepted" && read.value.bytes, CONTENT, `${encrypted}`);
    }
    await session.close();
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession goes through more sets of passphrases than it keeps processes for",
  async (directory) => {
    const names = ["p1", "p2", "p3", "p4", "p5", "p6"];
    for (const name of names) {
      await makeEncrypted(directory, { name, format: "qcow", passphrase: name });
      const image = `driver=qcow,encrypt.key-secret=s,file.filename=${name}`;
      await writeEncrypted(directory, image, { keys: { s: `${name}.key` }, commands: WRITE });
    }
    const session = new QemuIoSession({ directory });
    for (const name of [...names, ...names.toReversed()]) {
      const reading = { path: name, format: "qcow", passphrases: [name], size: SIZE };
      const read = await session.readAll(reading);
      assertEquals(read.outcome === "accepted" && read.value.bytes, CONTENT, name);
    }
    await session.close();
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "no passphrase is in a command line or is left in a file",
  async (directory) => {
    await makeEncrypted(directory, { name: "disk", format: "qcow", passphrase: "open sesame" });
    const scratch = `${directory}/scratch`;
    Deno.mkdirSync(scratch);
    const spy = `${directory}/spy`;
    const script = `echo "$@" >> ${directory}/calls; exec qemu-img "$@"`;
    Deno.writeTextFileSync(spy, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const peer = new QemuImgPeer({ command: ["/bin/sh", spy], scratch });
    const subject = { path: "disk", directory, passphrases: ["open sesame"] };
    assertEquals((await peer.map(subject)).outcome, "accepted");
    assertEquals((await peer.digest(subject)).outcome, "accepted");
    const calls = Deno.readTextFileSync(`${directory}/calls`);
    assert(calls.includes("--object secret,id=s0,file="));
    assert(!calls.includes("sesame"));
    assertEquals([...Deno.readDirSync(scratch)], []);
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "QemuImgPeer says that a detached header needs a newer version, or reads with it",
  async (directory) => {
    const peer = new QemuImgPeer();
    const { version, takes } = await peer.describe();
    Deno.writeFileSync(`${directory}/payload`, new Uint8Array(SIZE));
    const subject = { path: "payload", header: "header", directory, passphrases: ["pw"] };
    if (!takes?.includes("header")) {
      const message = `Detached LUKS headers require qemu-img 9.0 (this is ${version})`;
      for (const question of ["probe", "info", "map", "check", "digest"] as const) {
        assertEquals(await peer[question](subject), { outcome: "unsupported", message });
      }
      return;
    }
    const secret = `${directory}/header.key`;
    Deno.writeTextFileSync(secret, "pw");
    const options = "key-secret=key,iter-time=1,cipher-alg=aes-128,detached-header=true";
    await measured([
      ...["qemu-img", "create", "-q", "-f", "luks", "--object", `secret,id=key,file=${secret}`],
      ...["-o", options, `${directory}/header`, `${SIZE}`],
    ]);
    assertEquals(await peer.probe(subject), { outcome: "accepted", value: { format: "luks" } });
    const digest = await peer.digest(subject);
    assertEquals(digest.outcome === "accepted" && digest.value.length, SIZE);
    assertEquals(await digestOf(peer, { ...subject, passphrases: ["no"] }), "rejected");
  },
);

Deno.test("ExecPeer passes passphrases and a header to an adapter that accepts them, and to no other", () =>
  withScratch(async (directory) => {
    const subject = {
      path: "disk",
      header: "head",
      directory,
      passphrases: ["first secret", "second"],
    };
    const adapter = (takes: string) => {
      const script = [
        `if [ "$1" = describe ]; then echo '{"name": "mine", "takes": ${takes}}'; exit 0; fi`,
        'echo "$@" >> calls; shift 2; [ "$1 $2" = "--header head" ] || exit 9; shift 2',
        'while [ "$1" = --passphrase-file ]; do echo "it is $(cat "$2")" >&2; shift 2; done; exit 1',
      ].join("; ");
      Deno.writeTextFileSync(`${directory}/adapter`, script);
      return new ExecPeer({ command: ["/bin/sh", `${directory}/adapter`] });
    };
    const taking = adapter('["passphrases", "header", "anything"]');
    assertEquals((await taking.describe()).takes, ["passphrases", "header"]);
    const message = "it is (passphrase)\nit is (passphrase)";
    assertEquals(await taking.digest(subject), { outcome: "rejected", message });
    assert(!Deno.readTextFileSync(`${directory}/calls`).includes("secret"));
    Deno.removeSync(`${directory}/calls`);
    for (
      const { takes, lacking } of [
        { takes: "[]", lacking: "passphrases" },
        { takes: "true", lacking: "passphrases" },
        { takes: '["passphrases"]', lacking: "detached LUKS headers" },
      ]
    ) {
      const message = `The adapter does not declare support for ${lacking}`;
      assertEquals(await adapter(takes).info(subject), { outcome: "unsupported", message });
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["adapter"]);
  }));

Deno.test("scrubbed() hides a passphrase, and a short one only if it is a whole word", () => {
  assertEquals(scrubbed("no: pass.word2", ["pass.word"]), "no: (passphrase)2");
  assertEquals(scrubbed("a wrong 'a' at all", ["a"]), "(passphrase) wrong '(passphrase)' at all");
  assertEquals(scrubbed("x+y and x+yy, +", ["x+y"]), "(passphrase) and x+yy, +");
  assertEquals(scrubbed("long and longer", ["long", "longer"]), "(passphrase) and (passphrase)");
  assertEquals(scrubbed("nothing", ["", "not there"]), "nothing");
});
