import { assert, assertEquals } from "@std/assert";
import { randomBytes } from "node:crypto";
import { MemorySource, SegmentSource } from "../../src/bytes/mod.ts";
import {
  cipherModes,
  cipherNames,
  cipherTable,
  hashNames,
  hashTable,
  ivGenerators,
} from "../../src/crypto/mod.ts";
import { backingSize, contentOf, keyAreaOf, readKeyArea } from "../../src/image/create/mod.ts";
import {
  addKey,
  changeKey,
  type CipherSpec,
  eraseKey,
  keySteps,
  type Luks1Options,
  whyUnusable,
} from "../../src/luks1/mod.ts";
import { run, succeed, withKey } from "../luks1/live.ts";
import { UUID } from "../luks1/volumes.ts";
import {
  contentFrom,
  madeParts,
  madeSource,
  mixedContent,
  qemuContent,
  writeMade,
} from "./created.ts";
import { type Choice, pairwise } from "./pairwise.ts";
import { liveTest } from "../live.ts";

const passphrase = new TextEncoder().encode("pässword");
const random = (length: number) => new Uint8Array(randomBytes(length));

function luksOf(spec: Partial<CipherSpec> = {}): Luks1Options {
  return {
    ...{ cipher: "aes", keyBytes: 64, mode: "xts", ivGenerator: "plain64", hash: "sha256" },
    ...spec,
    ...{ passphrase, iterations: 1000, uuid: UUID, random },
  };
}

/** Two cipher texts of a batch, and a part of a third one. */
const content = mixedContent(2 * 65536 + 1536);

const dimensions = {
  cipher: cipherNames,
  /** Of one key. */
  keyBytes: [5, 16, 24, 32],
  mode: cipherModes,
  ivGenerator: ivGenerators,
  ivHash: [undefined, "md5", "sha256"],
  hash: hashNames,
} as const;

function specOf({ ivHash, ivGenerator, ...choice }: Choice<typeof dimensions>): CipherSpec {
  return {
    ...choice,
    ivGenerator,
    ...(ivHash === undefined ? {} : { ivHash }),
    keyBytes: choice.mode === "xts" ? 2 * choice.keyBytes : choice.keyBytes,
  };
}

function isSound(choice: Choice<typeof dimensions>): boolean {
  // A hash of the generator is tried where it counts.
  if ((choice.ivGenerator === "essiv") !== (choice.ivHash !== undefined)) return false;
  return whyUnusable(specOf(choice)) === undefined;
}

/** What every qemu-img of the last years opens without dying of it. */
function isQemus(choice: Choice<typeof dimensions>): boolean {
  const { cipher, keyBytes, mode, ivGenerator, ivHash, hash } = choice;
  const { qemu } = cipherTable[cipher];
  // QEMU looks at the hash in mode ecb as well.
  const digest = ivHash === undefined ? undefined : hashTable[ivHash].digestSize;
  return isSound(choice) && cipher !== "sm4" && qemu !== null && qemu.modes.includes(mode) &&
    qemu.keyLengths.includes(keyBytes) && qemu.keyLengths.includes(digest ?? keyBytes) &&
    !(keyBytes === 24 && mode !== "xts") &&
    ["plain", "plain64", "essiv"].includes(ivGenerator) &&
    hashTable[hash].qemu !== null && hash !== "sm3";
}

function nameOf(spec: CipherSpec): string {
  const { cipher, mode, ivGenerator, ivHash = "", hash, keyBytes } = spec;
  return `${cipher} with ${keyBytes} bytes, ${mode}, ${ivGenerator}, ${ivHash}, ${hash}`;
}

liveTest(
  { needs: ["qemu-img"] },
  "qemu-img reads the content of a volume of any two of its options",
  async (directory) => {
    const files = { path: `${directory}/volume`, passphrase: `${directory}/key` };
    Deno.writeFileSync(files.passphrase, passphrase);
    for (const choice of pairwise(dimensions, isQemus)) {
      const luks = luksOf(specOf(choice));
      const creation = { size: content.length, content: contentFrom(content), luks };
      writeMade({ image: files.path }, { format: "luks", ...creation });
      assertEquals(await qemuContent(directory, withKey(files)), content, nameOf(luks));
    }
  },
);

/** How cryptsetup says that it needs the kernel for a cipher. */
const NEEDS_KERNEL = /Cannot initialize device-mapper/;

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup opens a volume of any two options, except for ciphers that it leaves to the kernel",
  async (directory) => {
    const path = `${directory}/volume`;
    const key = `${directory}/key`;
    Deno.writeFileSync(key, passphrase);
    const left = new Set<string>();
    const cryptsetups = (choice: Choice<typeof dimensions>) =>
      isSound(choice) && hashTable[choice.hash].cryptsetup;
    for (const choice of pairwise(dimensions, cryptsetups)) {
      const luks = luksOf(specOf(choice));
      // In ecb mode, cryptsetup wants no generator named.
      const { ivGenerator: _, ivHash: __, ...withoutIv } = luks;
      const options = choice.mode === "ecb" ? withoutIv : luks;
      writeMade({ image: path }, { format: "luks", size: 4096, luks: options });
      const dump = await succeed(["cryptsetup", "luksDump", path]);
      assert(dump.includes(`Cipher name:   \t${choice.cipher}\n`), dump);
      assert(/Key Slot 0: ENABLED/.test(dump), dump);
      const open = ["cryptsetup", "open", "--test-passphrase", "--key-file", key, path];
      const { code, stderr } = await run(open);
      if (NEEDS_KERNEL.test(stderr)) left.add(`${choice.cipher}-${8 * choice.keyBytes}`);
      else assertEquals([code, stderr], [0, ""], nameOf(luks));
    }
    // OpenSSL has no AES-192 in mode xts.
    assert(![...left].some((cipher) => cipher.startsWith("aes-") && cipher !== "aes-192"));
    // deno-lint-ignore no-console
    if (left.size > 0) console.log(`skipped without a kernel device, ${[...left].join(", ")}`);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "a detached header opens in cryptsetup, and its payload is all that the other file holds",
  async (directory) => {
    const names = { image: `${directory}/payload`, header: `${directory}/header` };
    const luks = { ...luksOf(), detached: true };
    const size = content.length;
    writeMade(names, { format: "luks", size, content: contentFrom(content), luks });
    assertEquals(Deno.statSync(names.image).size, content.length);
    const key = `${directory}/key`;
    Deno.writeFileSync(key, passphrase);
    await succeed([
      ...["cryptsetup", "open", "--test-passphrase", "--key-file", key],
      ...["--header", names.header, names.image],
    ]);
  },
);

liveTest(
  { needs: ["qemu-img 9.0"] },
  "qemu-img reads the payload of a detached header",
  async (directory) => {
    const names = { image: `${directory}/payload`, header: `${directory}/header` };
    const luks = { ...luksOf(), detached: true };
    const size = content.length;
    writeMade(names, { format: "luks", size, content: contentFrom(content), luks });
    const key = `${directory}/key`;
    Deno.writeFileSync(key, passphrase);
    const files = { path: names.header, payload: names.image, passphrase: key };
    assertEquals(await qemuContent(directory, withKey(files)), content);
  },
);

Deno.test("content ends where its source ends, followed by zeros, and its zeros are holes", () => {
  const bytes = new Uint8Array(5000).fill(1, 4096);
  const blocks = [...contentOf(new MemorySource(bytes), 2 ** 20 + 512)(4096)];
  assertEquals(blocks.length, 257);
  assertEquals(blocks.flatMap(({ offset, bytes }) => bytes === undefined ? [] : [offset]), [4096]);
  assertEquals(blocks[1]?.bytes?.lastIndexOf(1), 903);
  assertEquals([...contentOf(new MemorySource(bytes), 512)(2 ** 21)].length, 1);
  assertEquals([...contentOf(new MemorySource(bytes), 0)(512)], []);
});

Deno.test("a raw image is its content with the requested length", () => {
  const size = content.length + 4096;
  const source = madeSource({
    format: "raw",
    size,
    content: contentOf(new MemorySource(content), size),
  });
  assertEquals(source.size, size);
  assertEquals(source.read(0, content.length), content);
});

/** A volume in which the passphrase opens slot 0. */
function volume(): SegmentSource {
  return madeSource({ format: "luks", size: 4096, luks: luksOf({ keyBytes: 32 }) });
}

Deno.test("key slots are found in a volume and in a detached header, as far as they reach", () => {
  // Seven slots of 256 sectors behind the eight of the header, and the 250 of the last one.
  const length = (8 + 7 * 256 + 250) * 512;
  assertEquals(keyAreaOf(volume()), { format: "luks", offset: 0, length });
  const luks = { ...luksOf({ keyBytes: 32 }), detached: true };
  const { parts } = madeParts({ format: "luks", size: 0, luks });
  const [header] = parts.filter(({ file }) => file === "header");
  assert(header !== undefined);
  assertEquals(keyAreaOf(new MemorySource(header.bytes)), { format: "luks", offset: 0, length });
});

Deno.test("no key slots are found in an invalid header", () => {
  const says = (edit: (bytes: Uint8Array) => void): unknown => {
    const bytes = volume().read(0, 1052672).slice();
    edit(bytes);
    return keyAreaOf(new MemorySource(bytes));
  };
  assertEquals(keyAreaOf(new MemorySource(new Uint8Array(0))), "it has no LUKS header");
  assertEquals(says((bytes) => bytes.fill(0, 0, 6)), "it has no LUKS header");
  assertEquals(
    says((bytes) => bytes.set([0, 2], 6)),
    "it is LUKS of version 2, and only key slots of version 1 can be changed",
  );
  assert(String(says((bytes) => bytes.set([0, 0, 0, 0], 164))).includes("mk_digest_iter is 0"));
  assert(String(says((bytes) => bytes.set([0x7f], 248))).startsWith("its header is invalid"));
  const qcow2 = madeSource({
    ...{ format: "qcow2", size: 4096, version: 3, clusterSize: 512, refcountBits: 16 },
  });
  assertEquals(keyAreaOf(qcow2), "it is not encrypted");
});

Deno.test("a new key is written before its slot is enabled, and a slot is disabled before its key is erased", () => {
  const source = volume();
  const area = keyAreaOf(source);
  assert(typeof area !== "string");
  const before = readKeyArea(source, area);
  const key = { passphrase, newPassphrase: random(5), iterations: 1, random };
  /** Which slot each part is of, and whether it is the record (r) or the material (m). */
  const steps = (states: readonly Uint8Array[]) =>
    keySteps({ ...area, offset: 10 }, { before, states }).map((step) =>
      step.map(({ offset }) => {
        const at = offset - 10;
        return at < 4096 ? `r${(at - 208) / 48}` : `m${(at - 4096) / 131072}`;
      }).join()
    );
  assertEquals(steps(addKey(before, key).states), ["m1", "r1"]);
  assertEquals(steps(changeKey(before, key).states), ["m1", "r1", "r0", "m0"]);
  assertEquals(steps([eraseKey(before, { slot: 0, force: true, random }).header]), ["r0", "m0"]);
  assertEquals(steps([before]), []);
});

liveTest(
  { needs: ["qemu-img"] },
  "a backing file is as large as what a guest sees of it",
  async (directory) => {
    await succeed(["qemu-img", "create", "-f", "qcow2", `${directory}/base`, "3M"]);
    const size = (name: string, format: string) =>
      backingSize(`${directory}/overlay`, { name, format });
    assertEquals(size("base", "qcow2"), 3 * 2 ** 20);
    assertEquals(size(`${directory}/base`, "qcow2"), 3 * 2 ** 20);
    assertEquals(size("base", "vmdk"), "its format 'vmdk' is not supported");
    assertEquals(size("nbd:x", "raw"), "its name is not a file name");
    assert(String(size("base", "qcow")).startsWith("it cannot be opened: "));
  },
);

Deno.test("the content of a new image comes in units of any size, and none that has bytes is zeros", () => {
  const unit = 512;
  const bytes = new Uint8Array(20 * unit - 100);
  // Data, zeros, and a run of data that is longer than what is handled together.
  for (const index of [0, 1, 4, 5, 6, 7, 8, 9, 10, 12, 19]) {
    bytes.fill(index + 1, index * unit, index * unit + 7);
  }
  const source = new MemorySource(bytes);
  for (const size of [unit, 4 * unit, 32 * unit]) {
    for (const most of [undefined, unit, 3 * unit, 8 * unit, 64 * unit]) {
      const read = new Uint8Array(32 * unit);
      let end = 0;
      for (const block of contentOf(source, bytes.length)(size, most)) {
        assertEquals(block.offset, end, `${size} ${most}`);
        end += block.bytes?.length ?? size;
        if (block.bytes !== undefined) read.set(block.bytes, block.offset);
        assert((block.bytes?.length ?? 0) <= Math.max(size, most ?? 0));
        for (let at = 0; at < (block.bytes?.length ?? 0); at += size) {
          assert(block.bytes?.subarray(at, at + size).some((byte) => byte !== 0));
        }
      }
      assertEquals(read.subarray(0, bytes.length), bytes, `${size} ${most}`);
    }
  }
});
