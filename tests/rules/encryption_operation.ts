/** A rule that shows when an encrypted image is read with its passphrase. */

import { assert, assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { openImage } from "../../src/image/mod.ts";
import { QemuImgPeer, ReferencePeer } from "../../src/peers/mod.ts";
import { decodeQcow2, extensionOf } from "../../src/qcow2/decode.ts";
import { extensionTypes } from "../../src/qcow2/structures.ts";
import { createLuks } from "../image/created_luks.ts";
import { IMAGE } from "./live.ts";
import type { Operation } from "./operation.ts";

/** Puts another length into the pointer to the encryption header of an image. */
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
    const cipher = "encrypt.cipher-alg=aes-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=plain64";
    await createLuks(`${directory}/${IMAGE}`, {
      format: "qcow2",
      options: `${cipher},cluster_size=4096`,
      passphrase: `${directory}/key`,
      words: ["64k"],
    });
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
