import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { make } from "../peers/tools.ts";
import { liveTest, QEMU } from "../live.ts";
import { diskproof } from "./program.ts";

const DISK = "disk.qcow2";

/** An image with a snapshot, on a backing file, and a copy of it. */
async function makeDisk(directory: string): Promise<void> {
  await make(directory, "qemu-img", "create", "-q", "-f", "raw", "base.raw", "3M");
  await make(directory, "qemu-io", "-f", "raw", "-c", "write -q -P 7 0 3M", "base.raw");
  const backing = ["-b", "base.raw", "-F", "raw"];
  await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", ...backing, DISK, "5M");
  await make(directory, "qemu-io", "-c", "write -q -P 1 64k 256k", DISK);
  await make(directory, "qemu-img", "snapshot", "-c", "first", DISK);
  await make(directory, "qemu-io", "-c", "write -q -P 2 4M 64k", DISK);
  await Deno.copyFile(`${directory}/${DISK}`, `${directory}/whole.qcow2`);
}

/** Overwrites the start of a file. */
async function overwriteStart(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.write(bytes);
}

liveTest(
  { needs: QEMU },
  "inspect --scan writes a copy that qemu-img finds equal and sound, and leaves the image alone",
  async (directory) => {
    await makeDisk(directory);
    const path = `${directory}/${DISK}`;
    await overwriteStart(path, new Uint8Array(65536).fill(0x5a));
    const before = await Deno.readFile(path);
    const { status, stdout, stderr } = await diskproof(directory, [
      ...["inspect", "--scan", "--json", "--virtual-size", "5M", "-b", "base.raw", "-F", "raw"],
      ...["--write-repaired", "copy.qcow2", DISK],
    ]);
    assertEquals([status, stderr], [0, ""]);
    const [found] = JSON.parse(stdout).remains;
    assertEquals([found.format, found.confidence, found.repairable], ["qcow2", "certain", true]);
    await make(directory, "qemu-img", "check", "-q", "copy.qcow2");
    await make(directory, "qemu-img", "compare", "-q", "copy.qcow2", "whole.qcow2");
    await make(directory, "qemu-img", "snapshot", "-q", "-a", "first", "copy.qcow2");
    await make(directory, "qemu-io", "-r", "-c", "read -q -P 7 4M 0", "copy.qcow2");
    assertEquals(await Deno.readFile(path), before);
  },
);

liveTest(
  { needs: QEMU },
  "inspect --scan reads the backing file name behind a boot sector that was written over the header",
  async (directory) => {
    await makeDisk(directory);
    const start = new Uint8Array(512);
    start.set([0x55, 0xaa], 510);
    await overwriteStart(`${directory}/${DISK}`, start);
    // QEMU's header extensions and the name end before the second sector: move them there.
    const whole = await Deno.readFile(`${directory}/whole.qcow2`);
    const tail = whole.subarray(112, 1024);
    const bytes = await Deno.readFile(`${directory}/${DISK}`);
    bytes.set(tail, 512);
    await Deno.writeFile(`${directory}/${DISK}`, bytes);
    const { stdout } = await diskproof(directory, [
      ...["inspect", "--scan", "--virtual-size=5M", "--write-repaired=copy.qcow2", DISK],
    ]);
    assertStringIncludes(stdout, "Header extensions are at 0x200");
    await make(directory, "qemu-img", "compare", "-q", "copy.qcow2", "whole.qcow2");
  },
);

liveTest(
  { needs: QEMU },
  "inspect --scan proposes the virtual size that the partition table of the guest names",
  async (directory) => {
    const lba = (
      sector: number,
    ): number[] => [...new Uint8Array(new BigUint64Array([BigInt(sector)]).buffer)];
    const gpt = new Uint8Array(1024);
    gpt.set(new TextEncoder().encode("EFI PART"), 512);
    // my_lba, alternate_lba: the disk has 9 MiB and a sector.
    gpt.set([...lba(1), ...lba(18432)], 512 + 24);
    await Deno.writeFile(`${directory}/gpt`, gpt);
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", DISK, `${18433 * 512}`);
    await make(directory, "qemu-io", "-c", "write -q -s gpt 0 1k", DISK);
    await overwriteStart(`${directory}/${DISK}`, new Uint8Array(65536));
    const { stdout } = await diskproof(directory, ["inspect", "--scan", "--json", DISK]);
    const [{ fields }] = JSON.parse(stdout).remains;
    const size = fields.find(({ name }: { name: string }) => name === "size");
    assertEquals(size.value, 18433 * 512);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "inspect --scan restores the first header of LUKS2 from the second one, for cryptsetup to open",
  async (directory) => {
    await Deno.writeTextFile(`${directory}/pw`, "secret");
    await Deno.writeFile(`${directory}/volume`, new Uint8Array(20 * 2 ** 20));
    await make(
      directory,
      ...["cryptsetup", "luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2"],
      ...["--pbkdf-force-iterations", "1000", "volume", "pw"],
    );
    for (const lost of [6, 512, 4096, 16384]) {
      await Deno.copyFile(`${directory}/volume`, `${directory}/hurt`);
      await overwriteStart(`${directory}/hurt`, new Uint8Array(lost).fill(0x5a));
      const copy = `copy-${lost}`;
      const { status, stdout } = await diskproof(directory, [
        ...["inspect", "--scan", "--json", "--write-repaired", copy, "hurt"],
      ]);
      assertEquals([status, JSON.parse(stdout).remains[0].format], [0, "luks2"]);
      await make(
        directory,
        ...["cryptsetup", "open", "--test-passphrase", "--key-file", "pw", copy],
      );
    }
  },
);

liveTest(
  { needs: QEMU },
  "a raw file that was a qcow2 image has a finding that names --scan, and a raw disk has none",
  async (directory) => {
    await makeDisk(directory);
    await overwriteStart(`${directory}/${DISK}`, new Uint8Array(65536));
    for (const verb of ["inspect", "judge"]) {
      const hurt = await diskproof(directory, [verb, DISK]);
      assertStringIncludes(hurt.stdout, "refcount table of qcow2 at 0x10000: inspect --scan looks");
      const raw = await diskproof(directory, [verb, "base.raw"]);
      assert(!raw.stdout.includes("blk.probe.remains"), raw.stdout);
    }
    const nothing = await diskproof(directory, ["inspect", "--scan", "base.raw"]);
    assertEquals(nothing.status, 1);
    assertStringIncludes(nothing.stdout, "no image with a damaged or lost header");
  },
);

liveTest(
  { needs: QEMU },
  "inspect --scan rejects options that make no sense, and replaces a file only with --force",
  async (directory) => {
    await makeDisk(directory);
    const cases = [
      [["--virtual-size", "1M", DISK], 2, "--virtual-size needs --scan"],
      [["--scan", "-F", "raw", DISK], 2, "--backing-format needs --backing"],
      [["--scan", "--write-repaired", "copy", DISK], 1, "its header is intact"],
      [["--scan", "--write-repaired", "copy", "base.raw"], 1, "no header was found that it lacks"],
    ] as const;
    for (const [args, status, message] of cases) {
      const run = await diskproof(directory, ["inspect", ...args]);
      assertEquals([run.status, run.stdout], [status, ""]);
      assertStringIncludes(run.stderr, message);
    }
    await overwriteStart(`${directory}/${DISK}`, new Uint8Array(65536));
    for (const out of [DISK, "base.raw"]) {
      const run = await diskproof(directory, ["inspect", "--scan", "--write-repaired", out, DISK]);
      assertEquals(run.status, 2);
      assertStringIncludes(run.stderr, `Cannot write to ${out}`);
    }
    const replacing = ["inspect", "--scan", "--virtual-size=5M", "--force", "--write-repaired"];
    assertEquals((await diskproof(directory, [...replacing, DISK, DISK])).status, 2);
    assertEquals((await diskproof(directory, [...replacing, "base.raw", DISK])).status, 0);
    await make(directory, "qemu-img", "check", "-q", "-f", "qcow2", "base.raw");
  },
);

liveTest(
  { needs: QEMU },
  "inspect --scan believes a valid header, whatever is wrong with the tables",
  async (directory) => {
    await makeDisk(directory);
    using file = await Deno.open(`${directory}/${DISK}`, { write: true });
    // The first refcount block.
    await file.seek(0x20000, Deno.SeekMode.Start);
    await file.write(new Uint8Array(65536));
    const { status, stdout } = await diskproof(directory, ["inspect", "--scan", "--json", DISK]);
    const { remains } = JSON.parse(stdout);
    assertEquals([status, remains.length, remains[0].confidence], [0, 1, "likely"]);
    assertEquals(remains[0].evidence[0], "The header is intact");
    assertEquals(remains[0].repairable, false);
  },
);
