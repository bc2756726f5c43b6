import { assert, assertEquals } from "@std/assert";
import { FileStore, MemoryStore } from "../../../src/bytes/mod.ts";
import { qcow2Format } from "../../../src/qcow2/mod.ts";
import { Findings } from "../../../src/rules/mod.ts";
import { runTool } from "../../../src/peers/mod.ts";
import { RecordingStore } from "../../editing.ts";
import { liveTest, QEMU } from "../../live.ts";
import { data, plain, zero } from "../built_parts.ts";
import { storeOf } from "../written.ts";
import { tool } from "./qemu.ts";

/** Offsets of what is damaged, in an image with clusters of 64 KiB as qemu-img creates it. */
const TABLE = 0x10000;
const BLOCK = 0x20000;
const L1 = 0x30000;

/** A damage: bytes at an offset. The first data cluster is the one with number 5. */
const DAMAGES: readonly (readonly [name: string, offset: number, bytes: readonly number[]])[] = [
  ["a leaked cluster", BLOCK + 2 * 40, [0, 1]],
  ["a refcount that is too high", BLOCK + 2 * 5, [0, 7]],
  ["a refcount of 0 for a cluster in use", BLOCK + 2 * 6, [0, 0]],
  ["a refcount table without the block", TABLE, [0, 0, 0, 0, 0, 0, 0, 0]],
  ["a refcount block that is not aligned", TABLE, [0, 0, 0, 0, 0, 2, 2, 0]],
  ["a clear copied flag", L1, [0]],
  ["the dirty bit and a leak", 0x4f, [1]],
];

/** QEMU 7.2 marks this image as corrupt, and then cannot write to it (block/qcow2.c, get_refcount). */
const QEMU_FAILS = "a refcount block that is not aligned";

for (const [name, offset, bytes] of DAMAGES) {
  for (const repair of ["leaks", "all"] as const) {
    liveTest(
      { needs: QEMU },
      `check --repair ${repair} does what qemu-img does: ${name}`,
      async (at) => {
        const ours = `${at}/ours.qcow2`;
        const theirs = `${at}/theirs.qcow2`;
        await tool("qemu-img", "create", "-q", "-f", "qcow2", ours, "4M");
        await tool("qemu-io", "-c", "write -P 1 0 1M", "-c", "write -P 2 2M 100k", ours);
        damage(ours, offset, bytes);
        await Deno.copyFile(ours, theirs);
        const { end, stdout } = await runTool(
          ["qemu-img", "check", "-r", repair, "--output=json", theirs],
        );
        const wanted = end.kind === "exited" && end.code !== 1
          ? JSON.parse(stdout || "{}")
          : undefined;
        const store = new FileStore(ours);
        const result = qcow2Format.editor?.repair?.(store, new Findings(), {
          leaksOnly: repair === "leaks",
        });
        store.close();
        if (name === QEMU_FAILS && repair === "all") {
          assertEquals(wanted, undefined);
          await tool("qemu-img", "check", ours);
          return;
        }
        if (wanted === undefined) return assertEquals(result, undefined);
        assert(result !== undefined);
        assertEquals(result, {
          corruptions: wanted["corruptions-fixed"] ?? 0,
          leaks: wanted["leaks-fixed"] ?? 0,
        });
        const check = async (path: string): Promise<unknown> => {
          const { stdout, end } = await runTool(["qemu-img", "check", "--output=json", path]);
          const { filename: _, "image-end-offset": __, ...rest } = JSON.parse(stdout);
          return { rest, end };
        };
        assertEquals(await check(ours), await check(theirs));
        if (repair === "all") await tool("qemu-img", "compare", "-q", ours, theirs);
      },
    );
  }
}

function damage(path: string, offset: number, bytes: readonly number[]): void {
  const store = new FileStore(path);
  store.write(offset, new Uint8Array(bytes));
  store.close();
}

Deno.test("bytes without a header are not repaired", () => {
  const store = new MemoryStore();
  store.write(0, new Uint8Array(1000));
  assertEquals(
    qcow2Format.editor?.repair?.(store, new Findings(), { leaksOnly: false }),
    undefined,
  );
  assertEquals(store.size, 1000);
});

Deno.test("a repair of an image without errors writes nothing", () => {
  const store = new RecordingStore(storeOf({ ...plain, clusters: [data(0), zero(1, true)] }));
  assertEquals(qcow2Format.editor?.repair?.(store, new Findings(), { leaksOnly: false }), {
    corruptions: 0,
    leaks: 0,
  });
  assertEquals(store.steps.filter((step) => step !== "flush"), []);
});
