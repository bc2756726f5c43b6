import { assert, assertEquals } from "@std/assert";
import { MemorySource, SegmentSource } from "../../src/bytes/mod.ts";
import { digestOf, judgeImage, layersOf, openFiles, openImage } from "../../src/image/mod.ts";
import { QemuImgPeer, withPassphraseFiles } from "../../src/peers/mod.ts";
import { succeed } from "../luks1/live.ts";
import { createLuks } from "./created_luks.ts";
import { draftImage } from "./draft_image.ts";
import { liveTest, QEMU } from "../live.ts";

const SIZE = 300 * 1024;
const ONE = "one for the base";
const TWO = "two";

/** Makes an encrypted image: with qemu-img, except for LUKS. Has qemu-io write into it. */
async function make(
  directory: string,
  image: {
    readonly name: string;
    readonly format: "qcow" | "qcow2" | "luks";
    /** Options of the encryption. */
    readonly options: string;
    readonly passphrase: string;
    readonly backing?: readonly string[];
  },
): Promise<void> {
  const { name, format, options, passphrase, backing = [] } = image;
  const prefix = format === "luks" ? "" : "encrypt.";
  await withPassphraseFiles([passphrase], async ([file = ""]) => {
    const secret = ["--object", `secret,id=s,file=${file}`];
    const path = `${directory}/${name}`;
    const words = backing.length > 0 ? backing : [`${SIZE}`];
    if (format === "qcow" || options === AES) {
      const create = ["create", "-q", "-f", format, ...secret, "-o"];
      await succeed(["qemu-img", ...create, `encrypt.key-secret=s,${options}`, path, ...words]);
    } else {
      await createLuks(path, { format, options, passphrase: file, words });
    }
    const opened = `driver=${format},${prefix}key-secret=s,file.filename=${path}` +
      (backing.length > 0 ? ",backing.encrypt.key-secret=b" : "");
    const below = backing.length > 0 ? ["--object", `secret,id=b,data=${ONE}`] : [];
    const writes = ["write -P 17 1k 70k", "write -P 5 200k 512", "write -z 128k 64k"];
    await succeed([
      ...["qemu-io", ...secret, ...below, "--image-opts", opened],
      ...writes.flatMap((write) => ["-c", write]),
    ]);
  });
}

const AES = "encrypt.format=aes";
const luks = "cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=plain64";
const inside = "cluster_size=4096," +
  luks.split(",").map((option) => `encrypt.${option}`).join(",");

/** SHA-256 of what the reference reads, or the rule for which it does not. */
function read(path: string, passphrases: readonly string[], header?: string): string | undefined {
  const image = openImage(path, {
    passphrases: passphrases.map((text) => new TextEncoder().encode(text)),
    ...(header === undefined ? {} : { header }),
  });
  try {
    for (let at: typeof image | undefined = image; at !== undefined; at = at.backing) {
      const refusal = at.findings.refusal("read");
      if (refusal !== undefined && refusal.rule !== "blk.backing.opens") return refusal.rule;
    }
    return digestOf(layersOf(image), { from: 0, to: image.layer?.virtualSize ?? 0 });
  } finally {
    image.close();
  }
}

async function qemuReads(path: string, passphrases: readonly string[]): Promise<string> {
  const answer = await new QemuImgPeer().digest({ path, passphrases });
  assert(answer.outcome === "accepted", JSON.stringify(answer));
  return answer.value.sha256;
}

liveTest(
  { needs: QEMU },
  "every image of a chain is read with its own passphrase",
  async (directory) => {
    await make(directory, { name: "base", format: "qcow2", options: inside, passphrase: ONE });
    const overlay = { format: "qcow2", passphrase: TWO, backing: ["-F", "qcow2", "-b", "base"] };
    for (const options of [inside, AES]) {
      await make(directory, { ...overlay, format: "qcow2", name: "top", options });
      const path = `${directory}/top`;
      const expected = await qemuReads(path, [TWO, ONE]);
      assertEquals(read(path, [TWO, ONE]), expected);
      assertEquals(read(path, [TWO, "neither", ONE]), expected);
      assertEquals(read(path, [TWO]), "luks.key.unlock");
      await Deno.remove(path);
    }
  },
);

liveTest(
  { needs: QEMU },
  "the legacy encryption uses the passphrase at its position in the chain",
  async (directory) => {
    const aes = { format: "qcow", options: AES } as const;
    await make(directory, { ...aes, name: "base", passphrase: ONE });
    const backing = ["-F", "qcow", "-b", "base"];
    await make(directory, { ...aes, name: "top", passphrase: TWO, backing });
    const path = `${directory}/top`;
    const expected = await qemuReads(path, [TWO, ONE]);
    assertEquals(read(path, [TWO, ONE]), expected);
    assert(read(path, [ONE, TWO]) !== expected);
    assertEquals(read(path, []), "qcow1.crypt.key-present");
    assertEquals(openVerdict(path), "needs-key");
    await Deno.remove(`${directory}/base`);
    assertEquals(openVerdict(path), "reject");
  },
);

liveTest(
  { needs: QEMU },
  "a detached header opens the payload that it was taken from, in a file or in an image",
  async (directory) => {
    const path = `${directory}/volume`;
    await make(directory, { name: "volume", format: "luks", options: luks, passphrase: TWO });
    const expected = await qemuReads(path, [TWO]);
    const whole = await Deno.readFile(path);
    const view = new DataView(whole.buffer);
    const sectors = view.getUint32(PAYLOAD_OFFSET);
    // A backup of the header beside the whole volume.
    await Deno.writeFile(`${directory}/backup`, whole.subarray(0, sectors * 512));
    assertEquals(read(path, [TWO], `${directory}/backup`), expected);
    // A header whose payload starts with its file.
    view.setUint32(PAYLOAD_OFFSET, 0);
    await Deno.writeFile(`${directory}/header`, whole.subarray(0, sectors * 512));
    await Deno.writeFile(`${directory}/payload`, whole.subarray(sectors * 512));
    assertEquals(read(`${directory}/payload`, [TWO], `${directory}/header`), expected);
    assertEquals(read(`${directory}/payload`, [ONE], `${directory}/header`), "luks.key.unlock");
    const image = `${directory}/payload.qcow2`;
    await succeed(["qemu-img", "convert", "-O", "qcow2", `${directory}/payload`, image]);
    assertEquals(read(image, [TWO], `${directory}/header`), expected);
    assertEquals(read(`${directory}/header`, [TWO]), "luks.header.payload-after-header");
  },
);

/** What is said of an image without a passphrase. */
function openVerdict(path: string): string {
  const image = openImage(path);
  const { qemu } = judgeImage(image);
  image.close();
  return qemu.open;
}

/** Where payload_offset is in a header. */
const PAYLOAD_OFFSET = 104;

liveTest(
  { needs: QEMU },
  "judge() says what it can of an encrypted image without its passphrase",
  async (directory) => {
    await make(directory, { name: "image", format: "qcow2", options: inside, passphrase: ONE });
    const locked = openImage(`${directory}/image`);
    const { qemu, spec, findings } = judgeImage(locked);
    locked.close();
    assertEquals(findings.map(({ rule }) => rule), ["qcow2.crypt.key-present"]);
    assertEquals([qemu.open, spec.verdict], ["needs-key", "valid"]);
  },
);

Deno.test("an image of the draft of 2016 is reported, and read only on request", () => {
  const { image, content } = draftImage(TWO);
  const source = new SegmentSource(image.segments, image.size);
  const files = new Map([["image", source]]);
  const passphrases = [new TextEncoder().encode(TWO)];
  const named = openFiles(files, undefined, { passphrases });
  const rules = named.findings.rules();
  assert(rules.includes("qcow2.crypt.draft-2016"), `${rules}`);
  assert(rules.includes("qcow2.ext.unknown"), `${rules}`);
  assert(rules.includes("qcow2.crypt.luks-ext-present"), `${rules}`);
  assertEquals(named.layer?.unlocked, false);
  const asDraft = openFiles(files, undefined, { passphrases, dialect: "draft-2016" });
  const expected = digestOf(layersOf(openFiles(new Map([["raw", new MemorySource(content)]]))), {
    from: 0,
    to: content.length,
  });
  assertEquals(digestOf(layersOf(asDraft), { from: 0, to: content.length }), expected);
  assert(asDraft.findings.rules().includes("qcow2.crypt.luks-ext-present"));
});
