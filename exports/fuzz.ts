/**
 * Fuzz targets. A kit has what is known of a format; `open`, `roundtrip` and `differential` make a
 * target of it. A target is a property over generated cases, which any runner of fast-check can run;
 * the verb `fuzz` runs it in worker processes.
 *
 * ```ts
 * import { assertEquals, fail } from "@std/assert";
 * import * as fc from "fast-check";
 * import { images, open } from "@diskproof/diskproof/fuzz";
 *
 * const target = open(images.find(({ format }) => format.name === "qcow2") ?? fail("no kit"));
 * for (const image of fc.sample(target.cases(), { seed: 1, numRuns: 3 })) {
 *   const { depth } = await target.run(image, { directory: "/tmp", tools: {} });
 *   assertEquals(["header", "tables", "data", "accepted"].includes(depth), true);
 * }
 * ```
 *
 * @module
 */

export {
  type About,
  type CaseFile,
  type CaseReport,
  type Causes,
  type Depth,
  Failure,
  type FailureDetails,
  HarnessError,
  type Mutating,
  type NamedAnswer,
  type Target,
  type TargetContext,
  type Tools,
} from "../fuzz/engine/mod.ts";
export {
  type EditOptions,
  type Expected,
  type ExpectedBitmap,
  images,
  type KeyChanges,
  type KeyKit,
  type KeySlots,
  type Kit,
  kits,
  type LaidOut,
  type ModelClass,
  type NoiseKit,
  type OpenedCase,
  type ToolKit,
  type Use,
  type WholeKit,
  wholes,
} from "../fuzz/formats/mod.ts";
export {
  type ComparedVariant,
  differential,
  type DifferentialCase,
  type EditedCase,
  type NoiseCase,
  open,
  type OpenCase,
  roundtrip,
  type RoundtripCase,
  targets,
  type Variant,
} from "../fuzz/targets/mod.ts";
export type {
  ByteEdit,
  Dictionary,
  Edit,
  Editable,
  EditDraw,
  FieldEdit,
  JsonDictionary,
  JsonEdit,
  PlaceEdit,
  Seal,
  Sort,
} from "../fuzz/mutate/mod.ts";
export type {
  Asked,
  Compared,
  Divergence,
  Installed,
  Observation,
  Seen,
  Toolbox,
} from "../fuzz/compare/mod.ts";
export type { ExpectedDisk, KeyChoice, Range } from "../fuzz/generate/mod.ts";
export type { Arbitrary, Random, Stream, Value } from "fast-check";
