import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  compareVolume,
  CryptsetupPeer,
  LuksdePeer,
  QemuImgPeer,
  runTool,
  type Subject,
  volumeOf,
  type VolumeReport,
} from "../../src/peers/mod.ts";
import { readLuksDump } from "../../src/peers/cryptsetup/dump.ts";
import { readLuksdeInfo } from "../../src/peers/luksde/peer.ts";
import { makeEncrypted } from "./encrypted.ts";
import { make } from "./tools.ts";
import { liveTest } from "../live.ts";

const FORMAT = [
  ...["cryptsetup", "luksFormat", "--type", "luks1", "--batch-mode"],
  ...["--pbkdf-force-iterations", "1000", "--key-file", "key"],
];

/** Has cryptsetup make a volume with the passphrase `right`. */
async function makeVolume(directory: string, ...options: string[]): Promise<Subject> {
  Deno.writeTextFileSync(`${directory}/key`, "right");
  Deno.writeFileSync(`${directory}/disk`, new Uint8Array(3 * 1024 * 1024));
  await make(directory, ...FORMAT, ...options, "disk");
  return { path: "disk", directory };
}

async function qemuVolume(subject: Subject): Promise<VolumeReport> {
  const info = await new QemuImgPeer().info(subject);
  assert(info.outcome === "accepted", JSON.stringify(info));
  const volume = volumeOf(info.value);
  assert(volume !== undefined);
  return volume;
}

Deno.test("readLuksDump() reads what cryptsetup 2.6.1 printed", () => {
  const text = `LUKS header information for /dev/shm/x/disk

Version:       \t1
Cipher name:   \taes
Cipher mode:   \tcbc-essiv:sha256
Hash spec:     \tsha1
Payload offset:\t4096
MK bits:       \t192
MK digest:     \t79 54 5e 91 cc 07 ad 05 2b ae 0d 47 dd a9 3b 33 7e 1e 98 a8 
MK salt:       \t69 98 11 4e ae a4 20 20 84 9b b0 b1 89 70 da 1a 
               \t3d 4f 61 3e c9 83 06 bc 4c 02 1b 0f 9f 00 1c 3e 
MK iterations: \t1001
UUID:          \td7a32cc6-5411-4831-b518-e1309bd67409

Key Slot 0: DISABLED
Key Slot 1: ENABLED
\tIterations:         \t1002
\tSalt:               \t07 5e 4f 1b f7 9a aa d3 94 3f 64 9c 80 d0 17 d3 
\t                      \t88 ff f5 c7 44 3f ef b6 4e 2e 40 67 a6 d1 f1 0b 
\tKey material offset:\t8
\tAF stripes:            \t4000
`.replaceAll("\\\t", "\t");
  const report = readLuksDump(text);
  assertEquals(report, {
    cipher: "aes",
    "cipher-alg": "aes-192",
    "cipher-mode": "cbc",
    "ivgen-alg": "essiv",
    "ivgen-hash-alg": "sha256",
    "hash-alg": "sha1",
    "payload-offset": 2097152,
    "master-key-iters": 1001,
    uuid: "d7a32cc6-5411-4831-b518-e1309bd67409",
    slots: [{ active: false }, { active: true, "key-offset": 4096, iters: 1002, stripes: 4000 }],
  });
  assertEquals(readLuksDump(text.replace("\t1\n", "\t2\n")), undefined);
  assertEquals(readLuksDump(""), undefined);
});

Deno.test("readLuksDump() reads what cryptsetup 2.6.1 printed of version 2", () => {
  const text = `LUKS header information
Version:       \t2
Epoch:         \t3
Metadata area: \t16384 [bytes]
Keyslots area: \t16744448 [bytes]
UUID:          \t00cac13b-623f-4b0c-a4e0-a11d98f5bfe9
Label:         \tna me
Subsystem:     \t(no subsystem)
Flags:       \t(no flags)

Data segments:
  0: crypt
\toffset: 16777216 [bytes]

Keyslots:
  0: luks2
\tKey:        512 bits
\tArea offset:32768 [bytes]
  31: reencrypt (unbound)
\tKey:        8 bits
Tokens:
  1: luks2-keyring
Digests:
  0: pbkdf2
\tHash:       sha256
`;
  const report = {
    version: 2,
    seqid: 3,
    uuid: "00cac13b-623f-4b0c-a4e0-a11d98f5bfe9",
    label: "na me",
    subsystem: "",
    keyslots: [{ id: "0", type: "luks2" }, { id: "31", type: "reencrypt" }],
  };
  assertEquals(readLuksDump(text), report);
  // A text of which the last letter may have been cut away is not told.
  const { label: _, ...unlabelled } = report;
  assertEquals(readLuksDump(text.replace("na me", "x".repeat(47))), unlabelled);
  const last = "18446744073709551615";
  assertEquals(readLuksDump(text.replace("\t3\n", `\t${last}\n`)), { ...report, seqid: last });
});

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "CryptsetupPeer reports the same header as qemu-img, and finds the slot",
  async (directory) => {
    const peer = new CryptsetupPeer();
    const subject = await makeVolume(directory, "--cipher", "aes-cbc-essiv:sha256");
    Deno.writeTextFileSync(`${directory}/second`, "left");
    const add = ["cryptsetup", "luksAddKey", "--batch-mode", "--pbkdf-force-iterations", "1500"];
    await make(directory, ...add, "--key-file", "key", "--key-slot", "5", "disk", "second");
    const before = Deno.readFileSync(`${directory}/disk`);
    assertEquals(await peer.probe(subject), { outcome: "accepted", value: { format: "luks" } });
    const info = await peer.volume(subject);
    assert(info.outcome === "accepted");
    const theirs = await qemuVolume(subject);
    assertEquals(compareVolume(info.value, theirs), []);
    const changed = { ...theirs, "master-key-iters": 7, slots: [] };
    const paths = compareVolume(info.value, changed).map(({ path }) => path);
    assert(paths.includes("/master-key-iters") && paths.includes("/slots/0"), String(paths));
    for (const [passphrase, slot] of [["right", 0], ["left", 5]] as const) {
      const unlocked = await peer.unlock({ ...subject, passphrases: [passphrase] });
      assertEquals(unlocked, { outcome: "accepted", value: { slot } });
    }
    for (const [slot, outcome] of [[0, "accepted"], [1, "rejected"], [5, "rejected"]] as const) {
      const named = await peer.unlock({ ...subject, passphrases: ["right"] }, slot);
      assertEquals(named.outcome, outcome, `key slot ${slot}`);
    }
    const wrong = await peer.unlock({ ...subject, passphrases: ["wrong"] });
    assertEquals(wrong, {
      outcome: "rejected",
      message: "No key available with this passphrase.",
    });
    assertEquals((await peer.unlock(subject)).outcome, "unsupported");
    assertEquals(Deno.readFileSync(`${directory}/disk`), before);
  },
);

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "CryptsetupPeer opens with keys of 24 bytes, of which qemu-img dies",
  async (directory) => {
    const options = ["--cipher", "aes-cbc-plain64", "--key-size", "192"];
    const made = await makeVolume(directory, ...options);
    const subject = { ...made, passphrases: ["right"] };
    const peer = new CryptsetupPeer();
    assertEquals(await peer.unlock(subject), { outcome: "accepted", value: { slot: 0 } });
    const info = await peer.volume(subject);
    assert(info.outcome === "accepted");
    assertEquals(compareVolume(info.value, await qemuVolume(subject)), []);
    const qemuImg = new QemuImgPeer();
    assertEquals((await qemuImg.map(subject)).outcome, "crashed");
    assertEquals((await qemuImg.digest(subject)).outcome, "crashed");
  },
);

liveTest({ needs: ["cryptsetup"] }, "CryptsetupPeer takes a detached header", async (directory) => {
  Deno.writeTextFileSync(`${directory}/key`, "right");
  Deno.writeFileSync(`${directory}/payload`, new Uint8Array(1024 * 1024));
  await make(directory, ...FORMAT, "--header", "head", "payload");
  const subject = { path: "payload", header: "head", directory, passphrases: ["right"] };
  const peer = new CryptsetupPeer();
  assertEquals(await peer.unlock(subject), { outcome: "accepted", value: { slot: 0 } });
  const info = await peer.volume(subject);
  assertEquals(info.outcome === "accepted" && info.value["payload-offset"], 0);
  const { header: _, ...alone } = subject;
  assertEquals((await peer.unlock(alone)).outcome, "rejected");
  assertEquals((await peer.volume(alone)).outcome, "rejected");
  assertEquals((await peer.probe(alone)).outcome, "rejected");
});

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "CryptsetupPeer distinguishes what it lacks from what is wrong with a volume",
  async (directory) => {
    const options = "cipher-alg=twofish-128,cipher-mode=cbc";
    await makeEncrypted(directory, { name: "two", format: "luks", passphrase: "pw", options });
    const peer = new CryptsetupPeer();
    const subject = { path: "two", directory, passphrases: ["pw"] };
    const info = await peer.volume(subject);
    assertEquals(info.outcome === "accepted" && info.value["cipher-alg"], "twofish-128");
    const unlocked = await peer.unlock(subject);
    // With a device mapper it has the kernel encrypt.
    assert(["accepted", "unsupported"].includes(unlocked.outcome), JSON.stringify(unlocked));
    // The name of the hash stands 72 bytes from the start.
    const bytes = Deno.readFileSync(`${directory}/two`);
    bytes.set(new TextEncoder().encode("md5\0\0\0"), 72);
    Deno.writeFileSync(`${directory}/md5`, bytes);
    assertEquals((await peer.volume({ ...subject, path: "md5" })).outcome, "unsupported");
    bytes[7] = 3;
    Deno.writeFileSync(`${directory}/v3`, bytes);
    const third = await peer.volume({ ...subject, path: "v3" });
    assert(third.outcome === "rejected");
    assertStringIncludes(third.message, "Device v3 is not a valid LUKS device.");
    assertEquals((await peer.unlock({ ...subject, path: "v3" })).outcome, "rejected");
    assertEquals((await peer.volume({ ...subject, path: "missing" })).outcome, "rejected");
    const small = new CryptsetupPeer({ copyLimit: 1000 });
    assertEquals((await small.volume(subject)).outcome, "unsupported");
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "CryptsetupPeer stops a PBKDF2 that does not end",
  async (directory) => {
    const subject = { ...await makeVolume(directory), passphrases: ["right"] };
    const bytes = Deno.readFileSync(`${directory}/disk`);
    // The iterations of the first key slot, which starts at 208.
    new DataView(bytes.buffer).setUint32(212, 0xffffffff);
    Deno.writeFileSync(`${directory}/disk`, bytes);
    const unlocked = await new CryptsetupPeer({ timeoutMs: 500 }).unlock(subject);
    assertEquals(unlocked.outcome, "timed-out");
  },
);

Deno.test("readLuksdeInfo() reads what luksdeinfo 20200205 printed", () => {
  const text = `luksdeinfo 20200205

Linux Unified Key Setup Disk Encryption information:
	Encryption method		: Serpent-XTS
	Volume identifier		: f2f88ef8-ab78-415d-8236-5605c1856bf9
	Is locked
`;
  const uuid = "f2f88ef8-ab78-415d-8236-5605c1856bf9";
  assertEquals(readLuksdeInfo(text), { cipher: "serpent", "cipher-mode": "xts", uuid });
  const ecb = text.replace("Serpent-XTS", "AES");
  assertEquals(readLuksdeInfo(ecb), { cipher: "aes", uuid });
  assertEquals(readLuksdeInfo("luksdeinfo 20200205\n\n"), undefined);
});

Deno.test("LuksdePeer has no answer where there is no luksdeinfo", async () => {
  const none = await new LuksdePeer({ command: ["no-such-luksdeinfo"] }).volume({ path: "disk" });
  assertEquals(none.outcome, "unsupported");
});

liveTest(
  { needs: ["qemu-img", "luksdeinfo"] },
  "LuksdePeer prints what qemu-img prints",
  async (directory) => {
    const options = "cipher-alg=serpent-128,cipher-mode=cbc";
    await makeEncrypted(directory, { name: "disk", format: "luks", passphrase: "pw", options });
    const subject = { path: "disk", directory };
    const info = await new LuksdePeer().volume(subject);
    assert(info.outcome === "accepted", JSON.stringify(info));
    assertEquals(compareVolume(info.value, await qemuVolume(subject)), []);
    const { end } = await runTool(["luksdeinfo", "disk.key"], { directory });
    assertEquals(end, { kind: "exited", code: 1 });
    assertEquals(
      (await new LuksdePeer().volume({ ...subject, path: "disk.key" })).outcome,
      "rejected",
    );
  },
);
