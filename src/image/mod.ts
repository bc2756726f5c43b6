/**
 * What all formats share: probing, backing chains, and what is asked of an image.
 *
 * Invariants:
 *
 * - A path that an image names is opened only below the root directory, and never by `info`.
 * - Content, map and digest are those that qemu-img would give; where it would fail with an
 *   input/output error, an `AccessError` says which rule is broken.
 * - Cost follows what is allocated, not the virtual size; what an image can multiply is bounded.
 *
 * @module
 */

export {
  type Admission,
  admissionOf,
  type AdmissionPolicy,
  type AdmissionReason,
  ALLOWABLE,
  type Rejection,
} from "./admission.ts";
export { anatomyOf } from "./anatomy.ts";
export { imagesOf, layersOf, openBytes, openDetachedBytes, openFiles, openImage } from "./chain.ts";
export {
  type ContentRange,
  digestOf,
  type Piece,
  pieces,
  type Readable,
  readContent,
  tryReading,
} from "./content.ts";
export { detect, probe, type ProbeOptions } from "./probe.ts";
export { damageIn } from "./damage.ts";
export { type Extent, extentsOf } from "./extents.ts";
export { wholeFile } from "./file_part.ts";
export { backingPathOf } from "./chain_links.ts";
export { HeaderError } from "./header_file.ts";
export { exactInfoOf, infoOf, unicodeInfoOf } from "./info.ts";
export { type CheckJson, judgeImage, type Judgement, type JudgeOptions } from "./judge.ts";
export type { KeyOptions, OpenedImage, OpenOptions, ReadOptions } from "./opened_image.ts";
export { keySlotOf } from "./key_slot.ts";
export { openRefusal, readRefusal } from "./refusals.ts";
export { hintsOf, scanFile } from "./scan.ts";
export { mapEntries, mapOf, type MapReport } from "./map.ts";
