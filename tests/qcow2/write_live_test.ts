import { patternBytes } from "../../src/format/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import { assertContent } from "../editing.ts";
import { liveTest, QEMU } from "../live.ts";
import { succeed } from "../qcow1/live.ts";
import { data, extended, parts, plain, snapshot, text, v2, zero } from "./built_parts.ts";
import { luks } from "./encrypted_models.ts";
import { openWritten, type Written } from "./written.ts";

const shared = [data(0), text(1), zero(2), zero(3, true), data(9)];
const models: Record<string, Qcow2Model> = {
  "a snapshot": {
    ...plain,
    clusters: shared,
    snapshots: [snapshot("1", { shared: [0, 1, 3, 9] })],
  },
  "version 2 over a backing file": {
    ...v2,
    backing: { name: "b", format: "raw" },
    clusters: shared.slice(0, 2),
  },
  "subclusters over a backing file": {
    ...extended,
    backing: { name: "b", format: "raw" },
    clusters: [parts(0, { allocated: 0xf0f0, zero: 0xf0f }), text(1), zero(2)],
  },
  "zstd, and refcounts of one bit": {
    ...plain,
    compression: "zstd",
    refcountOrder: 0,
    clusters: shared,
  },
  "a dirty image": { ...plain, dirty: true, lazyRefcounts: true, clusters: shared },
  "a raw data file": { ...plain, dataFile: { name: "d", raw: true }, clusters: [data(3)] },
  "LUKS": { ...plain, encryption: luks, clusters: [data(3)] },
};

for (const [name, model] of Object.entries(models)) {
  liveTest(
    { needs: QEMU },
    `an image that is changed here and by qemu-io in turns has the content of both: ${name}`,
    (directory) => takeTurns(model, directory),
  );
}

/** Changes an image here, lets qemu-img check it, and lets qemu-io change it. */
async function takeTurns(model: Qcow2Model, directory: string): Promise<void> {
  const written = openWritten(model);
  if (written === undefined) throw new Error("The image cannot be written to");
  const unit = 2 ** model.clusterBits;
  change(written, unit);
  const { editor, expected } = written;
  await store(written, directory);
  const secret = ["--object", "secret,id=s,file=secret"];
  const key = model.encryption === undefined ? "" : ",encrypt.key-secret=s";
  const image = [...secret, "--image-opts", `driver=qcow2,file.filename=image${key}`];
  const run = (command: string[]): Promise<string> => succeed(command, { cwd: directory });
  await run(["qemu-img", "check", ...image]);
  await run(["qemu-io", ...image, "-c", `write -P 9 ${2 * unit} ${3 * unit}`]);
  expected.write(2 * unit, new Uint8Array(3 * unit).fill(9));
  await run(["qemu-img", "check", ...image]);
  await run(["qemu-img", "convert", ...image, "-O", "raw", "out"]);
  const wanted = expected.read(0, editor.layer.virtualSize);
  assertContent(await Deno.readFile(`${directory}/out`), wanted);
}

/** Changes of every kind. */
function change({ model, editor, expected }: Written, unit: number): void {
  const noise = patternBytes({ kind: "noise", seed: 3 }, 4 * unit);
  const write = (at: number, bytes: Uint8Array): void => {
    editor.write(at, bytes);
    expected.write(at, bytes);
  };
  const zeros = (at: number, length: number, unmap = false): void => {
    editor.writeZeroes(at, length, { unmap });
    expected.write(at, new Uint8Array(length));
  };
  write(unit / 2, noise.subarray(0, unit));
  write(4 * unit + 100, noise.subarray(0, 2 * unit));
  if (model.dataFile === undefined && model.encryption === undefined) {
    editor.writeCompressed?.(7 * unit, new Uint8Array(2 * unit).fill(7));
    expected.write(7 * unit, new Uint8Array(2 * unit).fill(7));
  }
  zeros(3 * unit - 50, unit);
  zeros(unit * 9, unit, true);
  write(unit * 9 + 512, noise.subarray(0, 512));
  editor.close();
}

/** Stores an image with its other files. */
async function store(written: Written, directory: string): Promise<void> {
  const files = { image: written.store, d: written.dataFile, b: written.below };
  for (const [name, source] of Object.entries(files)) {
    if (source === undefined) continue;
    await Deno.writeFile(`${directory}/${name}`, source.read(0, source.size));
  }
  await Deno.writeTextFile(`${directory}/secret`, luks.keys[0]?.passphrase ?? "");
}
