/** The reference as an adapter that changes images, with a planted mistake if one is named. */

import { Buffer } from "node:buffer";
import { EditError, fileBytes, type ImageEditor } from "../../../src/format/mod.ts";
import { type EditedImage, editImage } from "../../../src/image/edit/mod.ts";
import { buildQcow2, plainQcow2 } from "../../../src/qcow2/build/mod.ts";

/** A request of docs/adapter.md. */
interface Request {
  readonly id: string;
  readonly operation: string;
  readonly image: string;
  readonly format?: string;
  readonly offset?: string;
  readonly length?: string;
  readonly data?: string;
  readonly size?: string;
  readonly snapshot?: string;
}

const mistake = Deno.args.join(" ") || "none";
/** Mistakes of an adapter that does more than write, and that it makes none. */
const MANAGING = [
  "nothing",
  "images are made too large",
  "the disk keeps its size",
  "snapshots are not applied",
];
const images = new Map<string, EditedImage>();
/** Writes that the mistake "flush is ignored" keeps for itself. */
let kept: Request[] = [];

function editorOf({ image, format }: Request): ImageEditor {
  const opened = images.get(image) ?? editImage(image, format === undefined ? {} : { format });
  images.set(image, opened);
  const { editor, findings } = opened;
  if (editor === undefined) throw new EditError(findings.list()[0]?.message ?? "no editor");
  return editor;
}

function close(image: string): void {
  const opened = images.get(image);
  images.delete(image);
  opened?.editor?.flush();
  opened?.finish();
  opened?.close();
}

function change(request: Request): void {
  const { operation, image, offset = "0", length = "0", data = "", size = "0" } = request;
  const [at, count] = [Number(offset), Number(length)];
  const name = request.snapshot ?? "";
  if (mistake === "flush is ignored") {
    if (operation === "write" || operation === "write-zeroes") return void kept.push(request);
    if (operation === "flush") return;
    const writes = kept;
    kept = [];
    for (const write of writes) apply(write);
  }
  if (mistake === "close is a crash" && operation === "close") Deno.exit(3);
  if (operation === "close") return close(image);
  if (operation === "create") return create(request);
  apply({ ...request, offset: `${at}`, length: `${count}`, data, size, snapshot: name });
}

/** Makes an image with a disk of zeros. */
function create({ image, format, size = "0" }: Request): void {
  const bytes = Number(size) + (mistake === "images are made too large" ? 512 : 0);
  const model = { ...plainQcow2, clusterBits: 12, size: BigInt(bytes) };
  const made = format === "raw" ? new Uint8Array(bytes) : fileBytes(buildQcow2(model).image);
  Deno.writeFileSync(image, made);
}

function apply(request: Request): void {
  const { operation, offset, length, data = "", size, snapshot = "" } = request;
  const editor = editorOf(request);
  const at = Number(offset);
  switch (operation) {
    case "write": {
      const bytes = Buffer.from(data, "base64");
      const cut = mistake === "the last byte is lost" ? bytes.length - 1 : bytes.length;
      return editor.write(at, bytes.subarray(0, cut));
    }
    case "write-zeroes":
      if (mistake === "zeros are not written") return;
      return editor.writeZeroes(at, Number(length));
    case "discard":
      return editor.discard(at, Number(length));
    case "flush":
      return editor.flush();
    case "resize":
      if (mistake === "the disk keeps its size") return;
      if (editor.resize === undefined) throw new EditError("no other size");
      return editor.resize(Number(size), { shrink: true });
    case "snapshot-create":
      return void editor.snapshots?.create(snapshot);
    case "snapshot-apply":
      if (mistake === "snapshots are not applied") return;
      return editor.snapshots?.apply(snapshot);
    case "snapshot-delete":
      return editor.snapshots?.delete(snapshot);
  }
}

/** Without `close`, an image stays open as long as the process runs. */
const closing = mistake === "no close" ? [] : ["close"];

const MANAGED = ["create", "resize", "snapshot-create", "snapshot-apply", "snapshot-delete"];
const managing = MANAGING.includes(mistake) ? MANAGED : [];

function answer(request: Request): unknown {
  if (request.operation === "hello") {
    return {
      ok: {
        protocol: 1,
        name: "reference",
        version: "0",
        formats: managing.length === 0 ? ["raw", "qcow", "qcow2"] : ["raw", "qcow2"],
        operations: ["write", "write-zeroes", "discard", "flush", ...closing, ...managing],
      },
    };
  }
  try {
    change(request);
    return { ok: {} };
  } catch (error) {
    if (error instanceof EditError) return { rejected: error.message };
    return { crashed: error instanceof Error ? error.stack ?? error.message : `${error}` };
  }
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let text = "";
for await (const chunk of lines) {
  text += chunk;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const request = JSON.parse(text.slice(0, end)) as Request;
    text = text.slice(end + 1);
    const reply = JSON.stringify({ id: request.id, ...answer(request) as object });
    Deno.stdout.writeSync(new TextEncoder().encode(`${reply}\n`));
  }
}
