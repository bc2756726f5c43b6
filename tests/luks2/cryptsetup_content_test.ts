/** Content that cryptsetup encrypts with all that it has without the kernel. */

import { assertEquals } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import { pairwise } from "../image/pairwise.ts";
import {
  dimensions,
  type Encryption,
  encryptionOf,
  hashAt,
  isOfCryptsetup,
  optionsOf,
  spelled,
} from "./encryptions.ts";
import { atOnce } from "./live.ts";
import { encryptWithCryptsetup } from "./made.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { liveTest } from "../live.ts";

const content = patternBytes({ kind: "noise", seed: 11 }, 2 ** 16);
const SECTOR_SIZES = [512, 1024, 2048, 4096];

async function assertRead(path: string, encryption: Encryption, index: number): Promise<void> {
  const sectorSize = SECTOR_SIZES[index % SECTOR_SIZES.length] ?? 512;
  const options = [
    ...optionsOf(encryption, hashAt(index)),
    ...["--sector-size", String(sectorSize)],
  ];
  const made = { passphrase: "pw", content, options, detached: true };
  const files = await encryptWithCryptsetup(path, made);
  using source = open(files.path);
  using payload = open(files.payload ?? "");
  const { layer, findings } = openVolume({ ...source, payload: payload.source, passphrase: "pw" });
  const name = `${encryption.encryption} with ${encryption.keyBytes} bytes`;
  // What cryptsetup encrypts by itself the kernel may have otherwise.
  const others = messagesOf(findings).filter((said) => !said.startsWith("luks2.content.dm-crypt:"));
  assertEquals(others, [], name);
  assertEquals(layer && readAll(layer), content, name);
  await Deno.remove(files.path);
}

function open(path: string): { source: FileSource } & Disposable {
  const source = new FileSource(path);
  return { source, [Symbol.dispose]: () => source.close() };
}

liveTest(
  { needs: ["cryptsetup"] },
  "content that cryptsetup encrypts is read, in any two of cipher, mode, generator and key",
  async (directory) => {
    const choices = pairwise(dimensions, isOfCryptsetup);
    await atOnce([...choices.entries()], async ([i, choice], worker) => {
      await assertRead(`${directory}/${worker}`, encryptionOf(choice), i);
    });
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "content that cryptsetup encrypts is read, however it is told to",
  async (directory) => {
    await atOnce([...spelled.entries()], async ([i, encryption], worker) => {
      await assertRead(`${directory}/${worker}`, encryption, i);
    });
  },
);
