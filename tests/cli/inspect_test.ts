import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeImages, overwrite } from "./images.ts";
import { diskproof } from "./program.ts";
import { liveTest, QEMU } from "../live.ts";

const DISK = "disk.qcow2";
const MAKE = [
  ["qemu-img", "create", "-q", "-f", "qcow2", DISK, "1M"],
  ["qemu-io", "-c", "write -P 1 0 256k", DISK],
  ["qemu-img", "snapshot", "-c", "before", DISK],
  ["qemu-io", "-c", "write -P 2 64k 64k", DISK],
];

interface Places {
  readonly l1: number;
  readonly l2: number;
}

/** The offsets of the active tables. */
async function placesIn(path: string): Promise<Places> {
  const view = new DataView((await Deno.readFile(path)).buffer);
  const l1 = Number(view.getBigUint64(40));
  return { l1, l2: Number(view.getBigUint64(l1) & 0xfffffffffffe00n) };
}

/** The lines from the one that starts with a text on, up to the next that is not indented. */
function blockOf(stdout: string, start: string): string[] {
  const lines = stdout.split("\n");
  const first = lines.findIndex((line) => line.startsWith(start));
  assert(first >= 0, `${start} in\n${stdout}`);
  const length = lines.slice(first + 1).findIndex((line) => !line.startsWith(" "));
  return lines.slice(first, length < 0 ? undefined : first + 1 + length);
}

liveTest(
  { needs: QEMU },
  "inspect shows every field of the header with its bytes, value and meaning",
  async (directory) => {
    await makeImages(directory, [{ name: DISK, commands: MAKE }]);
    const { status, stdout, stderr } = await diskproof(directory, ["inspect", DISK]);
    assertEquals([status, stderr], [0, ""]);
    const header = blockOf(stdout, "0x000000  /header: header of version 3");
    const field = header.find((line) => line.includes(" cluster_bits ")) ?? "";
    for (const part of ["0x000014", "00 00 00 10", " 16 ", "2 to this power"]) {
      assertStringIncludes(field, part);
    }
    assertEquals(header.filter((line) => line.includes("!!")), []);
  },
);

liveTest(
  { needs: QEMU },
  "inspect shows consecutive entries in one row, and shared clusters",
  async (directory) => {
    await makeImages(directory, [{ name: DISK, commands: MAKE }]);
    const { stdout } = await diskproof(directory, ["inspect", DISK]);
    const rows = blockOf(stdout, "0x040000  /snapshot[0]/l2[0]: L2 table");
    assertEquals(rows.length, 2);
    assertStringIncludes(rows[1] ?? "", "0..3  data at 0x50000 and on");
    const shared = stdout.split("\n").filter((line) => line.includes("2 claims"));
    // The first cluster, and the last two: the second one was written to again.
    assertEquals(shared.length, 2);
    for (const line of shared) assertStringIncludes(line, "/snapshot[0]/l2[0]/0..3");
    assertEquals(stdout.includes("!!"), false);
  },
);

liveTest(
  { needs: QEMU },
  "inspect prints a finding below the row that it is about",
  async (directory) => {
    await makeImages(directory, [{ name: DISK, commands: MAKE }]);
    const path = `${directory}/${DISK}`;
    const { l1, l2 } = await placesIn(path);
    overwrite(path, {
      [l1]: 0x8000000000000001n | BigInt(l2),
      [l2 + 32]: 0x60200n,
      [l2 + 40]: 0x80000000ff000000n,
      [l2 + 48]: BigInt(l1),
    });
    const { stdout } = await diskproof(directory, ["inspect", DISK]);
    const below = (lines: string[], text: string) => {
      const row = lines.findIndex((line) => line.includes(text));
      return lines.slice(row + 1, row + 3).join("\n");
    };
    const table = blockOf(stdout, `0x${l2.toString(16).padStart(6, "0")}  /l2[0]`);
    assertStringIncludes(below(table, "data at 0x60200"), "qcow2.l2e.aligned");
    assertStringIncludes(below(table, "data at 0xff000000"), "qcow2.l2e.beyond-eof");
    assertStringIncludes(below(blockOf(stdout, `0x030000  /l1`), "L2 table"), "qcow2.l1e.reserved");
    assertStringIncludes(stdout, "0x030000  !! claimed by several, 65536 bytes, 2 claims: /l1");
    assertStringIncludes(stdout, "0xff000000  data, 65536 bytes: /l2[0]/5");
    assertStringIncludes(stdout, "past the end of the file");
  },
);

liveTest({ needs: QEMU }, "inspect names unreferenced clusters", async (directory) => {
  await makeImages(directory, [{ name: DISK, commands: MAKE.slice(0, 2) }]);
  const path = `${directory}/${DISK}`;
  const { l2 } = await placesIn(path);
  overwrite(path, { [l2 + 8]: 0n });
  const { stdout } = await diskproof(directory, ["inspect", DISK]);
  const block = blockOf(stdout, "0x060000  unreferenced, 65536 bytes, not zero");
  assertStringIncludes(block[1] ?? "", "qcow2.check.refcount-high");
});

liveTest(
  { needs: QEMU },
  "inspect omits rows without --all, but none with a finding",
  async (directory) => {
    const writes = Array.from({ length: 64 }, (_, i) => ["-c", `write -P 1 ${i * 8}k 4k`]).flat();
    const commands = [
      ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", DISK, "1M"],
      ["qemu-io", ...writes, DISK],
    ];
    await makeImages(directory, [{ name: DISK, commands }]);
    const path = `${directory}/${DISK}`;
    const { l2 } = await placesIn(path);
    overwrite(path, { [l2 + 120 * 8]: 0x200n });
    const rowsIn = async (...more: string[]) => {
      const { stdout } = await diskproof(directory, ["inspect", ...more, DISK]);
      assertStringIncludes(stdout, "qcow2.l2e.aligned");
      return blockOf(stdout, `0x${l2.toString(16).padStart(6, "0")}  /l2[0]`)
        .filter((line) => line.startsWith("  0x")).length;
    };
    assertEquals(await rowsIn("--all"), 64);
    assertEquals(await rowsIn(), 25);
  },
);

liveTest({ needs: QEMU }, "inspect --json prints the same for a program", async (directory) => {
  await makeImages(directory, [{ name: DISK, commands: MAKE }]);
  const { stdout } = await diskproof(directory, ["inspect", "--json", DISK]);
  const { parts, stretches, findings, size, complete } = JSON.parse(stdout);
  assertEquals(size, Deno.statSync(`${directory}/${DISK}`).size);
  const header = parts.find((part: { path: string }) => part.path === "/header");
  assertEquals(header.rows[0].bytes, "514649fb");
  assertEquals([findings, complete], [[], true]);
  let end = 0;
  for (const { offset, length } of stretches) {
    assertEquals(offset, end);
    end += length;
  }
  assertEquals(end, size);
});
