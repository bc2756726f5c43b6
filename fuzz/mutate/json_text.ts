import { Buffer } from "node:buffer";
import type { Json } from "../../src/format/mod.ts";
import type { JsonEdit } from "./edit.ts";

/** The bytes of a place that holds JSON, after an edit. */
export function editJson(place: Uint8Array, edit: JsonEdit): Uint8Array {
  const before = jsonText(place);
  const after = changedText(before, edit, place.length);
  if (after === before) return place;
  const bytes = new Uint8Array(place.length);
  // Text that is too long for the place is truncated.
  for (let at = 0; at < Math.min(after.length, bytes.length); at++) {
    bytes[at] = after.charCodeAt(at);
  }
  return bytes;
}

/** The text in a place, up to its trailing zeros; each byte is a letter. */
export function jsonText(place: Uint8Array): string {
  let end = place.length;
  while (end > 0 && place[end - 1] === 0) end--;
  return Buffer.from(place.buffer, place.byteOffset, end).toString("latin1");
}

function changedText(text: string, edit: JsonEdit, room: number): string {
  if (edit.op === "letters") {
    const at = edit.offset % (text.length + 1);
    const times = Math.min(edit.times, Math.ceil(room / Math.max(1, edit.insert.length)));
    return text.slice(0, at) + edit.insert.repeat(times) + text.slice(at + edit.remove);
  }
  const root = parsed(text);
  if (root === undefined) return text;
  if (edit.op === "json-move") return movedText(root, edit);
  const value = edit.op === "json" ? edit.value : valueAt(root, edit.from);
  if (edit.op === "json-copy" && value === undefined) return text;
  setAt(root, edit.member, value);
  return JSON.stringify(root);
}

/** A JSON value that is written to. */
type Loose = { [name: string]: Loose | undefined } | Loose[] | string | number | boolean | null;

function parsed(text: string): Loose | undefined {
  try {
    return JSON.parse(text) as Loose;
  } catch {
    // An edit before this one has left something that is not JSON.
    return undefined;
  }
}

function valueAt(root: Loose, path: string): Loose | undefined {
  return path.split("/").slice(1).reduce<Loose | undefined>((node, name) => {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, name)) return undefined;
    return (node as { [name: string]: Loose | undefined })[name];
  }, root);
}

function parentAt(root: Loose, path: string): { parent: Loose | undefined; name: string } {
  const cut = path.lastIndexOf("/");
  return { parent: valueAt(root, path.slice(0, cut)), name: path.slice(cut + 1) };
}

function setAt(root: Loose, path: string, value: Json | Loose | undefined): void {
  const { parent, name } = parentAt(root, path);
  if (typeof parent !== "object" || parent === null) return;
  const copied = value === undefined ? undefined : structuredClone(value) as Loose;
  if (Array.isArray(parent)) {
    const index = Number(name);
    if (!Number.isInteger(index) || index < 0 || index > parent.length) return;
    parent.splice(index, 1, ...(copied === undefined ? [] : [copied]));
  } else if (copied === undefined) delete parent[name];
  else parent[name] = copied;
}

/**
 * Starts the names of an object while a member is moved: names that are whole numbers would be first
 * otherwise, in their order. No byte of a text is such a letter.
 */
const ORDERED = "\ue000";

function movedText(root: Loose, { member, to }: Extract<JsonEdit, { op: "json-move" }>): string {
  const { parent, name } = parentAt(root, member);
  if (typeof parent === "object" && parent !== null && Object.hasOwn(parent, name)) {
    const entries = Object.entries(parent).filter(([other]) => other !== name);
    const value = (parent as { [name: string]: Loose | undefined })[name];
    entries.splice(to % (entries.length + 1), 0, [name, value]);
    if (Array.isArray(parent)) parent.splice(0, Infinity, ...entries.map(([, it]) => it as Loose));
    else {
      for (const [other] of entries) delete parent[other];
      for (const [other, item] of entries) parent[ORDERED + other] = item;
    }
  }
  return JSON.stringify(root).replaceAll(ORDERED, "");
}
