/** Images that qemu-img and qemu-io make: read to the byte, and without a finding. */

import { assert, assertEquals } from "@std/assert";
import { FileSource, SegmentSource } from "../../src/bytes/mod.ts";
import { type Pattern, patternBytes } from "../../src/format/mod.ts";
import { compareMap } from "../../src/peers/mod.ts";
import { mapOf, run, succeed } from "./live.ts";
import { openQcow, predictMap, readGuest } from "./ours.ts";
import { buildQcow1 } from "../../src/qcow1/mod.ts";
import { AS_QEMU, modelOf } from "./images.ts";
import { liveTest, QEMU } from "../live.ts";

/** A write by qemu-io of bytes that are all the same. */
interface Write {
  readonly offset: number;
  readonly length: number;
  readonly value: number;
}

async function qemuWrites(path: string, writes: readonly Write[]): Promise<void> {
  const commands = writes.flatMap(({ offset, length, value }) => [
    "-c",
    `write -P ${value} ${offset} ${length}`,
  ]);
  await succeed(["qemu-io", "-f", "qcow", ...commands, path]);
}

/** Opens a file that qemu wrote, which must be valid, and passes it to `use`. */
async function withImage(
  path: string,
  use: (opened: ReturnType<typeof openQcow>) => void | Promise<void>,
): Promise<void> {
  const source = new FileSource(path);
  try {
    const opened = openQcow(source);
    assertEquals(opened.all.list(), []);
    await use(opened);
  } finally {
    source.close();
  }
}

/** The layer must read `content`, and its map must be what qemu-img prints. */
async function mustRead(path: string, content: Uint8Array): Promise<void> {
  const version = /version (\S+)/.exec(await succeed(["qemu-img", "--version"]))?.[1] ?? "";
  await withImage(path, async ({ layer }) => {
    assert(layer !== undefined);
    assertEquals(layer.virtualSize, content.length);
    const read = readGuest(layer, { offset: 0, length: content.length });
    assert(read instanceof Uint8Array);
    assertEquals(read.findIndex((byte, index) => byte !== content[index]), -1);
    const { entries } = predictMap(layer, version);
    assertEquals(compareMap(entries, (await mapOf(path)).entries, { version }), []);
  });
}

/**
 * Compresses a raw file. qemu-img writes the whole image and then fails without a word: the empty write
 * with which it ends (qemu-img.c, convert_do_copy) is one that qcow does not take
 * (qcow_co_pwritev_compressed).
 */
async function qemuCompresses(raw: string, path: string): Promise<void> {
  const command = ["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow", raw, path];
  assertEquals((await run(command)).stderr, "");
}

/** Zeros with the writes put in. */
function written(size: number, writes: readonly Write[]): Uint8Array {
  const content = new Uint8Array(size);
  for (const { offset, length, value } of writes) content.fill(value, offset, offset + length);
  return content;
}

liveTest({ needs: QEMU }, "a new image is empty and breaks no rule", async (directory) => {
  for (const size of [512, 4096, 1_000_000_000, 2 ** 40]) {
    const path = `${directory}/image`;
    await succeed(["qemu-img", "create", "-q", "-f", "qcow", path, String(size)]);
    await withImage(path, ({ layer }) => {
      assert(layer !== undefined);
      assertEquals(layer.virtualSize, Math.ceil(size / 512) * 512);
      assertEquals([...layer.runs(0, layer.virtualSize)], [
        { start: 0, length: layer.virtualSize, kind: "unallocated" },
      ]);
      assertEquals(layer.info(), { "cluster-size": 4096, "dirty-flag": false });
    });
  }
});

liveTest({ needs: QEMU }, "what qemu-io writes is read back", async (directory) => {
  const path = `${directory}/image`;
  const size = 5 * 2 ** 20 + 1536;
  const writes = [
    { offset: 0, length: 512, value: 1 },
    { offset: 8192, length: 12288, value: 2 },
    { offset: 4 * 2 ** 20, length: 4096, value: 3 },
    { offset: 2 ** 21 - 512, length: 1024, value: 4 },
    { offset: size - 512, length: 512, value: 5 },
  ];
  await succeed(["qemu-img", "create", "-q", "-f", "qcow", path, String(size)]);
  await qemuWrites(path, writes);
  await mustRead(path, written(size, writes));
});

liveTest({ needs: QEMU }, "what qemu-img convert -c compresses is read back", async (directory) => {
  const kinds: Pattern["kind"][] = ["text", "noise", "zero", "ramp", "fill"];
  const content = new Uint8Array(300_032);
  for (let at = 0; at < content.length; at += 10_000) {
    const kind = kinds[(at / 10_000) % kinds.length] ?? "zero";
    content.set(patternBytes({ kind, seed: at }, Math.min(10_000, content.length - at)), at);
  }
  const [raw, path] = [`${directory}/raw`, `${directory}/image`];
  await Deno.writeFile(raw, content);
  await qemuCompresses(raw, path);
  await mustRead(path, content);
  await withImage(path, ({ layer }) => {
    const sorts = [...layer?.runs(0, content.length) ?? []].map(({ kind }) => kind);
    assertEquals(new Set(sorts), new Set(["compressed", "data", "unallocated"]));
  });
  // A compressed cluster of which part is overwritten becomes one of data.
  await qemuWrites(path, [{ offset: 512, length: 512, value: 9 }]);
  content.fill(9, 512, 1024);
  await mustRead(path, content);
});

liveTest(
  { needs: QEMU },
  "an image with a backing file names it and holds what was written",
  async (directory) => {
    const path = `${directory}/image`;
    await Deno.writeFile(`${directory}/base.raw`, new Uint8Array(2 ** 20).fill(0x55));
    await succeed([
      ...["qemu-img", "create", "-q", "-f", "qcow", "-b", "base.raw", "-F", "raw"],
      path,
    ]);
    await qemuWrites(path, [{ offset: 5120, length: 1024, value: 6 }]);
    await withImage(path, ({ layer }) => {
      assert(layer !== undefined);
      assertEquals(layer.backing, { name: "base.raw" });
      assertEquals(layer.clusterSize, 512);
      const runs = [...layer.runs(0, layer.virtualSize)];
      assertEquals(runs.map(({ start, length, kind }) => [start, length, kind]), [
        [0, 5120, "unallocated"],
        [5120, 1024, "data"],
        [6144, 2 ** 20 - 6144, "unallocated"],
      ]);
      const content = readGuest(layer, { offset: 5120, length: 1024 });
      assertEquals(content, new Uint8Array(1024).fill(6));
    });
  },
);

liveTest(
  { needs: QEMU },
  "an encrypted image is recognised, and its content needs the key",
  async (directory) => {
    const path = `${directory}/image`;
    const secret = ["--object", "secret,id=key,data=12345678"];
    await succeed([
      ...["qemu-img", "create", "-q", "-f", "qcow", ...secret],
      ...["-o", "encrypt.format=aes,encrypt.key-secret=key", path, "64k"],
    ]);
    const image = `driver=qcow,encrypt.key-secret=key,file.filename=${path}`;
    await succeed(["qemu-io", ...secret, "-c", "write -P 1 0 4096", "--image-opts", image]);
    const source = new FileSource(path);
    const { findings, layer } = openQcow(source);
    assertEquals(findings.rules(), ["qcow1.crypt.key-present"]);
    assert(findings.refusal("info") === undefined && findings.refusal("read") !== undefined);
    assert(layer?.encrypted && layer.info().encrypted);
    const [first] = layer.runs(0, 65536);
    assertEquals(first, { start: 0, length: 4096, kind: "data" });
    const read = readGuest(layer, { offset: 0, length: 512 });
    assert(read instanceof Error && read.broken.rule === "qcow1.crypt.key-present");
    source.close();
    assertEquals((await run(["qemu-img", "map", "-f", "qcow", path])).code, 1);
  },
);

liveTest({ needs: QEMU }, "buildQcow1() writes the bytes that qemu writes", async (directory) => {
  const path = `${directory}/image`;
  const model = modelOf({
    size: 2n ** 22n,
    clusters: [0, 1, 5, 600].map((index) => ({
      index,
      kind: "data",
      pattern: { kind: "fill", seed: index + 1 },
    })),
  });
  await succeed(["qemu-img", "create", "-q", "-f", "qcow", path, String(model.size)]);
  const writes = model.clusters.map(({ index, pattern: { seed } }) => ({
    offset: index * 4096,
    length: 4096,
    value: seed & 0xff,
  }));
  await qemuWrites(path, writes);
  const built = buildQcow1(model);
  const ours = new SegmentSource(built.segments, built.size).read(0, built.size);
  assertEquals(ours, await Deno.readFile(path));
});

liveTest(
  { needs: QEMU },
  "buildQcow1() compresses to the bytes that qemu writes",
  async (directory) => {
    const [raw, path] = [`${directory}/raw`, `${directory}/image`];
    const patterns: Pattern[] = [{ kind: "text", seed: 5 }, { kind: "ramp", seed: 6 }];
    await Deno.writeFile(
      raw,
      new Uint8Array(patterns.flatMap((pattern) => [
        ...patternBytes(pattern, 4096),
      ])),
    );
    await qemuCompresses(raw, path);
    const built = buildQcow1(modelOf({
      size: 8192n,
      clusters: patterns.map((pattern, index) => ({
        index,
        kind: "compressed",
        pattern,
        ...AS_QEMU,
      })),
    }));
    const ours = new SegmentSource(built.segments, built.size).read(0, built.size);
    assertEquals(ours, await Deno.readFile(path));
  },
);
