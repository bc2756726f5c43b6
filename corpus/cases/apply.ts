/** Applies the edits of a case to a built image. */

import {
  applyEdits,
  type Edit,
  type Editable,
  jsonText,
  Places,
  valueAt,
} from "../../fuzz/mutate/mod.ts";
import { type ByteSource, type Patch, PatchedSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Json, Placed } from "../../src/format/mod.ts";
import type { BytesEdit, CaseEdit, DerivedEdit } from "./edit.ts";
import { reencryptionDigest, volumeKeyOf } from "./luks2/reencryption_digest.ts";

/** A built image, and the sizes that edits depend on. */
export interface Target {
  readonly image: Editable;
  /** Bytes of a cluster. */
  readonly clusterSize: number;
}

/** Bytes of a refcount in the images whose refcounts are edited. */
const REFCOUNT_BYTES = 2;

/**
 * A built image after edits.
 *
 * @throws {Error} when an edit names a part that the image does not have: the case would show
 *   nothing
 */
export function applyCaseEdits(target: Target, edits: readonly CaseEdit[]): ByteSource {
  const plain: Edit[] = [];
  const patches: Patch[] = [];
  let size: number | undefined;
  const sofar = (): ByteSource => applyEdits(target.image, plain);
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
      case "replace":
      case "fill":
      case "reencryption-digest":
        plain.push(derived(edit, target, sofar()));
        break;
      default:
        assertApplies(edit, target.image, sofar);
        plain.push(edit);
    }
  }
  const source = sofar();
  if (patches.length === 0 && size === undefined) return source;
  return new PatchedSource(source, patches, size ?? source.size);
}

/** The plain form of an edit, given the image after the previous edits. */
function derived(edit: DerivedEdit, { image, clusterSize }: Target, source: ByteSource): Edit {
  const wholeClusters = Math.ceil(source.size / clusterSize) * clusterSize;
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
      return { op: "resize", size: wholeClusters + edit.clusters * clusterSize };
    case "replace": {
      const { path, find, by } = edit;
      const text = textIn(image, path, source);
      const offset = edit.last ? text.lastIndexOf(find) : text.indexOf(find);
      if (offset < 0) throw missing(find);
      const remove = find.length;
      return { op: "letters", path, offset, remove, insert: by, times: 1, sealed: true };
    }
    case "fill": {
      const { path, length } = edit;
      const offset = textIn(image, path, source).length;
      const times = length - offset;
      return { op: "letters", path, offset, remove: 0, insert: " ", times, sealed: true };
    }
    case "reencryption-digest": {
      const { path, member } = edit;
      const root = JSON.parse(textIn(image, path, source));
      const value = reencryptionDigest(root, volumeKeyOf(image));
      return { op: "json", path, member, value, sealed: true };
    }
  }
}

/** A path with the name of the first copy instead of all copies. */
function oneCopy({ seals = [] }: Editable, path: string): string {
  return path.replace(/^\/\*/, `/${seals[0]?.name}`);
}

/** The text of the JSON at a path. */
function textIn(image: Editable, path: string, source: ByteSource): string {
  const { offset, length } = placeIn(image, oneCopy(image, path));
  return jsonText(source.read(offset, length));
}

function placeIn({ placed }: Pick<BuiltImage, "placed">, path: string): Placed {
  const place = new Places(placed).place(path);
  if (place === undefined) throw missing(path);
  return place;
}

function missing(path: string): Error {
  return new Error(`Cannot find ${path} in the image`);
}

/** An edit of a path that does not exist would have no effect. */
function assertApplies(edit: Edit, image: Editable, source: () => ByteSource): void {
  const places = new Places(image.placed);
  if ("path" in edit && edit.path !== undefined) {
    const path = oneCopy(image, edit.path);
    if ((places.field(path) ?? places.place(path)) === undefined) throw missing(edit.path);
    if (edit.op === "json" && !hasParent(JSON.parse(textIn(image, path, source())), edit.member)) {
      throw missing(edit.member);
    }
  }
  if ("at" in edit) placeIn(image, edit.at);
}

/** Whether the parent of the last name of a path is an object or an array. */
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
