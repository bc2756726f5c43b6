import { assert, assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { compareInfo, contentDifference } from "./compare.ts";
import { infoOf, succeed, type VolumeFiles } from "./live.ts";
import { amend, contentBytes, qemuVolume, refilledVolume } from "./made.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { liveTest, versionOf } from "../live.ts";

const SIZE = 70 * 1024;

/** Golden volumes of each cipher, mode and IV generator. */
const VOLUMES = [
  "luks-defaults",
  "luks-aes-16-cbc-essiv-sha256-sha384",
  "luks-serpent-24-xts-plain64-sha1",
  "luks-twofish-16-ecb-plain64-ripemd160",
  "luks-cast5-16-cbc-essiv-md5-ripemd160",
  "luks-aes-32-ctr-essiv-md5-sha224",
  "luks-twofish-24-xts-plain-sha512",
];

async function openedBy(files: VolumeFiles, passphrase: string): Promise<Uint8Array | string[]> {
  const source = new FileSource(files.path);
  try {
    const { layer, findings } = openVolume({ source, passphrase });
    if (layer === undefined || !layer.unlocked) return messagesOf(findings);
    const theirs = await infoOf(files);
    assert(theirs !== undefined);
    const ours = { "virtual-size": layer.virtualSize, format: "luks", ...layer.info() };
    assertEquals(compareInfo(ours, theirs), []);
    assertEquals(findings.rules(), []);
    return readAll(layer);
  } finally {
    source.close();
  }
}

for (const golden of VOLUMES) {
  liveTest({ needs: ["qemu-img"] }, `a volume of qemu-img opens: ${golden}`, async (directory) => {
    const content = contentBytes(SIZE);
    const files = await refilledVolume(directory, { golden, content });
    const ours = await openedBy(files, files.key);
    assert(ours instanceof Uint8Array, String(ours));
    assertEquals(contentDifference(ours, content), []);
  });
}

liveTest(
  { needs: ["qemu-img"] },
  "keys that qemu-img adds and erases are found and lost",
  async (directory) => {
    const content = contentBytes(SIZE);
    const files = await qemuVolume(`${directory}/volume`, { passphrase: "old", content });
    await amend(files, { add: "new", slot: 5 });
    assert(await openedBy(files, "old") instanceof Uint8Array);
    const added = await openedBy(files, "new");
    assert(added instanceof Uint8Array, String(added));
    assertEquals(contentDifference(added, content), []);
    await Deno.writeTextFile(files.passphrase, "new");
    await amend(files, { erase: 0 });
    assertEquals(await openedBy(files, "old"), [
      "luks.key.unlock: The passphrase opens no key slot",
    ]);
    assert(await openedBy(files, "new") instanceof Uint8Array);
  },
);

liveTest(
  { needs: ["qemu-img", "qemu-img 9.0"] },
  "a detached header of qemu-img opens with its payload",
  async (directory) => {
    const header = `${directory}/header`;
    const passphrase = `${directory}/passphrase`;
    await Deno.writeTextFile(passphrase, "pw");
    await succeed([
      ...["qemu-img", "create", "-f", "luks", "--object", `secret,id=key,file=${passphrase}`],
      ...["-o", "key-secret=key,iter-time=10,detached-header=true", header],
    ]);
    const payload = `${directory}/payload`;
    const content = contentBytes(SIZE);
    await Deno.writeFile(payload, new Uint8Array(SIZE));
    await Deno.writeFile(`${directory}/source`, content);
    const image =
      `driver=luks,key-secret=key,header.driver=file,header.filename=${header},file.filename=${payload}`;
    await succeed([
      ...["qemu-img", "convert", "--object", `secret,id=key,file=${passphrase}`, "-n"],
      ...["--target-image-opts", "-f", "raw", `${directory}/source`, image],
    ]);
    const source = new FileSource(header);
    const payloadSource = new FileSource(payload);
    const { layer, findings } = openVolume({ source, payload: payloadSource, passphrase: "pw" });
    assert(layer?.unlocked, `${messagesOf(findings)}`);
    assertEquals(contentDifference(readAll(layer), content), []);
    const theirs = await infoOf({ path: header, payload });
    assert(theirs !== undefined, versionOf("qemu-img"));
    const ours = { "virtual-size": layer.virtualSize, format: "luks", ...layer.info() };
    assertEquals(compareInfo(ours, theirs), []);
    source.close();
    payloadSource.close();
  },
);
