/**
 * The reference as an adapter that works on several requests at a time, with a planted mistake if one is
 * named. Requests go on in turns, sector by sector; who has the next turn is drawn.
 */

import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { ImageEditor } from "../../../src/format/mod.ts";
import { type EditedImage, editImage } from "../../../src/image/edit/mod.ts";
import { layersOf, readContent } from "../../../src/image/mod.ts";

/** A request of docs/adapter.md. */
interface Request {
  readonly id: string;
  readonly operation: string;
  readonly image: string;
  readonly format?: string;
  readonly offset?: string;
  readonly length?: string;
  readonly data?: string;
}

const SECTOR = 512;
/** The unit of the writer that reads, waits, and writes. */
const BLOCK = 4096;
/** Requests stop for a turn after so many bytes. */
const PIECE = 16 * 1024;

const [mistake = "none"] = Deno.args;
let open: { readonly path: string; readonly image: EditedImage } | undefined;
let cached = new Map<number, Uint8Array>();

/** Writes that were answered and are not done yet. */
const late: (() => Promise<void>)[] = [];
const LATE_MAX = 2;
const waiting: (() => void)[] = [];
let dice = 1;

/** Waits for the next turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    setImmediate(() => {
      dice = (dice * 1103515245 + 12345) % 2 ** 31;
      const [next] = waiting.splice((dice >> 8) % waiting.length, 1);
      next?.();
    });
  });
}

function imageOf({ image: path, format }: Request): { image: EditedImage; editor: ImageEditor } {
  if (open?.path !== path) close();
  open ??= { path, image: editImage(path, format === undefined ? {} : { format }) };
  const { image } = open;
  if (image.editor === undefined) throw new Error("no editor");
  return { image, editor: image.editor };
}

function close(): void {
  const closing = open?.image;
  open = undefined;
  cached = new Map();
  closing?.finish();
  closing?.close();
}

function contentOf(request: Request, at: number, length: number): Uint8Array {
  const { image, editor } = imageOf(request);
  return readContent([editor.layer, ...layersOf(image).slice(1)], at, length);
}

/** The parts of a range that end at multiples of a unit. */
function* pieces(at: number, length: number, unit: number): Generator<[number, number]> {
  for (let from = at; from < at + length;) {
    const to = Math.min(at + length, (Math.floor(from / unit) + 1) * unit);
    yield [from, to];
    from = to;
  }
}

async function write(request: Request, at: number, bytes: Uint8Array): Promise<void> {
  const { editor } = imageOf(request);
  if (mistake === "a block is read, and written later") {
    const size = editor.layer.virtualSize;
    for (const [from, to] of pieces(at, bytes.length, BLOCK)) {
      const start = Math.floor(from / BLOCK) * BLOCK;
      const block = contentOf(request, start, Math.min(BLOCK, size - start));
      await turn();
      block.set(bytes.subarray(from - at, to - at), from - start);
      editor.write(start, block);
    }
    return;
  }
  const unit = mistake === "sectors are torn" ? SECTOR / 2 : PIECE;
  for (const [from, to] of pieces(at, bytes.length, unit)) {
    await turn();
    editor.write(from, bytes.subarray(from - at, to - at));
  }
}

async function read(request: Request, at: number, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const [from, to] of pieces(at, length, SECTOR * 8)) {
    await turn();
    const found = contentOf(request, from, to - from);
    if (mistake === "reads are stale") {
      const old = cached.get(from);
      if (old?.length === found.length) found.set(old);
      cached.set(from, found);
    }
    parts.push(found);
  }
  return Buffer.concat(parts);
}

async function work(request: Request): Promise<unknown> {
  const { operation, offset = "0", length = "0", data = "" } = request;
  const [at, count] = [Number(offset), Number(length)];
  switch (operation) {
    case "hello":
      return {
        protocol: 1,
        name: "reference",
        version: "0",
        formats: ["raw", "qcow2"],
        operations: ["read", "write", "write-zeroes", "discard", "flush", "close"],
        concurrent: 8,
      };
    case "read":
      return { data: Buffer.from(await read(request, at, count)).toString("base64") };
    case "write": {
      const writing = () => write(request, at, Buffer.from(data, "base64"));
      if (mistake !== "writes are answered early") await writing();
      else if (late.push(writing) > LATE_MAX) late.shift()?.();
      return {};
    }
    case "write-zeroes":
      await turn();
      imageOf(request).editor.writeZeroes(at, count);
      return {};
    case "discard":
      await turn();
      imageOf(request).editor.discard(at, count);
      return {};
    case "flush":
      await turn();
      imageOf(request).editor.flush();
      return {};
    default:
      while (late.length > 0) await late.shift()?.();
      close();
      return {};
  }
}

async function answer(request: Request): Promise<void> {
  const reply = await work(request).then(
    (ok) => ({ ok }),
    (error) => ({ crashed: error instanceof Error ? error.stack ?? error.message : `${error}` }),
  );
  const line = JSON.stringify({ id: request.id, ...reply });
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

let text = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (text + chunk).split("\n");
  text = lines.pop() ?? "";
  for (const line of lines) answer(JSON.parse(line) as Request);
}
