/**
 * The interface between the formats and the code that uses them.
 *
 * Invariants:
 *
 * - The rest of the program uses a format only through its `Format`. No code above a format's room
 *   names it.
 * - A layer is one image file. It does not open other files.
 * - Opening is total: every problem of an image becomes a finding. Only what is checked on open is
 *   judged. `judge` and `check` examine the rest.
 * - A position in the guest's disk is a byte offset in a `number`. Runs start and end at multiples of
 *   512 below 2^63, which a `number` holds exactly.
 *
 * @module
 */

export {
  type Anatomy,
  type AnatomyOptions,
  type AnatomyRow,
  type Claim,
  type ClaimKind,
  Marks,
  type Part,
} from "./anatomy.ts";
export { type ClaimingTable, ClaimList } from "./claims.ts";
export { AnatomyCollector, type EntryClaim } from "./collector.ts";
export {
  AccessError,
  type BackingReference,
  type BitmapSummary,
  type Broken,
  type CheckCounts,
  type DataFileReference,
  type Json,
  type Layer,
  type LayerInfo,
  type Run,
  type RunKind,
  type SnapshotSummary,
  type Watch,
} from "./layer.ts";
export type { Dialect } from "./dialect.ts";
export type { DriverOptions, FormatDriver, WorkBudget } from "./driver.ts";
export {
  BACKING_OPTIONS,
  type CreatedPart,
  type CreatedParts,
  type CreatedSizes,
  type CreationOptions,
  ENCRYPTION_OPTIONS,
  encryptionKind,
  type FormatCreator,
  type ImageRequest,
  mustHaveNoPassphrase,
  mustSuitQemu,
  onlyPassphrase,
  whyNotInQemu,
} from "./create.ts";
export type {
  DraftPolicy,
  FeatureTable,
  Format,
  FormatKeys,
  KeyArea,
  KeySlotOptions,
  Lock,
  Tool,
  UnlockedSlot,
  Use,
  UseTable,
  VerdictPolicy,
} from "./format.ts";
export {
  type AmendOptions,
  type BitmapEditor,
  EditError,
  type EditOptions,
  type FormatEditor,
  type ImageEditor,
  mustBeInside,
  mustGrow,
  type Repaired,
  type ResizeOptions,
  type SnapshotEditor,
  type ZeroOptions,
} from "./editor.ts";
export { DISK_HEAD_BYTES, type DiskEnd, diskEnd } from "./disk_end.ts";
export { CONTENT_RUN, type ContentBlock, type DiskContent } from "./disk_content.ts";
export { type EntryHalves, EntryTable, PageMemory } from "./entry_table.ts";
export {
  type ByteRange,
  counted,
  type Damage,
  type DamageCause,
  type DamageSummary,
  FoldedRanges,
  rangesText,
} from "./damage.ts";
export { placesIn } from "./place.ts";
export { AlikeParts, type FarHole, soundHole } from "./far_hole.ts";
export { type BuiltImage, cutAt, fileBytes, type Placed } from "./placed.ts";
export { remembering } from "./remembering.ts";
export { bytesRows, structRows, textRows } from "./part_rows.ts";
export { type Pattern, patternBytes, seededBytes } from "./pattern.ts";
export type { InfoReport, LazyInfo, LazyJson, MapEntry } from "./reports.ts";
export { LazyList } from "./lazy_list.ts";
export {
  eachTime,
  type EntryTarget,
  type ListedRows,
  type TableEntry,
  tableRows,
} from "./table_rows.ts";
export type { Confidence, KnownFacts, ProposedField, Remains } from "./remains.ts";
export { type BlockRule, blockRules } from "./rules.ts";
export { REQUEST_END_MAX, REQUEST_MAX, requestable } from "./requests.ts";
export { readSectors, type SectorAccess, type SectorStore, writeSectors } from "./sectors.ts";
export { visible } from "./visible.ts";
export { volumeFiles } from "./volume_files.ts";
export { setLength, VolumeEditor, type VolumeEditorOptions } from "./volume_editor.ts";
export { type ContentAccess, VolumeLayer, type VolumeLayerOptions } from "./volume_layer.ts";
export { imageText, plainText } from "./text.ts";
export { isUtf8Name, nameBytes, nameOf, shownName } from "./names.ts";
export { isUuid } from "./uuid.ts";
export { WordSet } from "./word_set.ts";
export {
  type BuiltFiles,
  type ClusterView,
  type FormatWriter,
  type GuestContent,
  laidOver,
  type View,
  WHOLE,
  wholeContent,
} from "./writer.ts";
