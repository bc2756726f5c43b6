/** Content of version 1 that cryptsetup encrypts: as version 2, whose header it then converts. */

import { assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import { decodeLuks1, modeText, specOf } from "../../src/luks1/decode.ts";
import { pairwise } from "../image/pairwise.ts";
import {
  dimensions,
  type Encryption,
  encryptionOf,
  hashAt,
  isOfCryptsetup,
  optionsOf,
  spelled,
} from "../luks2/encryptions.ts";
import { atOnce } from "../luks2/live.ts";
import { encryptWithCryptsetup } from "../luks2/made.ts";
import { succeed } from "./live.ts";
import { openVolume, readAll } from "./ours.ts";
import { liveTest } from "../live.ts";

const content = patternBytes({ kind: "noise", seed: 12 }, 2 ** 16);

async function assertRead(path: string, encryption: Encryption, hash: string): Promise<void> {
  const { path: header, payload: data = "" } = await encryptWithCryptsetup(path, {
    passphrase: "pw",
    content,
    options: [...optionsOf(encryption, hash), "--sector-size", "512"],
    detached: true,
  });
  await succeed(["cryptsetup", "convert", "--batch-mode", "--type", "luks1", header]);
  const name = `${encryption.encryption} with ${encryption.keyBytes} bytes and ${hash}`;
  const [source, payload] = [new FileSource(header), new FileSource(data)];
  try {
    const spec = specOf(decodeLuks1(source));
    assertEquals(spec.hash, hash);
    const written = `${spec.cipher}-${modeText(spec)}`;
    if (encryption.encryption.split("-").length > 2) assertEquals(written, encryption.encryption);
    const { layer } = openVolume({ source, payload, passphrase: "pw" });
    assertEquals(layer?.unlocked, true, name);
    assertEquals(layer && readAll(layer), content, name);
  } finally {
    source.close();
    payload.close();
  }
  await Deno.remove(header);
}

liveTest(
  { needs: ["cryptsetup"] },
  "content of version 1 that cryptsetup encrypts is read, in any two of all that it has",
  async (directory) => {
    const encryptions = [...pairwise(dimensions, isOfCryptsetup).map(encryptionOf), ...spelled];
    await atOnce([...encryptions.entries()], async ([i, encryption], worker) => {
      await assertRead(`${directory}/${worker}`, encryption, hashAt(i));
    });
  },
);
