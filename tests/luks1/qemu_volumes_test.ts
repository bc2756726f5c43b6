import { assert, assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import type { CipherSpec } from "../../src/luks1/mod.ts";
import { compareInfo, contentDifference } from "./compare.ts";
import { infoOf, succeed, type VolumeFiles } from "./live.ts";
import { amend, contentBytes, qemuVolume } from "./made.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { liveTest, versionOf } from "../live.ts";

const SIZE = 70 * 1024;

/** Names of a cipher as `aes-xts-plain64`, of a hash, and a length of key in bytes. */
function specOf(names: string, hash: string, keyBytes: number): CipherSpec {
  const [cipher = "", mode = "", iv = ""] = names.split("-");
  const [ivGenerator = "", ivHash] = iv.split(":");
  return { cipher, mode, ivGenerator, hash, keyBytes, ...ivHash === undefined ? {} : { ivHash } };
}

const specs: readonly CipherSpec[] = [
  specOf("aes-xts-plain64", "sha256", 64),
  specOf("aes-cbc-essiv:sha256", "sha1", 16),
  specOf("serpent-xts-plain", "sha512", 48),
  specOf("twofish-cbc-plain64", "ripemd160", 32),
  specOf("cast5-cbc-essiv:md5", "md5", 16),
  specOf("aes-ctr-plain64", "sha224", 32),
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

for (const spec of specs) {
  const { cipher, keyBytes, mode, ivGenerator, ivHash = "none", hash } = spec;
  const name = `${cipher} with ${keyBytes} bytes, ${mode}, ${ivGenerator}, ${ivHash} and ${hash}`;
  liveTest({ needs: ["qemu-img"] }, `a volume of qemu-img opens: ${name}`, async (directory) => {
    const content = contentBytes(SIZE);
    const files = await qemuVolume(`${directory}/volume`, { spec, passphrase: "päss", content });
    const ours = await openedBy(files, "päss");
    assert(ours instanceof Uint8Array, String(ours));
    assertEquals(contentDifference(ours, content), []);
  });
}

liveTest(
  { needs: ["qemu-img"] },
  "keys that qemu-img adds and erases are found and lost",
  async (directory) => {
    const [spec] = specs;
    assert(spec !== undefined);
    const content = contentBytes(SIZE);
    const files = await qemuVolume(`${directory}/volume`, { spec, passphrase: "old", content });
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
