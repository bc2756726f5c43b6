import { assert, assertEquals } from "@std/assert";
import { FileSource, MemorySource } from "../../src/bytes/mod.ts";
import { hash } from "../../src/crypto/mod.ts";
import { type Layer, patternBytes } from "../../src/format/mod.ts";
import { run } from "../luks1/live.ts";
import { begin, DATA, goOn, type Interrupted, recover, type Way } from "./interrupted.ts";
import { writeVolume } from "./live.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { cryptSegment, DATA as PAYLOAD, signed } from "./reencrypting.ts";
import { showsOf } from "../../corpus/cases/mod.ts";
import { reencryptionCases } from "../../corpus/cases/luks2/reencryption.ts";
import { volumesOf } from "../volume.ts";
import { changed } from "./volumes.ts";
import { liveTest } from "../live.ts";

const SIZE = 2 ** 19;
const content = patternBytes({ kind: "noise", seed: 11 }, SIZE);

const attached = { from: "volume", detached: false } as const;
/** In the middle of a part, but between blocks of 4096 bytes. */
const BETWEEN = 340 * 1024;
/** In the middle of a block too. */
const WITHIN = BETWEEN + 512;

const CHECKSUMS = ["--resilience", "checksum"];

const MOVED_AS_A_WHOLE = "and move what it has";

const ways: readonly Way[] = [
  {
    ...attached,
    about: "to larger sectors, with checksums",
    options: ["--sector-size", "4096"],
    resilience: [...CHECKSUMS, "--resilience-hash", "sha512"],
    limit: DATA + BETWEEN,
  },
  {
    ...attached,
    about: "to another cipher, with a journal",
    options: ["--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"],
    resilience: ["--resilience", "journal"],
    limit: DATA + WITHIN,
  },
  {
    ...attached,
    about: "with the same key, of a part of the file",
    options: ["--keep-key", "--sector-size", "2048", "--device-size", "512k"],
    resilience: CHECKSUMS,
    limit: DATA + BETWEEN,
  },
  {
    ...attached,
    about: MOVED_AS_A_WHOLE,
    options: ["--reduce-device-size", "128k"],
    resilience: [],
    limit: DATA + BETWEEN,
  },
  {
    about: "what was not, with checksums",
    from: "plain",
    detached: true,
    options: ["--sector-size", "4096"],
    resilience: CHECKSUMS,
    limit: BETWEEN,
  },
  {
    about: "what was not, and move it",
    from: "plain",
    detached: false,
    options: ["--reduce-device-size", String(2 * DATA)],
    resilience: [],
    limit: DATA + WITHIN,
  },
  {
    about: "to nothing, with checksums",
    from: "volume",
    detached: true,
    options: ["--decrypt"],
    resilience: CHECKSUMS,
    limit: BETWEEN,
  },
  {
    about: "to nothing, and move it over the header, with checksums",
    from: "volume",
    detached: true,
    options: ["--decrypt", "--hotzone-size", String(DATA)],
    resilience: ["--resilience", "datashift-checksum"],
    limit: BETWEEN,
  },
  {
    about: "to nothing, and move it over the header, with a journal",
    from: "volume",
    detached: true,
    options: ["--decrypt", "--hotzone-size", "128k"],
    resilience: ["--resilience", "datashift-journal"],
    limit: BETWEEN + 128 * 1024,
  },
];

/** The most parts that there are of the content. */
const PARTS_MAX = 20;

for (const way of ways) {
  const name =
    `content that cryptsetup reencrypts ${way.about} is the same wherever it is interrupted`;
  liveTest({ needs: ["cryptsetup"] }, name, async (directory) => {
    const files = await begin(directory, content, way);
    assertSame(files, "nothing is done");
    const parts: string[] = [];
    while ((await goOn(files, way)).signal !== null) {
      const part = assertSame(files, `part ${parts.length} is interrupted`);
      // All that is left is to wipe what the data was moved away from, or the key slots.
      if (part === undefined) break;
      parts.push(part);
      assert(parts.length < PARTS_MAX);
      // cryptsetup 2.6.1 takes its own header for the first part of data that it moves as a whole
      // (luks2_reencrypt.c, reencrypt_recover_segment: the offset of a moved segment that there is
      // not), and destroys the part.
      if (part === "0" && way.about === MOVED_AS_A_WHOLE) return;
      await recover(files);
      assertSame(files, `part ${parts.length} is recovered`);
    }
    assert(parts.length > 0);
    await goOn(files, { resilience: way.resilience });
    assertEquals(assertSame(files, "it went on as far as it could"), undefined);
  });
}

/** Returns the interrupted segment. */
function assertSame({ header, payload }: Interrupted, when: string): string | undefined {
  const source = new FileSource(header);
  const data = header === payload ? undefined : new FileSource(payload);
  try {
    const { layer, findings } = openVolume({
      source,
      ...data === undefined ? {} : { payload: data },
      passphrase: "pw",
    });
    assert(layer !== undefined, when);
    const messages = messagesOf(findings);
    if (!layer.unlocked && isDecrypted(layer)) {
      assert(sameBytes(data?.read(0, SIZE), content), when);
      return undefined;
    }
    assert(layer.unlocked, `${when}: ${messages}`);
    const others = messages.filter((said) => !said.startsWith("luks2.reencryption.finished"));
    assertEquals(others, [], when);
    assert(sameBytes(readAll(layer).subarray(0, SIZE), content), when);
    return /interrupted in segment (\d+)/.exec(messages.join("\n"))?.[1];
  } finally {
    source.close();
    data?.close();
  }
}

/** Nothing of the data is encrypted any more, nor in another place than it is to be at. */
function isDecrypted(layer: Layer): boolean {
  const { segments } = layer.info()["format-specific"]?.data ?? {};
  const [first, second] = segments as { type: string; offset: number; flags: string[] }[];
  const isAlone = second === undefined || second.flags.some((flag) => /^backup-/.test(flag));
  return isAlone && first?.type === "linear" && first.offset === 0 &&
    !first.flags.includes("in-reencryption");
}

function sameBytes(first: Uint8Array | undefined, second: Uint8Array): boolean {
  return first?.length === second.length && first.every((byte, at) => byte === second[at]);
}

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup recovers what the reference reads, and nothing else",
  async (directory) => {
    const path = `${directory}/volume`;
    for (const of of reencryptionCases) {
      if (of.rule !== "luks2.reencryption.recovery") continue;
      const { broken, kept } = volumesOf(of);
      const about = showsOf(of);
      for (const [volume, recovers] of [[broken, false], [kept, true]] as const) {
        await writeVolume(path, volume);
        const before = openVolume(volume);
        assertEquals(before.layer?.unlocked, recovers, about);
        const { code, stderr } = await run([
          ...["cryptsetup", "repair", "--batch-mode", "--key-file", `${path}.passphrase`, path],
        ]);
        assertEquals(code === 0, recovers, `${about}: ${stderr}`);
        if (!recovers || before.layer === undefined) continue;
        const source = new FileSource(path);
        const after = openVolume({ source, passphrase: "first" }).layer;
        assert(after !== undefined);
        assert(sameBytes(readAll(after), readAll(before.layer)), about);
        source.close();
      }
    }
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "neither recovers blocks that are no whole sectors of what they become",
  async (directory) => {
    const path = `${directory}/volume`;
    for (const [block, recovers] of [[512, false], [4096, true]] as const) {
      const volume = { source: new MemorySource(oldBlock(block)), passphrase: "first" };
      await writeVolume(path, volume);
      const { layer, findings } = openVolume(volume);
      assertEquals(layer?.unlocked, recovers);
      assertEquals(findings.rules().includes("luks2.reencryption.recovery"), !recovers);
      const { code, stderr } = await run([
        ...["cryptsetup", "repair", "--batch-mode", "--key-file", `${path}.passphrase`, path],
      ]);
      assertEquals(code === 0, recovers, `blocks of ${block} bytes: ${stderr}`);
    }
  },
);

/** A volume that becomes one with sectors of 4096 bytes, of which the first block is as it was. */
function oldBlock(size: number): Uint8Array {
  const inPages = (flags: string[]) => ({
    ...cryptSegment(PAYLOAD, "dynamic", flags),
    sector_size: 4096,
  });
  const area = { type: "checksum", offset: String(PAYLOAD - 8192), size: "4096" };
  const bytes = changed({}, {
    json: (root) =>
      signed(root, [
        ["/keyslots/1/area", { ...area, hash: "sha256", sector_size: size }],
        ["/segments/0", { ...inPages(["in-reencryption"]), size: "8192" }],
        ["/segments/2", inPages(["backup-final"])],
      ]),
  });
  bytes.set(hash("sha256", bytes.subarray(PAYLOAD, PAYLOAD + size)), PAYLOAD - 8192);
  return bytes;
}
