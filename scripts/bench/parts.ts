import * as fc from "fast-check";
import { chains } from "../../fuzz/formats/chain/mod.ts";
import { luks1 } from "../../fuzz/formats/luks1/mod.ts";
import { qcow2 } from "../../fuzz/formats/qcow2/mod.ts";
import { isNoise, open, type OpenCase, roundtrip } from "../../fuzz/targets/mod.ts";
import type { CaseReport, Target } from "../../fuzz/engine/mod.ts";
import { qcow2Models } from "../../fuzz/formats/mod.ts";
import { MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { pbkdf2 } from "../../src/crypto/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import { digestOf, layersOf, openImage } from "../../src/image/mod.ts";
import { createLuks1, decodeLuks1, type Luks1Model, unlock } from "../../src/luks1/mod.ts";
import { QemuIoSession, runTool } from "../../src/peers/mod.ts";
import { buildQcow2 } from "../../src/qcow2/build/mod.ts";
import { FORMATS, type Limit, runOperations } from "./operations.ts";
import type { Row } from "./row.ts";

const SECONDS = 4;
const MIB = 2 ** 20;
const DISK_MIB = 256;
const VOLUME_MIB = 128;
const UNLOCK_ITERATIONS = 1_000_000;
const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";

/** Cases a second of a property, drawn and run as a fuzz run does it, after a second to warm up. */
function rateOf<T>(cases: fc.Arbitrary<T>, run: (value: T) => unknown): number {
  let seed = 1;
  const runFor = (ms: number): number => {
    const started = performance.now();
    let count = 0;
    while (performance.now() - started < ms) {
      for (const value of fc.sample(cases, { numRuns: 100, seed: seed++ })) run(value);
      count += 100;
    }
    return count / ((performance.now() - started) / 1000);
  };
  runFor(1000);
  return runFor(SECONDS * 1000);
}

/** Images a second that a target looks at: a case may have several. */
function targetRate<T>(target: Target<T>, cases: fc.Arbitrary<T> = target.cases()): number {
  const context = { directory: "", tools: {} };
  let images = 0;
  let draws = 0;
  const rate = rateOf(cases, (value) => {
    const { more = [] } = target.run(value, context) as CaseReport;
    images += 1 + more.length;
    draws++;
  });
  return rate * images / draws;
}

/** Open, read and map through one qemu-io process: cases per second over images made in advance. */
async function qemuIoRate(directory: string): Promise<number> {
  const paths: string[] = [];
  const small = { clusterBitsMax: 12, limits: { l1Bytes: 512 } };
  const models = fc.sample(qcow2Models(small), { numRuns: 200, seed: 1 })
    .filter((model) => model.backing === undefined && model.dataFile === undefined);
  for (const [index, model] of models.entries()) {
    const { image } = buildQcow2(model);
    const bytes = new Uint8Array(image.size);
    for (const segment of image.segments) bytes.set(segment.bytes, segment.offset);
    paths.push(`${directory}/${index}.qcow2`);
    Deno.writeFileSync(paths.at(-1) as string, bytes);
  }
  const session = new QemuIoSession({ scratch: directory });
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < SECONDS * 1000) {
    await session.examine({
      path: paths[count % paths.length] as string,
      format: "qcow2",
      size: 65536,
    });
    count++;
  }
  const rate = count / ((performance.now() - started) / 1000);
  await session.close();
  return rate;
}

/** A half-filled disk in three forms; digest beside convert, in turn, the best of three each. */
async function digestRows(directory: string): Promise<Row[]> {
  const raw = `${directory}/disk.raw`;
  using file = Deno.openSync(raw, { write: true, create: true });
  file.truncateSync(DISK_MIB * MIB);
  for (let i = 0; i < DISK_MIB; i += 2) {
    const kind = i % 4 === 0 ? "text" : "noise";
    file.seekSync(i * MIB, Deno.SeekMode.Start);
    file.writeSync(patternBytes({ kind, seed: i }, MIB));
  }
  const rows: Row[] = [];
  for (const [name, options] of FORMS) {
    const image = `${directory}/${name}.qcow2`;
    await runTool(["qemu-img", "convert", "-O", "qcow2", ...options, raw, image], {
      timeoutMs: 120_000,
    });
    rows.push(await digestRow(name, image, `${directory}/out.raw`));
    Deno.removeSync(image);
  }
  return rows;
}

const FORMS: readonly (readonly [string, readonly string[]])[] = [
  ["plain", []],
  ["deflate", ["-c"]],
  ["zstd", ["-c", "-o", "compression_type=zstd"]],
];

async function digestRow(name: string, image: string, out: string): Promise<Row> {
  let ours = Infinity;
  let theirs = Infinity;
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    const opened = openImage(image);
    const layers = layersOf(opened);
    digestOf(layers, { from: 0, to: layers[0]?.virtualSize ?? 0 });
    opened.close();
    const between = performance.now();
    await runTool(["qemu-img", "convert", "-O", "raw", image, out], { timeoutMs: 120_000 });
    const ended = performance.now();
    ours = Math.min(ours, between - started);
    theirs = Math.min(theirs, ended - between);
  }
  return ratio(`digest of ${DISK_MIB} MiB half-filled, ${name}`, { ours, theirs, most: 3 });
}

/** Malformed LUKS volumes a second, which are opened with no passphrase: nothing is derived. */
function luksRate(): number {
  const target = open(luks1);
  const cases = target.cases().map((value): OpenCase<Luks1Model> =>
    isNoise(value) ? value : {
      ...value,
      variants: value.variants.map(({ edits }) => ({ edits, key: "none" as const })),
    }
  );
  return targetRate(target, cases);
}

/** A volume in AES-256-XTS: digest beside convert, and unlocking beside PBKDF2, the best of three. */
async function luksRows(directory: string): Promise<Row[]> {
  const passphrase = utf8("correct horse");
  const image = `${directory}/disk.luks`;
  const payload = patternBytes({ kind: "noise", seed: 2 }, VOLUME_MIB * MIB);
  // A key that is cheap to derive, so that only reading is measured.
  Deno.writeFileSync(image, headerOf(passphrase, 1));
  Deno.writeFileSync(image, payload, { append: true });
  Deno.writeFileSync(`${directory}/passphrase`, passphrase);
  const best = { digest: Infinity, convert: Infinity, unlock: Infinity, pbkdf2: Infinity };
  const clock = async (what: keyof typeof best, work: () => unknown): Promise<void> => {
    const started = performance.now();
    await work();
    best[what] = Math.min(best[what], performance.now() - started);
  };
  const keyMaterial = new MemorySource(headerOf(passphrase, UNLOCK_ITERATIONS));
  const header = decodeLuks1(keyMaterial);
  const { salt = payload, iterations = 1 } = header.slots[0] ?? {};
  for (let round = 0; round < 3; round++) {
    await clock("digest", () => {
      const opened = openImage(image, { passphrases: [passphrase] });
      const layers = layersOf(opened);
      digestOf(layers, { from: 0, to: layers[0]?.virtualSize ?? 0 });
      opened.close();
    });
    await clock("convert", () => runTool(convertCommand(directory, image), { timeoutMs: 120_000 }));
    await clock("unlock", () => unlock(header, { keyMaterial, passphrase }));
    await clock("pbkdf2", () => pbkdf2("sha256", passphrase, salt, iterations, header.key_bytes));
  }
  const { digest, convert, unlock: unlocked, pbkdf2: derived } = best;
  const slot = `unlocking a key slot of ${UNLOCK_ITERATIONS} iterations`;
  return [
    ratio(`digest of ${VOLUME_MIB} MiB in AES-256-XTS`, { ours: digest, theirs: convert, most: 4 }),
    ratio(slot, { ours: unlocked, theirs: derived, most: 1.1 }),
  ];
}

/** Header and key material of a volume with one key. */
function headerOf(passphrase: Uint8Array, iterations: number): Uint8Array {
  const cipher = { cipher: "aes", keyBytes: 64, mode: "xts", ivGenerator: "plain64" };
  const key = { passphrase, iterations, digestIterations: 1 };
  const random = (length: number) => patternBytes({ kind: "noise", seed: 1 }, length);
  return createLuks1({ ...cipher, ...key, hash: "sha256", uuid: UUID, random }).header;
}

function convertCommand(directory: string, image: string): string[] {
  return [
    ...["qemu-img", "convert", "--object", `secret,id=key,file=${directory}/passphrase`],
    ...["--image-opts", `driver=luks,key-secret=key,file.filename=${image}`],
    ...["-O", "raw", `${directory}/out.raw`],
  ];
}

function ratio(
  what: string,
  { ours, theirs, most }: { readonly ours: number; readonly theirs: number; readonly most: number },
): Row {
  const detail = `${Math.round(ours)} ms beside ${Math.round(theirs)} ms`;
  return { what, value: ours / theirs, unit: "×", aim: { most }, detail };
}

function perSecond(what: string, value: number, least: number): Row {
  return { what, value, unit: "/s", aim: { least } };
}

/** The parts of a fuzz run in this process, and digest and unlocking beside qemu-img and PBKDF2. */
export async function partRows(directory: string): Promise<Row[]> {
  return [
    ...await operationRows({ ms: SECONDS * 1000 }),
    perSecond("generate and build", rateOf(qcow2Models(), buildQcow2), 500),
    perSecond("qcow2-open in this process", targetRate(open(qcow2)), 2000),
    perSecond("roundtrip in this process", targetRate(roundtrip(chains)), 300),
    perSecond("luks-open, images without a passphrase", luksRate(), 2000),
    perSecond("qemu-io open, read, map", await qemuIoRate(directory), 200),
    ...await digestRows(directory),
    ...await luksRows(directory),
  ];
}

/** Steps that change images in memory, per second on one core. */
export async function operationRows(limit: Limit): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [format, target] of FORMATS) {
    await runOperations(target, { ms: 1000 }, 2);
    const { steps, seconds } = await runOperations(target, limit);
    const row = perSecond(`steps on ${format} in memory`, steps / seconds, 2000);
    rows.push({ ...row, detail: `${steps} steps` });
  }
  return rows;
}
