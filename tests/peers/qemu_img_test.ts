import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { QemuImgPeer } from "../../src/peers/mod.ts";
import { make } from "./tools.ts";
import { liveTest, QEMU } from "../live.ts";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

liveTest({ needs: QEMU }, "QemuImgPeer answers about a small image", async (directory) => {
  await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "disk", "1M");
  await make(directory, "qemu-io", "-c", "write -q -P 7 64k 64k", "disk");
  const peer = new QemuImgPeer();
  const subject = { path: "disk", directory };
  assertEquals(await peer.probe(subject), { outcome: "accepted", value: { format: "qcow2" } });
  const info = await peer.info(subject);
  assertEquals(info.outcome === "accepted" && info.value["virtual-size"], 1048576);
  const map = await peer.map(subject);
  assertEquals(
    map.outcome === "accepted" &&
      map.value.map(({ start, length, data }) => [start, length, data]),
    [[0, 65536, false], [65536, 65536, true], [131072, 917504, false]],
  );
  const check = await peer.check(subject);
  assertEquals(check.outcome === "accepted" && check.value.exitCode, 0);
  assertEquals(check.outcome === "accepted" && check.value.counts?.allocatedClusters, 1);
  const content = new Uint8Array(1048576).fill(7, 65536, 131072);
  assertEquals(await peer.digest(subject), {
    outcome: "accepted",
    value: { sha256: sha256(content), length: 1048576 },
  });
});

liveTest(
  { needs: QEMU },
  "QemuImgPeer digests a snapshot or a range, but not both",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "disk", "8k");
    await make(directory, "qemu-io", "-c", "write -q -P 1 0 8k", "disk");
    await make(directory, "qemu-img", "snapshot", "-c", "before", "disk");
    await make(directory, "qemu-io", "-c", "write -q -P 2 4k 4k", "disk");
    const peer = new QemuImgPeer();
    const subject = { path: "disk", directory };
    const snapshot = await peer.digest(subject, { snapshot: "before" });
    const ones = sha256(new Uint8Array(8192).fill(1));
    assertEquals(snapshot, { outcome: "accepted", value: { sha256: ones, length: 8192 } });
    const part = sha256(new Uint8Array(1024).fill(1, 0, 512).fill(2, 512));
    assertEquals(await peer.digest(subject, { range: { start: 3584, length: 1024 } }), {
      outcome: "accepted",
      value: { sha256: part, length: 1024 },
    });
    const both = { snapshot: "before", range: { start: 0, length: 512 } };
    assertEquals((await peer.digest(subject, both)).outcome, "unsupported");
  },
);

liveTest(
  { needs: QEMU },
  "QemuImgPeer digests content up to its limit and no longer",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "disk", "4k");
    const subject = { path: "disk", directory };
    assertEquals(
      (await new QemuImgPeer({ digestLimit: 4096 }).digest(subject)).outcome,
      "accepted",
    );
    const short = await new QemuImgPeer({ digestLimit: 4095 }).digest(subject);
    assertEquals(short.outcome, "unsupported");
  },
);

liveTest(
  { needs: QEMU },
  "QemuImgPeer accepts names that QEMU or a command line would misread",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "disk", "8k");
    const bytes = Deno.readFileSync(`${directory}/disk`);
    const names = ["-f", "--help", "a:b", "nbd:x:1", 'json:{"driver":"null-co"}', "a b,c=d", "ü\n"];
    const peer = new QemuImgPeer();
    for (const path of names) {
      Deno.writeFileSync(`${directory}/${path}`, bytes);
      const subject = { path, directory };
      assertEquals((await peer.info(subject)).outcome, "accepted", path);
      assertEquals((await peer.map(subject)).outcome, "accepted", path);
      assertEquals((await peer.check(subject)).outcome, "accepted", path);
      assertEquals((await peer.digest(subject)).outcome, "accepted", path);
      const range = { start: 512, length: 512 };
      assertEquals((await peer.digest(subject, { range })).outcome, "accepted", path);
    }
  },
);

liveTest(
  { needs: QEMU },
  "QemuImgPeer.check() distinguishes corruption, leaks, a missing checker and a rejected image",
  async (directory) => {
    const make4k = async (name: string, ...commands: string[]) => {
      const options = ["-o", "cluster_size=4k", name, "16k"];
      await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", ...options);
      await make(directory, "qemu-io", "-c", "write -q 0 4k", name);
      const all = commands.flatMap((command) => ["-c", command]);
      await make(directory, "qemu-io", "-f", "raw", ...all, name);
    };
    // Clusters: header, refcount table, refcount block, L1 table, L2 table, data.
    await make4k("corrupt", "write -q -P 0 8k 4k");
    await make4k("leak", "write -q -P 0 12k 4k");
    await make4k("refused", "write -q -P 9 7 1");
    await make(directory, "qemu-img", "create", "-q", "-f", "raw", "raw", "4k");
    const peer = new QemuImgPeer();
    const statuses = [];
    for (const path of ["corrupt", "leak", "raw", "refused"]) {
      const check = await peer.check({ path, directory });
      statuses.push(check.outcome === "accepted" ? check.value.exitCode : check.outcome);
    }
    assertEquals(statuses, [2, 3, 63, "rejected"]);
  },
);

liveTest(
  { needs: QEMU },
  "QemuImgPeer reports the tool's message when an image is rejected",
  async (directory) => {
    const missing = await new QemuImgPeer().info({ path: "missing", directory });
    assertEquals(missing.outcome, "rejected");
    assertStringIncludes("message" in missing ? missing.message : "", "Could not open 'missing'");
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "QemuImgPeer tells a time-out and a crash from a rejection",
  async (directory) => {
    const slow = new QemuImgPeer({ command: ["/bin/sh", "-c", "sleep 20"], timeoutMs: 100 });
    assertEquals((await slow.info({ path: "x", directory })).outcome, "timed-out");
    const crashing = new QemuImgPeer({ command: ["/bin/sh", "-c", "kill -ABRT $$"] });
    assertEquals((await crashing.map({ path: "x", directory })).outcome, "crashed");
  },
);

liveTest({ needs: ["qemu-img"] }, "QemuImgPeer tells its version", async () => {
  const { name, version } = await new QemuImgPeer().describe();
  assertEquals(name, "qemu-img");
  assertEquals(/^\d+\.\d+\.\d+$/.test(version), true);
});
