/** The reference as an adapter that changes images, with a planted mistake if one is named. */

import { Buffer } from "node:buffer";
import { EditError, type ImageEditor } from "../../../src/format/mod.ts";
import { type EditedImage, editImage } from "../../../src/image/edit/mod.ts";

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

const [mistake = "none"] = Deno.args;
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
  apply({ ...request, offset: `${at}`, length: `${count}`, data, size, snapshot: name });
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
      if (editor.resize === undefined) throw new EditError("no other size");
      return editor.resize(Number(size), { shrink: true });
    case "snapshot-create":
      return void editor.snapshots?.create(snapshot);
    case "snapshot-apply":
      return editor.snapshots?.apply(snapshot);
    case "snapshot-delete":
      return editor.snapshots?.delete(snapshot);
  }
}

/** Without `close`, an image stays open as long as the process runs. */
const closing = mistake === "no close" ? [] : ["close"];

function answer(request: Request): unknown {
  if (request.operation === "hello") {
    return {
      ok: {
        protocol: 1,
        name: "reference",
        version: "0",
        formats: ["raw", "qcow", "qcow2"],
        operations: ["write", "write-zeroes", "discard", "flush", ...closing],
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
