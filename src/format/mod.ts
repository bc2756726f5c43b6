/**
 * The contract between the formats and what uses them.
 *
 * Invariants:
 *
 * - A layer is one image file by itself. It opens no other file.
 * - Opening is total: whatever is wrong with an image becomes a finding, and only what an open looks
 *   at is judged by it. `judge` and `check` look at the rest.
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
export { AnatomyCollector, type EntryClaim } from "./collector.ts";
export {
  AccessError,
  type BackingReference,
  type BitmapSummary,
  type Broken,
  type CheckCounts,
  type DataFileReference,
  type Dialect,
  type DriverOptions,
  type FormatDriver,
  type FormatName,
  type Json,
  type Layer,
  type LayerInfo,
  type Run,
  type RunKind,
  type SnapshotSummary,
  type WorkBudget,
} from "./layer.ts";
export type { ContentBlock, DiskContent } from "./disk_content.ts";
export type { BuiltImage, Placed } from "./placed.ts";
export { bytesRows, structRows, textRows } from "./part_rows.ts";
export { type Pattern, patternBytes, type RawModel } from "./pattern.ts";
export type { InfoReport, MapEntry } from "./reports.ts";
export { type EntryTarget, type TableEntry, TableRows } from "./table_rows.ts";
export { readSectors, type SectorAccess } from "./sectors.ts";
export { imageText } from "./text.ts";
export { isUuid } from "./uuid.ts";
