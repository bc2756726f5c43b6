/** Applies the edits of a case to a built image. */

import { applyEdits, Places, valueAt } from "../../fuzz/mutate/mod.ts";
import {
  applyLuks2Edits,
  copyText,
  isCopyEdit,
  type Luks2Edit,
} from "../../fuzz/targets/luks2_edits.ts";
import { type ByteSource, type Patch, PatchedSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Json, Placed } from "../../src/format/mod.ts";
import { header } from "../../src/luks2/mod.ts";
import type { BytesEdit, CaseEdit, Copies, DerivedEdit } from "./edit.ts";
import { reencryptionDigest, volumeKeyOf } from "./luks2/reencryption_digest.ts";

/** A built image, and the sizes that edits depend on. */
export interface Target {
  readonly image: BuiltImage;
  /** Bytes of a cluster. */
  readonly clusterSize: number;
  /** Bytes of a copy of the LUKS2 header; absent for other formats. */
  readonly headerSize?: number;
}

/** Bytes of a refcount in the images whose refcounts are edited. */
const REFCOUNT_BYTES = 2;

/**
 * A built image after edits.
 *
 * @throws {Error} when an edit names something that is not in the image: the case would show nothing
 */
export function applyCaseEdits(target: Target, edits: readonly CaseEdit[]): ByteSource {
  const plain: Luks2Edit[] = [];
  const patches: Patch[] = [];
  let size: number | undefined;
  const sofar = (): ByteSource => edited(target, plain);
  for (const edit of edits) {
    switch (edit.op) {
      case "bytes":
      case "refcount":
        patches.push(patchOf(target, edit));
        break;
      case "lengthen":
        ({ size } = edit);
        break;
      case "add":
      case "end":
      case "cut":
      case "grow":
      case "json-replace":
      case "json-fill":
      case "reencryption-digest":
        plain.push(derived(edit, target, sofar()));
        break;
      default:
        assertApplies(edit, target, sofar);
        plain.push(edit);
    }
  }
  const source = sofar();
  if (patches.length === 0 && size === undefined) return source;
  return new PatchedSource(source, patches, size ?? source.size);
}

function edited({ image, headerSize }: Target, edits: readonly Luks2Edit[]): ByteSource {
  if (headerSize !== undefined) return applyLuks2Edits(image, edits, { headerSize });
  return applyEdits(image, edits.filter((edit) => !isCopyEdit(edit)));
}

/** What an edit comes to, given the image as the edits before it have left it. */
function derived(edit: DerivedEdit, { image, ...sizes }: Target, source: ByteSource): Luks2Edit {
  const wholeClusters = Math.ceil(source.size / sizes.clusterSize) * sizes.clusterSize;
  switch (edit.op) {
    case "add": {
      const field = new Places(image.placed).field(edit.path);
      if (field === undefined) throw missing(edit.path);
      return { op: "set", path: edit.path, value: valueAt(source, field) + edit.delta };
    }
    case "end":
      return { op: "set", path: edit.path, value: BigInt(wholeClusters) + edit.delta };
    case "cut": {
      const { offset, length } = placeIn(image, edit.at);
      return { op: "resize", size: offset + (edit.from === undefined ? 0 : length) + edit.delta };
    }
    case "grow":
      return { op: "resize", size: wholeClusters + edit.clusters * sizes.clusterSize };
    case "json-replace": {
      const { copies, find, by } = edit;
      const text = jsonText(source, { ...sizes, copies });
      const at = edit.last ? text.lastIndexOf(find) : text.indexOf(find);
      if (at < 0) throw missing(find);
      return { op: "json-text", at, remove: find.length, insert: by, times: 1, copies };
    }
    case "json-fill": {
      const { copies } = edit;
      const at = jsonText(source, { ...sizes, copies }).length;
      return { op: "json-text", at, remove: 0, insert: " ", times: edit.length - at, copies };
    }
    case "reencryption-digest": {
      const { copies } = edit;
      const root = JSON.parse(jsonText(source, { ...sizes, copies }));
      const value = reencryptionDigest(root, volumeKeyOf(image));
      return { op: "json", path: `/digests/${edit.name}`, value, copies };
    }
  }
}

/** The text of the JSON, each byte a letter. */
function jsonText(
  source: ByteSource,
  { headerSize = 0, copies }: { headerSize?: number; copies: Copies },
): string {
  return copyText(source.read(copies === "secondary" ? headerSize : 0, headerSize));
}

function placeIn({ placed }: BuiltImage, path: string): Placed {
  const place = new Places(placed).place(path);
  if (place === undefined) throw missing(path);
  return place;
}

function missing(path: string): Error {
  return new Error(`Cannot find ${path} in the image`);
}

/** An edit whose path is not there would do nothing. */
function assertApplies(edit: Luks2Edit, target: Target, source: () => ByteSource): void {
  if (isCopyEdit(edit)) {
    if ("field" in edit && !header.fields.some(({ name }) => name === edit.field)) {
      throw missing(edit.field);
    }
    if (edit.op !== "json") return;
    const text = jsonText(source(), { ...target, copies: edit.copies });
    if (!hasParent(JSON.parse(text), edit.path)) throw missing(edit.path);
    return;
  }
  const places = new Places(target.image.placed);
  if ("path" in edit && (places.field(edit.path) ?? places.place(edit.path)) === undefined) {
    throw missing(edit.path);
  }
  if ("at" in edit) placeIn(target.image, edit.at);
}

/** Whether there is an object or an array for the last name of a path to be put into. */
function hasParent(root: Json, path: string): boolean {
  const parent = path.split("/").slice(1, -1).reduce<Json | undefined>(
    (node, name) => (node as { [name: string]: Json } | null | undefined)?.[name],
    root,
  );
  return typeof parent === "object" && parent !== null;
}

function patchOf(
  { image, clusterSize }: Target,
  edit: Extract<BytesEdit, { op: "bytes" | "refcount" }>,
): Patch {
  if (edit.op === "bytes") {
    const start = edit.at === undefined ? 0 : placeIn(image, edit.at).offset;
    return { offset: start + edit.skip, bytes: edit.bytes };
  }
  const cluster = Math.floor(placeIn(image, edit.of).offset / clusterSize);
  const offset = placeIn(image, "/refblock[0]").offset + cluster * REFCOUNT_BYTES;
  return { offset, bytes: Uint8Array.of(edit.value >> 8, edit.value) };
}
