/** A rule that shows when an encrypted image is read with its passphrase. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { openImage } from "../../src/image/mod.ts";
import { QemuImgPeer, ReferencePeer, type ToolResult } from "../../src/peers/mod.ts";
import { decodeQcow2, extensionOf } from "../../src/qcow2/decode.ts";
import { extensionTypes } from "../../src/qcow2/structures.ts";
import { IMAGE } from "./live.ts";
import { codeOf, type Operation, qemu } from "./operation.ts";

/** Puts another length into the pointer to the encryption header of an image that QEMU made. */
async function setEncryptionLength(path: string, length: number): Promise<void> {
  const file = decodeQcow2(new FileSource(path));
  const pointer = extensionOf(file, extensionTypes.encryptionHeader);
  file.source.close?.();
  assert(pointer !== undefined);
  const image = await Deno.readFile(path);
  const lengthAt = pointer.dataOffset + 8;
  new DataView(image.buffer).setBigUint64(lengthAt, BigInt(length));
  await Deno.writeFile(path, image);
}

/** A key of 16 bytes: its 4000 stripes behind the eight sectors of the header. */
const MATERIAL_END = 8 * 512 + 16 * 4000;

export const material: Operation = {
  rule: "qcow2.ext.crypto-material-range",
  about: "the encryption header ends a byte before the key material that is read",
  async run(directory) {
    const passphrases = ["secret"];
    await Deno.writeTextFile(`${directory}/key`, "secret");
    const luks = "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10";
    const cipher = "encrypt.cipher-alg=aes-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=plain64";
    const create = ["create", "-f", "qcow2", "--object", "secret,id=s,file=key", "-o"];
    const options = `${luks},${cipher},cluster_size=4096`;
    await retried(() => qemu(directory, "qemu-img", ...create, options, IMAGE, "64k"));
    const subject = { path: IMAGE, directory, passphrases };
    for (const [length, outcome] of [[MATERIAL_END, "accepted"], [MATERIAL_END - 1, "rejected"]]) {
      await setEncryptionLength(`${directory}/${IMAGE}`, Number(length));
      for (const peer of [new QemuImgPeer(), new ReferencePeer()]) {
        assertEquals((await peer.digest(subject)).outcome, outcome);
        assertEquals((await peer.info({ path: IMAGE, directory })).outcome, "accepted");
      }
    }
    const image = openImage(`${directory}/${IMAGE}`, {
      passphrases: passphrases.map((text) => new TextEncoder().encode(text)),
    });
    assertEquals(image.findings.refusal("read")?.rule, "qcow2.ext.crypto-material-range");
    image.close();
  },
};

/** qemu-img 7.2 does not create a LUKS header where the clock of the machine is too coarse for it. */
async function retried(create: () => Promise<ToolResult>): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    const result = await create();
    if (codeOf(result) === 0) return;
    assertMatch(result.stderr, /accurate CPU usage/);
  }
  throw new Error("Cannot create an image: qemu-img does not find out how fast the machine is");
}
