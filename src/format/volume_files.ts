import type { Segment } from "../bytes/mod.ts";
import { type BuiltImage, cutAt, type Placed } from "./placed.ts";
import type { BuiltFiles } from "./writer.ts";

/**
 * The files of a volume: one with the header followed by the payload or, with a detached header, one
 * for each.
 */
export function volumeFiles(
  { segments, size, placed }: BuiltImage,
  { payload, detached }: { readonly payload: Segment; readonly detached: boolean },
): BuiltFiles {
  const { offset, bytes: { length } } = payload;
  const end = offset + length;
  const data: Placed = { path: "/payload", offset, length, role: "data" };
  if (!detached) {
    const all = cutAt([...segments, payload], end);
    return { image: { segments: all, size: end, placed: [...placed, data] } };
  }
  return {
    image: {
      segments: cutAt(segments, size),
      size,
      placed: placed.filter((place) => place.offset < size),
    },
    payload: { segments: cutAt([payload], end), size: end, placed: [data] },
  };
}
