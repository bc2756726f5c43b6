/**
 * Sectors whose numbers take more than 32 bits: where `plain` and `plain64` part, and where a reader
 * that counts in 32 bits goes wrong without a word.
 */
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { type Peer, QemuImgPeer, ReferencePeer } from "../../src/peers/mod.ts";
import { makeEncrypted, writeEncrypted } from "./encrypted.ts";
import { liveTest, QEMU } from "../live.ts";

/** Where the number of a sector takes a 33rd bit, in bytes. */
const BOUNDARY = 2 ** 41;
const AROUND = { start: BOUNDARY - 4096, length: 8192 };

const KINDS = [
  { format: "luks", options: "ivgen-alg=plain64", keys: "" },
  { format: "luks", options: "ivgen-alg=plain", keys: "" },
  { format: "luks", options: "cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256", keys: "" },
  { format: "luks", options: "cipher-mode=ctr,ivgen-alg=plain", keys: "" },
  { format: "qcow2", options: "encrypt.format=aes", keys: "encrypt." },
  { format: "qcow", options: "", keys: "encrypt." },
] as const;

for (const { format, options, keys } of KINDS) {
  const kind = `${format}${options === "" ? "" : ` (${options})`}`;
  liveTest(
    { needs: QEMU },
    `${kind} reads the same on both sides of sector 2^32 as in qemu-img`,
    async (directory) => {
      await makeEncrypted(directory, {
        name: "disk",
        format,
        passphrase: "far",
        options,
        size: "3T",
      });
      const image = `driver=${format},${keys}key-secret=s,file.filename=disk`;
      const commands = [
        `write -q -P 0x61 ${AROUND.start} 4096`,
        `write -q -P 0x62 ${BOUNDARY} 4096`,
      ];
      await writeEncrypted(directory, image, { keys: { s: "disk.key" }, commands });
      const content = new Uint8Array(AROUND.length).fill(0x61).fill(0x62, 4096);
      const sha256 = createHash("sha256").update(content).digest("hex");
      const subject = { path: "disk", directory, passphrases: ["far"] };
      const peers: Peer[] = [new ReferencePeer(), new QemuImgPeer()];
      for (const peer of peers) {
        assertEquals(await peer.digest(subject, { range: AROUND }), {
          outcome: "accepted",
          value: { sha256, length: AROUND.length },
        });
      }
    },
  );
}
