/**
 * The list of formats. A `Format` is all that diskproof knows of one: its structures and rules, how its
 * images are read, and how they are written.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatNamed, formats } from "@diskproof/diskproof/formats";
 *
 * assertEquals(formats.map(({ name }) => name), ["qcow", "qcow2", "luks", "luks2", "raw"]);
 * assertEquals(formatNamed("qcow2")?.structures[0]?.name, "qcow2.header_v2");
 * ```
 *
 * @module
 */

export { formatNamed, formats } from "../src/formats.ts";
export type { Segment } from "../src/bytes/mod.ts";
export type { Patch } from "../src/bytes/mod.ts";
export {
  type AmendOptions,
  type Anatomy,
  type AnatomyOptions,
  type AnatomyRow,
  type BitmapEditor,
  type BuiltFiles,
  type BuiltImage,
  type Claim,
  type ClaimKind,
  type ClusterView,
  type Confidence,
  type ContentBlock,
  type CreatedPart,
  type CreatedParts,
  type CreatedSizes,
  type CreationOptions,
  type DiskContent,
  type DraftPolicy,
  type DriverOptions,
  EditError,
  type EditOptions,
  type FarHole,
  type FeatureTable,
  type Format,
  type FormatCreator,
  type FormatDriver,
  type FormatEditor,
  type FormatKeys,
  type FormatWriter,
  type GuestContent,
  type ImageEditor,
  type ImageRequest,
  type KeyArea,
  type KeySlotOptions,
  type KnownFacts,
  type Lock,
  Marks,
  type Part,
  type Pattern,
  type Placed,
  type ProposedField,
  type Remains,
  type Repaired,
  type ResizeOptions,
  type SnapshotEditor,
  type Tool,
  type UnlockedSlot,
  type Use,
  type UseTable,
  type VerdictPolicy,
  type View,
  type WorkBudget,
  type ZeroOptions,
} from "../src/format/mod.ts";
export { anatomyOf, scanFile } from "../src/image/mod.ts";
