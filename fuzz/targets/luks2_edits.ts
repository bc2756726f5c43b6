import { type ByteSource, PatchedSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, imageText, type Json } from "../../src/format/mod.ts";
import { decode, type Field, offsetOf, writeField } from "../../src/layout/mod.ts";
import {
  type CopyName,
  header as headerStruct,
  type Luks2Model,
  withChecksum,
} from "../../src/luks2/mod.ts";
import { applyEdits, describeEdit, type Edit } from "../mutate/mod.ts";

/** What is done to a copy of the header, as it was left by what was done before. */
export type CopyChange =
  /** A value of the JSON is replaced, put there, or taken out where it is absent; `/segments/0/size`. */
  | { readonly op: "json"; readonly path: string; readonly value?: Json }
  /** A place of the JSON gets the value of another one. */
  | { readonly op: "json-copy"; readonly path: string; readonly from: string }
  /** Letters of the JSON are taken out, and others put there so many times; each is one byte. */
  | {
    readonly op: "json-text";
    readonly at: number;
    readonly remove: number;
    readonly insert: string;
    readonly times: number;
  }
  /** A number of the binary header is set. */
  | { readonly op: "number"; readonly field: string; readonly value: bigint }
  /** A text of the binary header is set, with one byte over and over behind it. */
  | {
    readonly op: "letters";
    readonly field: string;
    readonly text: string;
    readonly fill: number;
  }
  /** Bits of one byte of the copy are flipped. */
  | { readonly op: "bits"; readonly at: number; readonly bits: number };

/** A change to the copies of a header, or to one of them. */
export type CopyEdit = CopyChange & {
  readonly copies: "both" | CopyName;
  /** The checksum stays as it was: a reader stumbles over it, and looks no further. */
  readonly unsummed?: true;
};

/** A change to the copies of a header, or to any bytes of the file with the header. */
export type Luks2Edit = CopyEdit | Edit;

/** Whether an edit is one of copies. */
export function isCopyEdit(edit: Luks2Edit): edit is CopyEdit {
  return "copies" in edit;
}

/**
 * The bytes of a built volume after edits, each of what the one before it left. Those of any bytes come
 * before those of copies, whose checksums cover them.
 */
export function applyLuks2Edits(
  image: BuiltImage,
  edits: readonly Luks2Edit[],
  { headerSize }: Pick<Luks2Model, "headerSize">,
): ByteSource {
  const anyBytes = edits.filter((edit): edit is Edit => !isCopyEdit(edit));
  return edits.filter(isCopyEdit).reduce<ByteSource>(
    (source, edit) => withCopies(source, edit, headerSize),
    applyEdits(image, anyBytes),
  );
}

const JSON_START = headerStruct.size;

function withCopies(source: ByteSource, edit: CopyEdit, headerSize: number): ByteSource {
  const places = { primary: 0, secondary: headerSize };
  const patches = (["primary", "secondary"] as const)
    .filter((name) => edit.copies === "both" || edit.copies === name)
    .filter((name) => places[name] + headerSize <= source.size)
    .map((name) => {
      const copy = source.read(places[name], headerSize).slice();
      return { offset: places[name], bytes: changedCopy(copy, edit) };
    });
  return patches.length === 0 ? source : new PatchedSource(source, patches);
}

function changedCopy(copy: Uint8Array, edit: CopyEdit): Uint8Array {
  switch (edit.op) {
    case "json":
    case "json-copy":
    case "json-text":
      setText(copy, changedText({ text: copyText(copy), room: copy.length }, edit));
      break;
    case "number":
    case "letters":
      setField(copy, edit);
      break;
    case "bits":
      copy[edit.at % copy.length] = (copy[edit.at % copy.length] as number) ^ edit.bits;
  }
  if (edit.unsummed) return copy;
  return withChecksum(copy, imageText(decode(headerStruct, copy).csum_alg));
}

/** The text of the JSON of a copy, up to the zeros behind it; each byte is a letter. */
export function copyText(copy: Uint8Array): string {
  let end = copy.length;
  while (end > JSON_START && copy[end - 1] === 0) end--;
  let text = "";
  for (let at = JSON_START; at < end; at++) text += String.fromCharCode(copy[at] as number);
  return text;
}

function setText(copy: Uint8Array, text: string): void {
  copy.fill(0, JSON_START);
  const length = Math.min(text.length, copy.length - JSON_START);
  for (let at = 0; at < length; at++) copy[JSON_START + at] = text.charCodeAt(at);
}

function changedText(
  { text, room }: { text: string; room: number },
  edit: Extract<CopyEdit, { op: "json" | "json-copy" | "json-text" }>,
): string {
  if (edit.op === "json-text") {
    const at = edit.at % (text.length + 1);
    // What is longer than the area is cut.
    const times = Math.min(edit.times, Math.ceil(room / Math.max(1, edit.insert.length)));
    return text.slice(0, at) + edit.insert.repeat(times) + text.slice(at + edit.remove);
  }
  const root = parsed(text);
  if (root === undefined) return text;
  const value = edit.op === "json" ? edit.value : valueAt(root, edit.from);
  if (edit.op === "json-copy" && value === undefined) return text;
  setAt(root, edit.path, value);
  return JSON.stringify(root);
}

/** A JSON value that is written to. */
export type Loose =
  | { [name: string]: Loose | undefined }
  | Loose[]
  | string
  | number
  | boolean
  | null;

function parsed(text: string): Loose | undefined {
  try {
    return JSON.parse(text) as Loose;
  } catch {
    // An edit before this one has made it something else than JSON.
    return undefined;
  }
}

function valueAt(root: Loose, path: string): Loose | undefined {
  return path.split("/").slice(1).reduce<Loose | undefined>((node, name) => {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, name)) return undefined;
    return (node as { [name: string]: Loose | undefined })[name];
  }, root);
}

function setAt(root: Loose, path: string, value: Json | Loose | undefined): void {
  const cut = path.lastIndexOf("/");
  const parent = valueAt(root, path.slice(0, cut));
  if (typeof parent !== "object" || parent === null) return;
  const name = path.slice(cut + 1);
  const copied = value === undefined ? undefined : structuredClone(value) as Loose;
  if (Array.isArray(parent)) {
    const index = Number(name);
    if (!Number.isInteger(index) || index < 0 || index > parent.length) return;
    parent.splice(index, 1, ...(copied === undefined ? [] : [copied]));
  } else if (copied === undefined) delete parent[name];
  else parent[name] = copied;
}

function setField(
  copy: Uint8Array,
  edit: Extract<CopyEdit, { op: "number" | "letters" }>,
): void {
  const field: Field | undefined = headerStruct.fields.find(({ name }) => name === edit.field);
  if (field === undefined) return;
  const at = offsetOf(headerStruct, edit.field as keyof typeof headerStruct.offsets);
  if (edit.op === "number") return writeField(field, edit.value, { target: copy, at });
  copy.fill(edit.fill, at, at + field.width);
  copy.set(new TextEncoder().encode(edit.text).subarray(0, field.width), at);
}

const SHOWN_MAX = 80;

/** An edit in words, as it stands in a report. */
export function describeLuks2Edit(edit: Luks2Edit): string {
  if (!isCopyEdit(edit)) return describeEdit(edit);
  const where = edit.copies === "both" ? "" : ` in the ${edit.copies} copy`;
  return `${changeText(edit)}${where}${edit.unsummed ? ", checksum left" : ""}`;
}

function changeText(edit: CopyChange): string {
  switch (edit.op) {
    case "json":
      return edit.value === undefined
        ? `${edit.path} taken out`
        : `${edit.path} := ${JSON.stringify(edit.value).slice(0, SHOWN_MAX)}`;
    case "json-copy":
      return `${edit.path} := the value of ${edit.from}`;
    case "json-text": {
      const { at, remove, insert, times } = edit;
      const repeated = times === 1 ? "" : ` ${times} times`;
      const text = JSON.stringify(insert.slice(0, SHOWN_MAX));
      return `at letter ${at} of the JSON ${remove} out and ${text}${repeated} in`;
    }
    case "number":
      return `${edit.field} := 0x${edit.value.toString(16)}`;
    case "letters":
      return `${edit.field} := ${JSON.stringify(edit.text)} and bytes of 0x${
        edit.fill.toString(16)
      }`;
    case "bits":
      return `byte ${edit.at} of the copy ^= 0x${edit.bits.toString(16)}`;
  }
}
