import { assert, assertEquals } from "@std/assert";
import { type ByteSource, MemorySource, SegmentSource } from "../../src/bytes/mod.ts";
import { judgeImage, openImage } from "../../src/image/mod.ts";
import { findSignatures, signatures } from "../../src/signatures/mod.ts";
import { liveTest } from "../live.ts";
import { run, succeed } from "../luks1/live.ts";
import { type Plant, type Put, SIZE } from "./plant.ts";
import { plants } from "./plants.ts";

function placed(puts: readonly Put[]): { offset: number; bytes: Uint8Array }[] {
  return puts.map(([at, bytes]) => ({ offset: at < 0 ? SIZE + at : at, bytes }));
}

const zeros = new Uint8Array(SIZE);

/** The names of what is found in a file of zeros with these bytes. */
function namesWith(puts: readonly Put[]): string[] {
  const parts = placed(puts);
  for (const { offset, bytes } of parts) zeros.set(bytes, offset);
  const names = namesIn(new MemorySource(zeros));
  for (const { offset, bytes } of parts) zeros.fill(0, offset, offset + bytes.length);
  return names;
}

function namesIn(source: ByteSource): string[] {
  return findSignatures(source).map(({ signature }) => signature.name);
}

Deno.test("findSignatures() finds each signature, and not its nearest miss", () => {
  for (const { name, puts, miss } of plants) {
    assert(namesWith(puts).includes(name), `${name}: ${namesWith(puts)}`);
    if (miss !== undefined) assertEquals(namesWith([...puts, ...miss]), [], name);
  }
});

Deno.test("every signature of the table is planted", () => {
  const tested = new Set(plants.map(({ name }) => name));
  assertEquals(signatures.map(({ name }) => name).filter((name) => !tested.has(name)), []);
});

Deno.test("no RAID is found on a file with the size of a floppy disk", () => {
  const bytes = new TextEncoder().encode("UBI#");
  const size = 1440 * 1024;
  assertEquals(namesIn(new SegmentSource([{ offset: 0, bytes }], size)), []);
  assertEquals(namesIn(new SegmentSource([{ offset: 0, bytes }], size + 1)), ["ubi"]);
});

/** A volume with only the secondary copy, 4 MiB after the start. */
const COPY = 4 * 2 ** 20;
const DETECTED =
  /Blkid probe (?:detected (?:partition|superblock) type|couldn't decide)(?: '([^']*)')?/i;

/** What libblkid finds: a name, `several`, or nothing where cryptsetup repairs the primary copy. */
async function verdict(path: string, puts: readonly Put[]): Promise<string | undefined> {
  using file = Deno.openSync(path, { read: true, write: true });
  const write = (offset: number, bytes: Uint8Array): void => {
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(bytes);
  };
  for (const { offset, bytes } of placed(puts)) write(offset, bytes);
  const { code, stdout, stderr } = await run(["cryptsetup", "--debug", "luksDump", path]);
  for (const { offset, bytes } of placed(puts)) write(offset, new Uint8Array(bytes.length));
  if (code === 0) {
    // The primary copy is restored.
    write(0, new Uint8Array(COPY));
    return undefined;
  }
  const found = DETECTED.exec(new TextDecoder().decode(stdout) + stderr);
  assert(found !== null, stderr);
  return found[1] ?? "several";
}

/** What the finding says: cryptsetup writes the primary copy again, over a partition table. */
async function assertRepaired(path: string, passphrase: string): Promise<void> {
  using file = Deno.openSync(path, { read: true, write: true });
  file.writeSync(new Uint8Array(510));
  file.writeSync(Uint8Array.of(0x55, 0xaa));
  const judged = (): string | undefined => {
    const image = openImage(path, { detect: true, passphrases: [Deno.readFileSync(passphrase)] });
    const { cryptsetup } = judgeImage(image);
    image.close();
    return cryptsetup?.open;
  };
  const opened = ["cryptsetup", "open", "--test-passphrase", "--key-file", passphrase, path];
  assertEquals([judged(), (await run(opened)).code === 0], ["reject", false]);
  await succeed(["cryptsetup", "repair", "-q", path]);
  assertEquals([judged(), (await run(opened)).code === 0], ["accept", true]);
}

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup refuses to repair beside each signature",
  async (directory) => {
    const path = `${directory}/volume`;
    const passphrase = `${directory}/passphrase`;
    await Deno.writeTextFile(passphrase, "first");
    await Deno.writeFile(path, new Uint8Array(0));
    await Deno.truncate(path, SIZE);
    await succeed([
      ...["cryptsetup", "luksFormat", "-q", "--type", "luks2", "--luks2-metadata-size", "4m"],
      ...["--luks2-keyslots-size", "1m", "--offset", String(32 * 2048)],
      ...["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", path, passphrase],
    ]);
    {
      using file = Deno.openSync(path, { write: true });
      file.writeSync(new Uint8Array(COPY));
    }
    const differing: string[] = [];
    const compare = async (plant: Plant, puts: readonly Put[], wanted: boolean): Promise<void> => {
      const theirs = await verdict(path, puts);
      const ours = namesWith(puts);
      const same = theirs === undefined
        ? ours.length === 0
        : ours.includes(theirs) || theirs === "several";
      if (!same || (theirs !== undefined) !== wanted) {
        differing.push(`${plant.name}: theirs ${theirs}, ours ${ours}, wanted ${wanted}`);
      }
    };
    for (const plant of plants) {
      await compare(plant, plant.puts, true);
      if (plant.miss !== undefined) await compare(plant, [...plant.puts, ...plant.miss], false);
    }
    assertEquals(differing, []);
    await assertRepaired(path, passphrase);
  },
);
