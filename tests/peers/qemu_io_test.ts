import { assertEquals, assertStringIncludes } from "@std/assert";
import { QemuIoSession } from "../../src/peers/mod.ts";
import { readAllocationMap, readFailure } from "../../src/peers/qemu_io/text.ts";
import { make } from "./tools.ts";
import { liveTest, QEMU } from "../live.ts";

Deno.test("readFailure() finds why a read failed", () => {
  assertEquals(readFailure("read failed: Input/output error\n"), "Input/output error");
  assertEquals(readFailure("read 20/20 bytes at offset 496\n"), undefined);
});

Deno.test("readAllocationMap() reads exact numbers and rejects other text", () => {
  const text = "128 KiB (0x20000) bytes     allocated at offset 0 bytes (0x0)\n" +
    "1.001 MiB (0x100400) bytes not allocated at offset 128 KiB (0x20000)\n";
  assertEquals(readAllocationMap(text), [
    { start: 0, length: 131072, allocated: true },
    { start: 131072, length: 1049600, allocated: false },
  ]);
  assertEquals(readAllocationMap("is_allocated failed: Input/output error\n"), undefined);
});

liveTest(
  { needs: QEMU },
  "QemuIoSession reads many images through one process",
  async (directory) => {
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    // Text that looks like a prompt must not confuse anyone.
    noise.set(new TextEncoder().encode("\nqemu-io> \nqemu-io> "), 16);
    const content = new Uint8Array(200_704);
    content.set(noise, 4096);
    Deno.writeFileSync(`${directory}/raw`, content);
    const convert = ["qemu-img", "convert", "-f", "raw"];
    await make(directory, ...convert, "-O", "qcow2", "raw", "plain");
    await make(directory, ...convert, "-c", "-O", "qcow2", "raw", "packed image");
    await make(directory, ...convert, "-O", "qcow", "raw", "./old:one");
    const session = new QemuIoSession();
    try {
      for (let round = 0; round < 3; round++) {
        for (
          const [name, format] of [["plain", "qcow2"], ["packed image", "qcow2"], [
            "old:one",
            "qcow",
          ]]
        ) {
          const path = `${directory}/${name}`;
          const reading = { path, format: format as string, size: content.length };
          const read = await session.readAll(reading);
          assertEquals(read.outcome, "accepted", name);
          if (read.outcome !== "accepted") continue;
          assertEquals(read.value.unreadable, []);
          assertEquals(read.value.bytes, content);
          const longer = await session.readAll({ ...reading, size: content.length + 512 });
          assertEquals(longer.outcome === "accepted" && longer.value.bytes.at(-1), 0);
        }
      }
    } finally {
      await session.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession compares content with what is expected, and reads it where it differs",
  async (directory) => {
    const content = crypto.getRandomValues(new Uint8Array(8192));
    Deno.writeFileSync(`${directory}/raw`, content);
    await make(directory, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "raw", "disk");
    const wrong = content.slice();
    wrong[5000] = (wrong[5000] as number) ^ 1;
    const session = new QemuIoSession();
    try {
      for (const expected of [content, wrong, content]) {
        const reading = { path: `${directory}/disk`, format: "qcow2", size: 8192, expected };
        const read = await session.examine(reading);
        assertEquals(read.outcome === "accepted" && read.value.bytes, content);
      }
    } finally {
      await session.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession examines images at the same time as well as one by one",
  async (directory) => {
    const content = crypto.getRandomValues(new Uint8Array(8192));
    const wrong = content.slice();
    wrong[5000] = (wrong[5000] as number) ^ 1;
    Deno.writeFileSync(`${directory}/raw`, content);
    Deno.writeFileSync(`${directory}/longer`, new Uint8Array(2 ** 18));
    for (const [from, name] of [["raw", "disk"], ["longer", "long"], ["raw", "broken"]]) {
      const conversion = ["convert", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4k"];
      await make(directory, "qemu-img", ...conversion, from as string, name as string);
    }
    // The first L2 entry is at 16384: its offset is no longer a multiple of the cluster size.
    await make(directory, "qemu-io", "-f", "raw", "-c", "write -q -P 2 16390 1", "broken");
    const half = content.slice().fill(0, 0, 4096);
    const readings = [
      { path: "disk", expected: content },
      { path: "no-such-file", expected: content },
      { path: "disk", expected: wrong },
      { path: "disk" },
      { path: "long", expected: content, length: 8192 },
      { path: "broken" },
      {
        path: "broken",
        expected: new Uint8Array(8192),
        unreadable: [{ start: 4096, length: 4096 }],
      },
      { path: "broken", expected: half, unreadable: [{ start: 0, length: 4096 }] },
      { path: "disk", expected: content, length: 8192 },
    ].map((it) => ({ ...it, path: `${directory}/${it.path}`, format: "qcow2", size: 8192 }));
    const alone = [];
    for (const reading of readings) {
      const session = new QemuIoSession();
      alone.push(await session.examine(reading));
      await session.close();
    }
    const session = new QemuIoSession();
    const together = await Promise.all(readings.map((reading) => session.examine(reading)));
    // A passphrase that is also a part of the words between the images.
    const passphrases = ["0"];
    const keyed = await Promise.all(
      readings.map((reading) => session.examine({ ...reading, passphrases })),
    );
    await session.close();
    assertEquals(together, alone);
    assertEquals(keyed, alone);
    const texts = together.map((it) =>
      it.outcome === "accepted" ? `${it.value.bytes.every((b, i) => b === content[i])}` : it.outcome
    );
    const other = "false";
    const expected = ["true", "rejected", "true", "true", other, other, other, other, "true"];
    assertEquals(texts, expected);
    const broken = [5, 6, 7].map((index) => together[index]);
    assertEquals(broken.map((it) => it?.outcome === "accepted" && it.value.unreadable), [
      [{ start: 0, length: 4096 }],
      [{ start: 0, length: 4096 }],
      [{ start: 0, length: 4096 }],
    ]);
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession reads what a qemu-io without blkverify cannot compare",
  async (directory) => {
    const content = crypto.getRandomValues(new Uint8Array(8192));
    Deno.writeFileSync(`${directory}/disk`, content);
    const script = 'sed -u s/blkverify/no-such-driver/ | qemu-io "$@"';
    const session = new QemuIoSession({ command: ["/bin/sh", "-c", script, "sh"] });
    try {
      const expected = new Uint8Array(8192);
      const reading = { path: `${directory}/disk`, format: "raw", size: 8192, expected };
      const read = await session.examine(reading);
      assertEquals(read.outcome === "accepted" && read.value.bytes, content);
    } finally {
      await session.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession maps the top layer and reads through the chain",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "raw", "base", "128k");
    await make(directory, "qemu-io", "-f", "raw", "-c", "write -q -P 9 0 128k", "base");
    const backed = ["-b", "base", "-F", "raw", "disk"];
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", ...backed);
    await make(directory, "qemu-io", "-c", "write -q -P 5 64k 64k", "disk");
    const session = new QemuIoSession();
    try {
      const subject = { path: `${directory}/disk`, format: "qcow2" };
      assertEquals(await session.map(subject), {
        outcome: "accepted",
        value: [
          { start: 0, length: 65536, allocated: false },
          { start: 65536, length: 65536, allocated: true },
        ],
      });
      const read = await session.readAll({ ...subject, size: 131072 });
      const expected = new Uint8Array(131072).fill(9, 0, 65536).fill(5, 65536);
      assertEquals(read.outcome === "accepted" && read.value.bytes, expected);
    } finally {
      await session.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession distinguishes what cannot be read from what cannot be opened",
  async (directory) => {
    const options = ["-o", "cluster_size=4k", "disk", "16k"];
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", ...options);
    await make(
      directory,
      "qemu-io",
      "-c",
      "write -q -P 3 0 4k",
      "-c",
      "write -q -P 4 8k 4k",
      "disk",
    );
    // The first L2 entry is at 16384: its offset is no longer a multiple of the cluster size.
    await make(directory, "qemu-io", "-f", "raw", "-c", "write -q -P 2 16390 1", "disk");
    const session = new QemuIoSession();
    try {
      const subject = { path: `${directory}/disk`, format: "qcow2" };
      const read = await session.readAll({ ...subject, size: 16384, unit: 4096 });
      assertEquals(read.outcome, "accepted");
      if (read.outcome !== "accepted") return;
      assertEquals(read.value.unreadable, [{ start: 0, length: 4096 }]);
      assertEquals(read.value.bytes, new Uint8Array(16384).fill(4, 8192, 12288));
      const missing = await session.readAll({ ...subject, path: `${directory}/no`, size: 512 });
      assertEquals(missing.outcome, "rejected");
      assertStringIncludes("message" in missing ? missing.message : "", "Could not open");
      const raw = await session.readAll({ path: `${directory}/disk`, format: "qcow", size: 512 });
      assertEquals(raw.outcome, "rejected");
    } finally {
      await session.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuIoSession goes on with a new process after a time-out or a crash",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "disk", "64k");
    await make(directory, "qemu-img", "create", "-q", "-f", "raw", "trap", "64k");
    // A qemu-io that dies, or hangs, when it is asked to open the trap.
    const script = (reaction: string) =>
      `while printf 'qemu-io> ' && read -r line; do case "$line" in open*trap*) ${reaction};; ` +
      `map) echo '64 KiB (0x10000) bytes not allocated at offset 0 bytes (0x0)';; ` +
      `end-of-batch*) echo "command \\"$line\\" not found" >&2;; esac; done`;
    for (const [reaction, outcome] of [["kill -ABRT $$", "crashed"], ["sleep 20", "timed-out"]]) {
      const command = ["/bin/sh", "-c", script(reaction as string)];
      const session = new QemuIoSession({ command, timeoutMs: 2000 });
      try {
        const disk = { path: `${directory}/disk`, format: "qcow2" };
        assertEquals((await session.map(disk)).outcome, "accepted");
        const trap = await session.map({ path: `${directory}/trap`, format: "raw" });
        assertEquals(trap.outcome, outcome as typeof trap.outcome);
        assertEquals((await session.map(disk)).outcome, "accepted");
      } finally {
        await session.close();
      }
    }
  },
);
