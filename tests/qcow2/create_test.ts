import { randomBytes } from "node:crypto";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { contentOf } from "../../src/image/create/mod.ts";
import { judgeImage, layersOf, openBytes, readContent } from "../../src/image/mod.ts";
import type { Luks1Options } from "../../src/luks1/mod.ts";
import { luksAreaOf } from "../../src/qcow2/key_area.ts";
import {
  createQcow2,
  type Qcow2Creation,
  type Qcow2Encryption,
} from "../../src/qcow2/create/mod.ts";
import {
  contentFrom,
  imageOptions,
  madeParts,
  madeSource,
  mixedContent,
  mustCheckClean,
  qemuContent,
  writeMade,
} from "../image/created.ts";
import { type Choice, pairwise } from "../image/pairwise.ts";
import { succeed } from "../luks1/live.ts";
import { UUID } from "../luks1/volumes.ts";
import { liveTest } from "../live.ts";

const passphrase = new TextEncoder().encode("pässword");

const luks: Luks1Options = {
  cipher: "aes",
  keyBytes: 64,
  mode: "xts",
  ivGenerator: "plain64",
  hash: "sha256",
  passphrase,
  iterations: 1000,
  uuid: UUID,
  random: (length) => new Uint8Array(randomBytes(length)),
};

const ENCRYPTIONS: Readonly<Record<string, Qcow2Encryption>> = {
  aes: { kind: "aes", passphrase },
  luks: { kind: "luks", options: luks },
};

function creationOf(options: Partial<Qcow2Creation> = {}): Qcow2Creation {
  return { size: 2 ** 20, version: 3, clusterSize: 65536, refcountBits: 16, ...options };
}

const dimensions = {
  version: [3, 2],
  clusterSize: [512, 4096, 16384, 65536, 2 ** 21],
  refcountBits: [16, 1, 2, 4, 8, 32, 64],
  lazyRefcounts: [false, true],
  extendedL2: [false, true],
  compression: ["deflate", "zstd"],
  compressed: [false, true],
  backing: [false, true],
  dataFile: ["none", "data", "raw"],
  encryption: ["none", "aes", "luks"],
  preallocation: ["off", "metadata", "falloc", "full"],
  content: [true, false],
} as const;

/** The size is no multiple of any cluster size but the smallest. */
const SIZE = 1_200_128;
const content = mixedContent(SIZE);
/** Many adjacent clusters come together, after some that do not. */
content.fill(0x5a, 700_000, SIZE - 100_000);
/** Shorter than the image, and without zeros. */
const backingContent = new Uint8Array(700_416).fill(0xbb);

function creationFor(choice: Choice<typeof dimensions>, directory = ""): Qcow2Creation {
  const { dataFile, encryption, backing, content: filled, ...plain } = choice;
  const encrypted = ENCRYPTIONS[encryption];
  return creationOf({
    ...plain,
    size: SIZE,
    ...(backing ? { backing: { name: "backing.raw", format: "raw" } } : {}),
    ...(dataFile === "none"
      ? {}
      : { dataFile: { name: `${directory}/data`, raw: dataFile === "raw" } }),
    ...(encrypted === undefined ? {} : { encryption: encrypted }),
    ...(filled ? { content: contentFrom(content) } : {}),
  });
}

function isSound(choice: Choice<typeof dimensions>): boolean {
  // Without content nothing is compressed.
  if (choice.compressed && !choice.content) return false;
  // A volume is made with the options, which takes longer than all else; its own are sound.
  const { encryption, ...options } = creationFor(choice);
  const checked = encryption === undefined ? options : { ...options, encryption: ENCRYPTIONS.aes };
  try {
    createQcow2(checked as Qcow2Creation);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function expectedOf({ content: filled, backing }: Choice<typeof dimensions>): Uint8Array {
  if (filled) return content;
  const expected = new Uint8Array(SIZE);
  if (backing) expected.set(backingContent);
  return expected;
}

/** Whether some choice has a value in it. */
function isTried<N extends keyof typeof dimensions>(
  name: N,
  value: typeof dimensions[N][number],
): boolean {
  return choices.some((choice) => choice[name] === value);
}

const choices = pairwise(dimensions, isSound);

Deno.test("every value of every option is used", () => {
  for (const [name, values] of Object.entries(dimensions)) {
    for (const value of values) {
      assert(isTried(name as keyof typeof dimensions, value), `${name} ${value}`);
    }
  }
});

liveTest(
  { needs: ["qemu-img"] },
  "an image of any two options checks clean, and qemu-img reads its content",
  async (directory) => {
    const key = `${directory}/key`;
    Deno.writeFileSync(key, passphrase);
    Deno.writeFileSync(`${directory}/backing.raw`, backingContent);
    for (const choice of choices) {
      const names = { image: `${directory}/image`, data: `${directory}/data` };
      writeMade(names, { format: "qcow2", ...creationFor(choice, directory) });
      const secret = choice.encryption === "none" ? "" : "encrypt.key-secret=key,";
      const options = imageOptions(
        `driver=qcow2,${secret}file.filename=${names.image}`,
        secret === "" ? undefined : key,
      );
      const which = JSON.stringify(choice);
      await mustCheckClean(options);
      const read = await qemuContent(directory, options);
      assertEquals(read.length, SIZE, which);
      assert(equal(read, expectedOf(choice)), `content differs with ${which}`);
      if (choice.dataFile === "none") continue;
      const data = Deno.readFileSync(names.data);
      assertEquals(data.length, SIZE);
      if (choice.dataFile !== "raw" || choice.encryption !== "none") continue;
      assert(equal(data, expectedOf(choice)), which);
    }
  },
);

function equal(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && first.every((byte, at) => byte === second[at]);
}

Deno.test("an image is as long as its content, and zeros use no space", () => {
  const size = 64 * 2 ** 20;
  const bytes = new Uint8Array(70_000).fill(1);
  const creation = creationOf({ size, content: contentOf(new MemorySource(bytes), size) });
  const source = madeSource({ format: "qcow2", ...creation });
  const image = openBytes(source);
  const judgement = judgeImage(image);
  assertEquals([judgement.spec.verdict, judgement.findings], ["valid", []]);
  assertEquals(source.size, 7 * 65536);
  const read = readContent(layersOf(image), 0, 80_000);
  assertEquals([read.indexOf(0), read.lastIndexOf(1)], [70_000, 69_999]);
});

Deno.test("adjacent clusters are encrypted together, whatever came before them", () => {
  const [cluster, size] = [4096, 2 ** 21];
  const bytes = new Uint8Array(size);
  // Some clusters, and far more than are encrypted at a time where they come one by one.
  bytes.fill(1, 0, 3 * cluster).fill(2, 5 * cluster, size - 9 * cluster);
  const source = madeSource({
    format: "qcow2",
    ...creationOf({
      ...{ size, clusterSize: cluster, encryption: { kind: "aes", passphrase } },
      content: contentFrom(bytes),
    }),
  });
  const image = openBytes(source, undefined, { passphrases: [passphrase] });
  assertEquals(judgeImage(image).spec.verdict, "valid");
  assert(equal(readContent(layersOf(image), 0, size), bytes));
});

Deno.test("an image of no bytes and one without content are valid", () => {
  for (const size of [0, 512, 2 ** 40]) {
    const source = madeSource({ format: "qcow2", ...creationOf({ size }) });
    assertEquals(judgeImage(openBytes(source)).findings, []);
  }
});

Deno.test("compressed streams share clusters, up to the maximum of a refcount", () => {
  const bytes = mixedContent(2 ** 20).fill(7);
  const sizes = [1, 2, 16].map((refcountBits) => {
    const creation = creationOf({
      refcountBits,
      compressed: true,
      clusterSize: 4096,
      content: contentFrom(bytes),
    });
    const source = madeSource({ format: "qcow2", ...creation });
    assertEquals(judgeImage(openBytes(source)).findings, []);
    return source.size;
  });
  const [alone = 0, three = 0, all = 0] = sizes;
  assert(alone > 2 * three && three > 2 * all, sizes.join());
});

Deno.test("a LUKS header is found at its offset, and in no other image", () => {
  const encrypted = creationOf({ encryption: { kind: "luks", options: luks } });
  assertEquals(luksAreaOf(madeSource({ format: "qcow2", ...encrypted })), {
    offset: 65536,
    length: 2068480,
  });
  const aes = creationOf({ encryption: { kind: "aes", passphrase } });
  assertEquals(
    luksAreaOf(madeSource({ format: "qcow2", ...aes })),
    "the legacy AES has no key slots",
  );
  assertEquals(luksAreaOf(madeSource({ format: "qcow2", ...creationOf() })), "it is not encrypted");
});

Deno.test("conflicting options are rejected before anything is created", () => {
  const refused: [Partial<Qcow2Creation>, string][] = [
    [{ size: 513 }, "the size of 513 bytes is not a multiple of 512"],
    [{ clusterSize: 256 }, "from 512 to 2M, not 256"],
    [{ clusterSize: 2 ** 22 }, "from 512 to 2M, not 4194304"],
    [{ clusterSize: 3000 }, "from 512 to 2M, not 3000"],
    [{ refcountBits: 3 }, "the refcount width must be 1, 2, 4, 8, 16, 32 or 64 bits, not 3"],
    [{ refcountBits: 128 }, "not 128"],
    [
      { extendedL2: true, clusterSize: 8192 },
      "extended L2 entries require a cluster size of at least 16K",
    ],
    [{ version: 2, refcountBits: 8 }, "version 2 requires a refcount width of 16 bits"],
    [{ version: 2, lazyRefcounts: true }, "lazy refcounts require version 3"],
    [{ version: 2, extendedL2: true }, "extended L2 entries require version 3"],
    [{ version: 2, compression: "zstd" }, "requires version 3"],
    [
      { version: 2, dataFile: { name: "d", raw: false } },
      "an external data file requires version 3",
    ],
    [{ dataFile: { name: "d", raw: true }, backing: { name: "b" } }, "cannot be combined"],
    [
      { preallocation: "metadata", backing: { name: "b" } },
      "preallocation and a backing file can only be combined with extended L2 entries",
    ],
    [{ preallocation: "full", compressed: true }, "preallocation and compression cannot"],
    [{ compressed: true, encryption: { kind: "aes", passphrase } }, "cannot be combined"],
    [
      { compressed: true, dataFile: { name: "d", raw: false } },
      "compression and an external data file cannot",
    ],
    [{ backing: { name: "x".repeat(1024) } }, "has 1024 bytes, more than 1023"],
    [{ backing: { name: "x".repeat(500) }, clusterSize: 512 }, "more than a cluster of 512"],
    [{ backing: { name: "b", format: "x".repeat(16) } }, "the backing format name is too long"],
    [{ size: 2 ** 37 + 512, clusterSize: 512 }, "is longer than 32 MiB"],
  ];
  for (const [options, says] of refused) {
    assertThrows(() => createQcow2(creationOf(options)), RangeError, says);
  }
  const [header] = madeParts({
    format: "qcow2",
    ...creationOf({ size: 2 ** 37, clusterSize: 512 }),
  }).parts.filter(({ offset }) => offset === 0);
  assert(header !== undefined, "the largest disk is made");
});

liveTest(
  { needs: ["qemu-img"] },
  "the largest name of a backing file is read",
  async (directory) => {
    const backing = { name: `/${"x".repeat(1022)}`, format: "raw" };
    writeMade({ image: `${directory}/image` }, { format: "qcow2", ...creationOf({ backing }) });
    const info = await succeed(["qemu-img", "info", "--output=json", `${directory}/image`]);
    assertEquals(JSON.parse(info)["backing-filename"], backing.name);
    assertEquals(JSON.parse(info)["backing-filename-format"], "raw");
  },
);
