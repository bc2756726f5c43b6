import { assertEquals, assertStringIncludes } from "@std/assert";
import { liveTest, QEMU } from "../live.ts";
import { make } from "../peers/tools.ts";
import { diskproof } from "./program.ts";

const MIB = 2 ** 20;
const CLUSTER = 65536;

/** Makes a disk of 1 GiB with data in the ranges of two L2 tables, and damages a copy of it. */
async function damaged(
  directory: string,
  damage: (bytes: Uint8Array, l1: number) => Uint8Array | void,
): Promise<void> {
  await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "sound", "1G");
  const writes = ["write -P 5 0 3M", "write -P 6 600M 1M"].flatMap((command) => ["-c", command]);
  await make(directory, "qemu-io", ...writes, "sound");
  const bytes = Deno.readFileSync(`${directory}/sound`);
  const l1 = Number(new DataView(bytes.buffer).getBigUint64(40));
  Deno.writeFileSync(`${directory}/disk`, damage(bytes, l1) ?? bytes);
}

function tableOf(bytes: Uint8Array, entry: number): number {
  return Number(new DataView(bytes.buffer).getBigUint64(entry) & 0x00fffffffffffe00n);
}

/** The lines about damage in the text of `check`, which are those of `inspect` too. */
async function damageOf(directory: string): Promise<string[]> {
  const { stdout } = await diskproof(directory, ["check", "disk"]);
  const lines = stdout.split("\n").filter((line) => line.startsWith("Damage: "))
    .map((line) => line.replace("Damage: ", ""));
  const inspected = (await diskproof(directory, ["inspect", "disk"])).stdout;
  for (const line of lines) assertStringIncludes(inspected, line);
  return lines;
}

liveTest(
  { needs: QEMU },
  "check and inspect name what is past the end of a truncated image",
  async (directory) => {
    let end = 0;
    await damaged(directory, (bytes) => bytes.subarray(0, end = bytes.length - 10 * CLUSTER));
    const from = 601 * MIB - 10 * CLUSTER;
    assertEquals(await damageOf(directory), [
      "15.6 % of the content is affected: 640 KiB of 4 MiB",
      `The file ends at 0x${end.toString(16)}, before 10 clusters of guest range ` +
      `0x${from.toString(16)}-0x${(601 * MIB).toString(16)}`,
    ]);
    const { stdout } = await diskproof(directory, ["inspect", "--json", "disk"]);
    const { damage } = JSON.parse(stdout);
    assertEquals([damage.affected, damage.content], [10 * CLUSTER, 4 * MIB]);
    assertEquals(damage.causes[0].guest, {
      bytes: 10 * CLUSTER,
      count: 1,
      ranges: [{ start: from, length: 10 * CLUSTER }],
    });
  },
);

liveTest(
  { needs: QEMU },
  "check and inspect name a missing table, its guest range, and what it cost",
  async (directory) => {
    let table = 0;
    await damaged(directory, (bytes, l1) => {
      table = tableOf(bytes, l1 + 8);
      bytes.fill(0, table, table + CLUSTER);
    });
    assertEquals(await damageOf(directory), [
      "25 % of the content is affected: 1 MiB of 4 MiB",
      `The L2 table at 0x${table.toString(16)} for guest range 0x20000000-0x40000000 is empty, ` +
      "and 16 leaked clusters fit it",
    ]);
    await damaged(directory, (bytes, l1) => void bytes.fill(0, l1 + 8, l1 + 16));
    const [, cause] = await damageOf(directory);
    assertEquals(
      cause,
      `No L1 entry leads to the L2 table at 0x${table.toString(16)}, with 16 clusters, ` +
        "for guest range 0x20000000-0x40000000",
    );
    const json = ["check", "--output", "json", "disk"];
    const plain = JSON.parse((await diskproof(directory, json)).stdout);
    const { damage, ...rest } = JSON.parse(
      (await diskproof(directory, [...json, "--damage"])).stdout,
    );
    assertEquals(rest, plain);
    assertEquals([damage.affected, damage.causes[0].cause], [MIB, "l2-table-lost"]);
  },
);

liveTest(
  { needs: QEMU },
  "check says that a refcount block of zeros costs no content, and of a sound image nothing",
  async (directory) => {
    await damaged(directory, (bytes) => {
      const block = tableOf(bytes, Number(new DataView(bytes.buffer).getBigUint64(48)));
      bytes.fill(0, block, block + CLUSTER);
    });
    const [first, cause] = await damageOf(directory);
    assertEquals(first, "no content is affected");
    assertStringIncludes(cause ?? "", "1 refcount block counts none of the 70 clusters in use");
    await damaged(directory, () => {});
    assertEquals(await damageOf(directory), []);
  },
);
