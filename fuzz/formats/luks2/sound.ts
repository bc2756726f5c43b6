import { type CopyName, header, type Luks2Model } from "../../../src/luks2/mod.ts";
import type { Edit } from "../../mutate/mod.ts";
import { COPIES } from "./volumes.ts";

/**
 * Whether a volume must open after edits. Edits of one copy that do not update its checksum make the
 * checksum wrong or leave the bytes unchanged. With another version in the primary copy,
 * cryptsetup does not read the other one; version 0 counts as damage.
 */
export function opensStill(model: Luks2Model, edits: readonly Edit[]): boolean {
  const [first] = edits;
  const copy = first === undefined ? undefined : copyOf(first);
  if (copy === undefined) return edits.length === 0;
  const rest = model[copy === "primary" ? "secondary" : "primary"];
  if (rest === "garbled" || rest === "missing") return false;
  return edits.every((edit) =>
    edit.sealed !== true && copyOf(edit) === copy && (copy === "secondary" || !touchesVersion(edit))
  );
}

/** The only copy of the header that an edit changes. */
function copyOf(edit: Edit): CopyName | undefined {
  if (!("path" in edit) || edit.op === "swap") return undefined;
  return COPIES.find((name) => edit.path === `/${name}` || edit.path?.startsWith(`/${name}/`));
}

const VERSION_AT = header.offsets.version;
const VERSION_END = header.offsets.hdr_size;

function touchesVersion(edit: Edit): boolean {
  switch (edit.op) {
    case "set":
      return edit.path.endsWith("/version") && edit.value !== 0n;
    case "xor":
      return edit.offset >= VERSION_AT && edit.offset < VERSION_END;
    case "text":
    case "json":
    case "json-copy":
    case "json-move":
    case "letters":
      return false;
    default:
      return true;
  }
}
