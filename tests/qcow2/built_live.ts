/**
 * Compares a built qcow2 image with qemu-img: what `check`, `info` and `convert` say of the files, and
 * what the model says.
 */
import { assert, assertEquals } from "@std/assert";
import { type BuiltImage, laidOver, patternBytes, type View } from "../../src/format/mod.ts";
import { buildQcow2, guestContent } from "../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/model.ts";
import { run } from "../qcow1/live.ts";

/** Disks up to this size are compared as a whole. */
const WHOLE_MAX = 16 << 20;
/** Bytes at either end of a cluster of a larger disk that are compared. */
const SAMPLE = 2048;
const BACKING_PATTERN = { kind: "noise", seed: 77 } as const;
const BACKING_SIZE = 200_192;

async function ask(
  tool: string,
  args: readonly string[],
  cwd: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await run([tool, ...args], { cwd });
  return { code, stdout: new TextDecoder().decode(stdout), stderr };
}

/** Writes a built image, leaving holes where it has no bytes. */
export function writeBuilt(path: string, { segments, size }: BuiltImage): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  file.truncateSync(size);
  for (const { offset, bytes } of segments) {
    assert(offset + bytes.length <= size, `a segment at ${offset} ends past ${size}`);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  }
}

/**
 * Builds a model in an empty directory, asks qemu-img about it, and throws where the two differ.
 *
 * @param model as `normaliseQcow2` gives it
 */
export async function assertQemuAgrees(model: Qcow2Model, directory: string): Promise<void> {
  const { image, dataFile } = buildQcow2(model);
  writeBuilt(`${directory}/image`, image);
  if (dataFile !== undefined) writeBuilt(`${directory}/${model.dataFile?.name}`, dataFile);
  if (model.backing !== undefined) {
    const bytes = patternBytes(BACKING_PATTERN, BACKING_SIZE);
    await Deno.writeFile(`${directory}/${model.backing.name}`, bytes);
  }
  await assertCheck(model, directory);
  await assertInfo(model, directory);
  await assertContent(model, { directory, view: "active" });
  for (const view of model.snapshots.keys()) await assertContent(model, { directory, view });
}

async function assertCheck(model: Qcow2Model, directory: string): Promise<void> {
  const { code, stdout, stderr } = await ask(
    "qemu-img",
    ["check", "-f", "qcow2", "--output", "json", "image"],
    directory,
  );
  const { leaks } = model.placement;
  assertEquals(code, leaks > 0 ? 3 : 0, `check: ${stdout}${stderr}`);
  const report = JSON.parse(stdout);
  assertEquals(report.leaks ?? 0, leaks);
  assertEquals(report.corruptions ?? 0, 0);
  assertEquals(report["check-errors"], 0);
  const kinds = model.clusters.map(({ kind }) => kind);
  const compressed = kinds.filter((kind) => kind === "compressed").length;
  assertEquals(report["compressed-clusters"] ?? 0, compressed, "compressed clusters");
}

async function assertInfo(model: Qcow2Model, directory: string): Promise<void> {
  const { code, stdout, stderr } = await ask(
    "qemu-img",
    ["info", "-f", "qcow2", "--output", "json", "image"],
    directory,
  );
  assertEquals(code, 0, stderr);
  // The sizes and clocks of the models in use are exact in a number, or compared as text.
  const info = JSON.parse(stdout);
  assertEquals(info["virtual-size"], Number(model.size - model.size % 512n));
  assertEquals(info["cluster-size"], 2 ** model.clusterBits);
  assertEquals(info["dirty-flag"], model.dirty);
  assertEquals(info["backing-filename"], model.backing?.name);
  assertEquals(info["backing-filename-format"], model.backing?.format || undefined);
  const v3 = model.version === 3;
  assertEquals(
    { ...info["format-specific"].data, bitmaps: undefined },
    {
      compat: v3 ? "1.1" : "0.10",
      "compression-type": model.compression === "zstd" ? "zstd" : "zlib",
      "refcount-bits": 2 ** model.refcountOrder,
      ...(v3
        ? {
          "lazy-refcounts": model.lazyRefcounts,
          corrupt: model.corrupt,
          "extended-l2": model.extendedL2,
        }
        : {}),
      ...(model.dataFile === undefined
        ? {}
        : { "data-file": model.dataFile.name, "data-file-raw": model.dataFile.raw }),
      bitmaps: undefined,
    },
  );
  assertEquals(
    info["format-specific"].data.bitmaps ?? [],
    model.bitmaps.map(({ name, granularityBits, auto, inUse }) => ({
      flags: [...(inUse ? ["in-use"] : []), ...(auto ? ["auto"] : [])],
      name,
      granularity: 2 ** granularityBits,
    })),
  );
  assertEquals(
    (info.snapshots ?? []).map((snapshot: Record<string, unknown>) => ({
      id: snapshot["id"],
      name: snapshot["name"],
      state: snapshot["vm-state-size"],
      date: snapshot["date-sec"],
    })),
    model.snapshots.map(({ id, name, vmState, dateSec }) => ({
      id,
      name,
      state: vmState.length * 2 ** model.clusterBits,
      date: dateSec,
    })),
  );
}

async function assertContent(
  model: Qcow2Model,
  { directory, view }: { directory: string; view: View },
): Promise<void> {
  const content = guestContent(model, view);
  const whole = content.virtualSize <= WHOLE_MAX;
  if (whole || view !== "active") {
    const id = view === "active" ? undefined : model.snapshots[view]?.id.replaceAll(",", ",,");
    const { code, stderr } = await ask("qemu-img", [
      "convert",
      ...(id === undefined ? [] : ["-l", `snapshot.id=${id}`]),
      ...["-f", "qcow2", "-O", whole ? "raw" : "qcow2", "image", "converted"],
    ], directory);
    assertEquals(code, 0, `convert of ${view}: ${stderr}`);
  }
  const backing = model.backing === undefined
    ? new Uint8Array(0)
    : patternBytes(BACKING_PATTERN, BACKING_SIZE);
  const expected = (index: number): Uint8Array => {
    const seen = content.at(index);
    const below = new Uint8Array(seen.bytes.length);
    const from = index * content.clusterSize;
    below.set(backing.subarray(from, from + below.length));
    return laidOver(seen, below, content.clusterSize);
  };
  if (whole) {
    const read = await Deno.readFile(`${directory}/converted`);
    assertEquals(read.length, content.virtualSize);
    for (let index = 0; index * content.clusterSize < content.virtualSize; index++) {
      const from = index * content.clusterSize;
      assertSame(read.subarray(from, from + content.clusterSize), expected(index), { view, index });
    }
    return;
  }
  const path = view === "active" ? "image" : "converted";
  const samples = samplesOf(content.named, content);
  const read = await readPieces(path, samples, { directory, clusterSize: content.clusterSize });
  samples.forEach(({ index, from, length }, i) => {
    assertSame(read[i] as Uint8Array, expected(index).subarray(from, from + length), {
      view,
      index,
    });
  });
}

function assertSame(
  actual: Uint8Array,
  expected: Uint8Array,
  place: { view: View; index: number },
): void {
  assertEquals(actual.length, expected.length, `length of guest cluster ${place.index}`);
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  if (at < 0) return;
  throw new Error(
    `guest cluster ${place.index} of view ${place.view} differs at byte ${at}: ` +
      `qemu-img reads ${actual.slice(at, at + 16)}, the model has ${expected.slice(at, at + 16)}`,
  );
}

interface Piece {
  readonly index: number;
  readonly from: number;
  readonly length: number;
}

/** Both ends of the clusters that are something, of their neighbours, and of the disk's ends. */
function samplesOf(
  named: readonly number[],
  { clusterSize, virtualSize }: { clusterSize: number; virtualSize: number },
): Piece[] {
  const last = Math.ceil(virtualSize / clusterSize) - 1;
  const indices = new Set([0, last, ...named.flatMap((index) => [index - 1, index, index + 1])]);
  return [...indices].filter((index) => index >= 0 && index <= last).flatMap((index) => {
    const end = Math.min(clusterSize, virtualSize - index * clusterSize);
    const length = Math.min(SAMPLE, end);
    return [{ index, from: 0, length }, { index, from: end - length, length }];
  });
}

/** Reads pieces of a qcow2 image with one run of qemu-io. */
async function readPieces(
  path: string,
  pieces: readonly Piece[],
  { directory, clusterSize }: { directory: string; clusterSize: number },
): Promise<Uint8Array[]> {
  const commands = pieces.flatMap(({ index, from, length }) => [
    "-c",
    `read -v ${BigInt(index) * BigInt(clusterSize) + BigInt(from)} ${length}`,
  ]);
  const { code, stdout, stderr } = await ask(
    "qemu-io",
    ["-r", "-f", "qcow2", ...commands, path],
    directory,
  );
  assertEquals(code, 0, `qemu-io: ${stderr}`);
  const read: Uint8Array[] = [];
  let bytes: number[] = [];
  for (const line of stdout.split("\n")) {
    const dump = /^[0-9a-f]{8,}: {2}((?:[0-9a-f]{2} )+)/.exec(line)?.[1];
    if (dump !== undefined) {
      for (const byte of dump.trim().split(" ")) bytes.push(parseInt(byte, 16));
    }
    if (line.startsWith("read ")) {
      read.push(Uint8Array.from(bytes));
      bytes = [];
    }
  }
  return read;
}
