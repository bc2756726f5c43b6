import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { liveTest, QEMU } from "../live.ts";
import { makeEncrypted } from "../peers/encrypted.ts";
import { make } from "../peers/tools.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const QCOW2 = [0x51, 0x46, 0x49, 0xfb, 0, 0, 0];

/** Runs `admit --json` on one image: exit status, and the reasons against it. */
async function admit(directory: string, ...args: string[]): Promise<[number, ...string[]]> {
  const { status, stdout, stderr } = await diskproof(directory, ["admit", "--json", ...args]);
  assertEquals(stderr, "");
  const { admitted, reasons } = JSON.parse(stdout);
  assertEquals(admitted, status === 0);
  return [status, ...reasons.map(({ reason }: { reason: string }) => reason)];
}

/** Images that qemu-img creates, and the reason against each. */
const CREATED: readonly (readonly [name: string, options: readonly string[], reason?: string])[] = [
  ["plain.qcow2", ["-f", "qcow2"]],
  ["plain.raw", ["-f", "raw"]],
  ["old.qcow2", ["-f", "qcow2", "-o", "compat=0.10"]],
  ["one.qcow", ["-f", "qcow"]],
  ["over.qcow2", ["-f", "qcow2", "-b", "plain.qcow2", "-F", "qcow2"], "backing"],
  ["data.qcow2", ["-f", "qcow2", "-o", "data_file=data.raw"], "data-file"],
  ["disk.vmdk", ["-f", "vmdk"], "format"],
  ["disk.vdi", ["-f", "vdi"], "format"],
  ["disk.vhdx", ["-f", "vhdx"], "format"],
];

liveTest(
  { needs: QEMU },
  "admit names the reason against each image, and prints what qemu-img info prints of others",
  async (directory) => {
    for (const [name, options] of CREATED) {
      await make(directory, "qemu-img", "create", "-q", ...options, name, "8M");
    }
    const formats = ["qcow2", "luks"] as const;
    for (const format of formats) {
      await makeEncrypted(directory, {
        name: `${format}.img`,
        format,
        passphrase: "x",
        size: "8M",
      });
    }
    const locked = formats.map((format) => [`${format}.img`, [], "encryption"] as const);
    for (const [name, , reason] of [...CREATED, ...locked]) {
      assertEquals(await admit(directory, name), reason === undefined ? [0] : [1, reason], name);
      if (reason !== undefined && reason !== "format") {
        assertEquals(await admit(directory, "--allow", `dirty,${reason}`, name), [0], name);
      }
      const run = await diskproof(directory, ["admit", "--json", name]);
      const { format, ...sizes } = JSON.parse(run.stdout);
      const info = JSON.parse(await qemuInfo(directory, name));
      assertEquals(format, info["format"], name);
      const size = reason === "format" ? null : info["virtual-size"];
      assertEquals([sizes["virtual-size"], sizes["file-size"]], [
        size,
        Deno.statSync(`${directory}/${name}`).size,
      ]);
    }
    await make(directory, "qemu-img", "snapshot", "-c", "one", "plain.qcow2");
    assertEquals(await admit(directory, "plain.qcow2"), [1, "snapshots"]);
    assertEquals(await admit(directory, "--allow=snapshots", "plain.qcow2"), [0]);
  },
);

async function qemuInfo(directory: string, name: string): Promise<string> {
  const command = new Deno.Command("qemu-img", {
    args: ["info", "--output", "json", name],
    cwd: directory,
  });
  return new TextDecoder().decode((await command.output()).stdout);
}

liveTest(
  { needs: QEMU },
  "admit rejects what qemu-img info rejects, and marked or damaged images",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "plain", "8M");
    const plain = Deno.readFileSync(`${directory}/plain`);
    const written = async (edit: (bytes: Uint8Array) => Uint8Array | void): Promise<void> => {
      const bytes = plain.slice();
      Deno.writeFileSync(`${directory}/image`, edit(bytes) ?? bytes);
      await Promise.resolve();
    };
    // Incompatible feature bits: dirty, corrupt, and one that is not known.
    await written((bytes) => void (bytes[79] = 1));
    assertEquals(await admit(directory, "image"), [1, "dirty"]);
    await written((bytes) => void (bytes[79] = 2));
    assertEquals(await admit(directory, "image"), [1, "corrupt"]);
    assertEquals(await admit(directory, "--allow", "corrupt", "image"), [0]);
    await written((bytes) => void (bytes[79] = 0x80));
    assertEquals(await admit(directory, "image"), [1, "invalid"]);
    assertEquals(await qemuInfo(directory, "image"), "");
    // A refcount of 0 for the L1 table: nothing that an open looks at.
    await written((bytes) => void bytes.fill(0, 2 * 65536 + 6, 2 * 65536 + 8));
    assertEquals(await admit(directory, "image"), [0]);
    assertEquals(await admit(directory, "--check", "image"), [1, "corrupt"]);
    // Fewer than 512 bytes are an image, with all that it may name.
    await written((bytes) => {
      const small = new Uint8Array(300);
      small.set(bytes.subarray(0, 112));
      small.set([0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 11], 8);
      small.set(new TextEncoder().encode("/etc/passwd"), 200);
      return small;
    });
    assertEquals(await admit(directory, "image"), [1, "backing"]);
    assertEquals(JSON.parse(await qemuInfo(directory, "image"))["backing-filename"], "/etc/passwd");
  },
);

Deno.test("admit rejects a file that only looks like an image, and one of no admitted size", () =>
  withDirectory(async (directory) => {
    const bytes = new Uint8Array(4096);
    const write = (edit: (bytes: Uint8Array) => void): void => {
      const copy = bytes.slice();
      edit(copy);
      Deno.writeFileSync(`${directory}/image`, copy);
    };
    // A partition table, ISO 9660 in the middle: what a disk holds is its own affair.
    write((copy) => copy.set([0x55, 0xaa], 510));
    assertEquals(await admit(directory, "image"), [0]);
    assertEquals(await admit(directory, "--max-file-size", "4096", "image"), [0]);
    assertEquals(await admit(directory, "--max-file-size", "4095", "image"), [1, "file-size"]);
    assertEquals(await admit(directory, "--max-virtual-size", "4K", "image"), [0]);
    assertEquals(await admit(directory, "--max-virtual-size", "4095", "image"), [
      1,
      "virtual-size",
    ]);
    assertEquals(await admit(directory, "-f", "qcow2", "image"), [1, "format"]);
    assertEquals(await admit(directory, "-f", "qcow2", "-f", "raw", "image"), [0]);
    // QEMU takes version 0 for raw.
    write((copy) => copy.set([...QCOW2, 0]));
    assertEquals(await admit(directory, "image"), [1, "ambiguous"]);
    assertEquals(await admit(directory, "--allow", "ambiguous", "image"), [0]);
    write((copy) => copy.set([...QCOW2, 3]));
    assertEquals(await admit(directory, "-f", "raw", "image"), [1, "format", "invalid"]);
    // A descriptor of VMDK in a text file opens other files.
    write((copy) => copy.set(new TextEncoder().encode("# Disk DescriptorFile\nversion=1\n")));
    assertEquals(await admit(directory, "image"), [1, "format"]);
    Deno.writeFileSync(`${directory}/image`, new Uint8Array(0));
    assertEquals(await admit(directory, "image"), [1, "virtual-size"]);
  }));

Deno.test("admit prints one line per image without control characters", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/good`, new Uint8Array(512));
    const args = ["admit", "good", "missing", "--max-virtual-size", "1K"];
    const run = await diskproof(directory, args);
    assertEquals(run.stdout, "good: admitted: raw, 512 bytes\n");
    assertEquals([run.status, run.stderr], [
      2,
      "diskproof: Cannot open missing: there is no such file\n",
    ]);
    const small = await diskproof(directory, ["admit", "good", "--max-virtual-size", "1"]);
    assertEquals(small.status, 1);
    assertMatch(small.stdout, /^good: rejected: raw: Its disk has 512 bytes, more than 1 \(virt/);
    const wrong = await diskproof(directory, ["admit", "good", "--allow", "backin"]);
    assertEquals(wrong.status, 2);
    assertStringIncludes(wrong.stderr, "did you mean 'backing'?");
    assert(!wrong.stderr.includes("internal error"));
  }));
