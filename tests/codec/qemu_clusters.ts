/** Compressed clusters as qemu-io reads them: small images written by hand, one stream a cluster. */

import { runTool } from "../../src/peers/mod.ts";

/** The formats that carry compressed clusters. */
export type ClusterFormat = "qcow" | "qcow2" | "qcow2-zstd";

/** Streams that go into images of one format. */
export interface Question {
  readonly format: ClusterFormat;
  /** Log2 of the cluster size in bytes; 9 to 16. */
  readonly clusterBits: number;
  /** What the decoder sees of each cluster, to the byte; see {@link longestInput}. */
  readonly streams: readonly Uint8Array[];
}

/** The most bytes of a stream that the descriptor of a cluster can name. */
export function longestInput(format: ClusterFormat, clusterBits: number): number {
  return format === "qcow" ? 2 ** clusterBits - 1 : 2 ** (clusterBits + 1) - 511;
}

/** Where a stream is in the image. */
interface Placed {
  readonly offset: number;
  readonly stream: Uint8Array;
}

/** Which clusters an image is to name: the others are left unallocated. */
type Chosen = (index: number) => boolean;

/**
 * qcow version 1. Descriptor: bit 63, then the length in bytes in `clusterBits` bits, then the
 * offset. Every stream has an offset of its own, because QEMU keeps the last cluster by offset.
 */
function qcowImage(question: Question, chosen: Chosen): Uint8Array {
  const { clusterBits, streams } = question;
  const l2Bits = 9;
  const tables = Math.ceil(streams.length / 2 ** l2Bits);
  const l2At = 48 + 8 * tables;
  const placed = place(streams, { from: l2At + tables * 8 * 2 ** l2Bits, endOnSector: false });
  const image = new DataView(new ArrayBuffer(placed.end));
  image.setUint32(0, 0x514649fb);
  image.setUint32(4, 1);
  image.setBigUint64(24, BigInt(streams.length * 2 ** clusterBits));
  image.setUint8(32, clusterBits);
  image.setUint8(33, l2Bits);
  image.setBigUint64(40, 48n);
  for (let i = 0; i < tables; i++) {
    image.setBigUint64(48 + 8 * i, BigInt(l2At + i * 8 * 2 ** l2Bits));
  }
  placed.streams.forEach(({ offset, stream }, index) => {
    const length = BigInt(stream.length) << BigInt(63 - clusterBits);
    const entry = (1n << 63n) | length | BigInt(offset);
    if (chosen(index)) image.setBigUint64(l2At + 8 * index, entry);
  });
  return filled(image, placed.streams);
}

/**
 * qcow2 version 3. Descriptor: bit 62, then the number of further sectors, then the offset in
 * `70 - clusterBits` bits. The streams end on sectors, so that the decoder sees no byte more.
 */
function qcow2Image(question: Question, chosen: Chosen): Uint8Array {
  const { clusterBits, streams, format } = question;
  const clusterSize = 2 ** clusterBits;
  const tables = Math.ceil((8 * streams.length) / clusterSize);
  const l2At = clusterSize * (1 + Math.ceil((8 * tables) / clusterSize));
  const placed = place(streams, { from: l2At + tables * clusterSize, endOnSector: true });
  const image = new DataView(new ArrayBuffer(placed.end));
  image.setUint32(0, 0x514649fb);
  image.setUint32(4, 3);
  image.setUint32(20, clusterBits);
  image.setBigUint64(24, BigInt(streams.length * clusterSize));
  image.setUint32(36, tables);
  image.setBigUint64(40, BigInt(clusterSize));
  image.setBigUint64(48, BigInt(clusterSize));
  image.setUint32(56, 1);
  image.setBigUint64(72, format === "qcow2-zstd" ? 8n : 0n);
  image.setUint32(96, 4);
  image.setUint32(100, 112);
  image.setUint8(104, format === "qcow2-zstd" ? 1 : 0);
  for (let i = 0; i < tables; i++) {
    image.setBigUint64(clusterSize + 8 * i, BigInt(l2At + i * clusterSize));
  }
  placed.streams.forEach(({ offset, stream }, index) => {
    const sectors = Math.ceil((offset + stream.length) / 512) - Math.floor(offset / 512) - 1;
    const entry = (1n << 62n) | (BigInt(sectors) << BigInt(70 - clusterBits)) | BigInt(offset);
    if (chosen(index)) image.setBigUint64(l2At + 8 * index, entry);
  });
  return filled(image, placed.streams);
}

/** Offsets for the streams, one after the other, and the end of the image. */
function place(
  streams: readonly Uint8Array[],
  options: { from: number; endOnSector: boolean },
): { streams: Placed[]; end: number } {
  let end = options.from;
  const placed = streams.map((stream) => {
    end += stream.length;
    if (options.endOnSector) end = Math.ceil(end / 512) * 512;
    const offset = end - stream.length;
    // An empty stream takes a byte, to have an offset that no other has.
    end += stream.length === 0 ? 1 : 0;
    return { offset, stream };
  });
  return { streams: placed, end };
}

function filled(image: DataView<ArrayBuffer>, streams: readonly Placed[]): Uint8Array {
  const bytes = new Uint8Array(image.buffer);
  for (const { offset, stream } of streams) bytes.set(stream, offset);
  return bytes;
}

async function run(program: string, args: string[]): Promise<string> {
  const { stdout, stderr } = await runTool([program, ...args], { timeoutMs: 60_000 });
  return stdout + stderr;
}

/**
 * QEMU's result for each stream: the cluster, or `undefined` for EIO.
 *
 * qemu-io reads every cluster once, in order, and says which it can read; qemu-img then converts
 * an image with these alone. No cluster is read twice by one process, so that QEMU's cache of the
 * last cluster of a qcow image, which a failed read spoils, is never hit.
 */
export async function askQemu(question: Question): Promise<(Uint8Array | undefined)[]> {
  const clusterSize = 2 ** question.clusterBits;
  const makeImage = question.format === "qcow" ? qcowImage : qcow2Image;
  const format = question.format === "qcow" ? "qcow" : "qcow2";
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/all`, makeImage(question, () => true));
    const reads = question.streams.flatMap(
      (_, index) => ["-c", `read ${index * clusterSize} ${clusterSize}`],
    );
    const told = await run("qemu-io", ["-r", "-f", format, ...reads, `${folder}/all`]);
    const refusals = told.match(/^read failed: Input\/output error$/gm)?.length ?? 0;
    const readable = new Set(
      [...told.matchAll(/^read \d+\/\d+ bytes at offset (\d+)$/gm)].map(
        ([, offset]) => Number(offset) / clusterSize,
      ),
    );
    if (readable.size + refusals !== question.streams.length) {
      throw new Error(`Cannot understand qemu-io: ${told.slice(0, 500)}`);
    }
    await Deno.writeFile(`${folder}/good`, makeImage(question, (index) => readable.has(index)));
    const complaint = await run("qemu-img", [
      ...["convert", "-f", format, "-O", "raw"],
      ...[`${folder}/good`, `${folder}/raw`],
    ]);
    if (complaint !== "") throw new Error(`Cannot convert what qemu-io could read: ${complaint}`);
    const raw = await Deno.readFile(`${folder}/raw`);
    return question.streams.map((_, index) =>
      readable.has(index) ? raw.slice(index * clusterSize, (index + 1) * clusterSize) : undefined
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The streams that `qemu-img convert -c` writes for some content, cluster by cluster, up to the end
 * of their last sectors; `undefined` for a cluster that is not compressed.
 */
export async function compressedByQemu(
  content: Uint8Array,
  clusterBits: number,
): Promise<(Uint8Array | undefined)[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/raw`, content);
    const complaint = await run("qemu-img", [
      ...["convert", "-c", "-f", "raw", "-O", "qcow2", "-o", `cluster_size=${2 ** clusterBits}`],
      ...[`${folder}/raw`, `${folder}/qcow2`],
    ]);
    if (complaint !== "") throw new Error(`Cannot compress with qemu-img: ${complaint}`);
    return firstStreams(await Deno.readFile(`${folder}/qcow2`), {
      clusterBits,
      count: Math.ceil(content.length / 2 ** clusterBits),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The compressed clusters that the first L2 table of a qcow2 image names. */
function firstStreams(
  image: Uint8Array,
  options: { readonly clusterBits: number; readonly count: number },
): (Uint8Array | undefined)[] {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const l1At = Number(view.getBigUint64(40));
  const l2At = Number(view.getBigUint64(l1At) & 0xfffffffffffe00n);
  const offsetBits = BigInt(70 - options.clusterBits);
  return Array.from({ length: options.count }, (_, index) => {
    const entry = view.getBigUint64(l2At + 8 * index);
    if ((entry & (1n << 62n)) === 0n) return undefined;
    const offset = Number(BigInt.asUintN(Number(offsetBits), entry));
    const sectors = Number((entry & ((1n << 62n) - 1n)) >> offsetBits) + 1;
    return image.subarray(offset, (Math.floor(offset / 512) + sectors) * 512);
  });
}
