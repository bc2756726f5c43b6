import * as fc from "fast-check";
import { SECTOR } from "../../src/bytes/mod.ts";
import type { Pattern } from "../../src/format/mod.ts";
import { mostly, type Range } from "../generate/mod.ts";

/**
 * A step of a sequence, as it is drawn and stored. Its numbers count clusters and name nothing, so that
 * they mean something for any image, and still do when another step or a part of the image is dropped.
 */
export type Step =
  | { readonly do: "write" | "compressed"; readonly at: Place; readonly pattern: Pattern }
  | { readonly do: "zero"; readonly at: Place; readonly unmap: boolean }
  | { readonly do: "discard"; readonly at: Place }
  | { readonly do: "empty" | "flush" | "reopen" | "snapshot" | "key-add" }
  | { readonly do: "resize"; readonly clusters: number; readonly sectors: number }
  | { readonly do: "apply" | "delete" | "key-erase"; readonly index: number }
  | { readonly do: "bitmap-add"; readonly granularityBits: number; readonly enabled: boolean }
  | { readonly do: BitmapVerb; readonly index: number }
  | { readonly do: "bitmap-merge"; readonly index: number; readonly source: number };

/** What is done to a bitmap that is there. */
export type BitmapVerb = "bitmap-remove" | "bitmap-enable" | "bitmap-disable" | "bitmap-clear";

/** A range of the disk: the cluster where it starts, and bytes, each modulo what there is. */
export interface Place {
  readonly cluster: number;
  /** Bytes into the cluster. */
  readonly skip: number;
  /** Whole clusters of the length, and further bytes; a length of zero is one cluster. */
  readonly clusters: number;
  readonly bytes: number;
}

const STEPS_MAX = 24;
const CLUSTERS_MAX = 3;
/** Some ranges need another table or refcount block. */
const MANY_MAX = 200;
/** A disk of so many clusters more is too large, if they are small. */
const TOO_MANY = 2 ** 28;
const GRANULARITY = { min: 9, max: 17 } as const;

/** A step with the values that it has for an image in a state. */
export type Action =
  | { readonly do: "write" | "compressed"; readonly range: Range; readonly pattern: Pattern }
  | { readonly do: "zero"; readonly range: Range; readonly unmap: boolean }
  | { readonly do: "discard"; readonly range: Range }
  /** The range is all of the disk. */
  | { readonly do: "empty"; readonly range: Range }
  | { readonly do: "flush" | "reopen" }
  | { readonly do: "resize"; readonly size: number; readonly from: number }
  | { readonly do: "snapshot"; readonly name: string }
  /** The name is the passphrase. */
  | { readonly do: "key-add" | "key-erase"; readonly name: string }
  /** `id` selects the snapshot for `apply`, as does `name` for `delete`. */
  | { readonly do: "apply" | "delete"; readonly name: string; readonly id?: string }
  | {
    readonly do: "bitmap-add";
    readonly name: string;
    readonly granularity: number;
    readonly enabled: boolean;
  }
  | { readonly do: BitmapVerb; readonly name: string }
  | { readonly do: "bitmap-merge"; readonly name: string; readonly source: string };

/** A step, and who does it if writers take turns. */
export type TurnStep = Step & { readonly by?: number };

/**
 * Lists of steps, with a writer for each if two take turns.
 *
 * @param keys how many steps that change keys there are to 24 others
 */
export function stepLists(
  { turns = false, keys = 0 }: { readonly turns?: boolean; readonly keys?: number } = {},
): fc.Arbitrary<readonly TurnStep[]> {
  const drawn = keys > 0
    ? fc.oneof({ withCrossShrink: true }, { weight: 24, arbitrary: steps() }, {
      weight: keys,
      arbitrary: keySteps(),
    })
    : steps();
  const step: fc.Arbitrary<TurnStep> = turns
    ? fc.tuple(drawn, fc.nat(1)).map(([step, by]) => ({
      ...step,
      // QEMU measures the processor for a second for each key, and gives it many iterations.
      by: step.do === "key-add" ? 0 : by,
    }))
    : drawn;
  return fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: "max" });
}

const PLACE = ["cluster", "skip", "clusters", "bytes"];
/** The members of each kind of step besides `do`; those of a place and of a pattern are behind a dot. */
const MEMBERS: Readonly<Record<Step["do"], readonly string[]>> = {
  write: [...PLACE.map((name) => `at.${name}`), "pattern.kind", "pattern.seed"],
  compressed: [...PLACE.map((name) => `at.${name}`), "pattern.kind", "pattern.seed"],
  zero: [...PLACE.map((name) => `at.${name}`), "unmap"],
  discard: PLACE.map((name) => `at.${name}`),
  empty: [],
  flush: [],
  reopen: [],
  snapshot: [],
  "key-add": [],
  "key-erase": ["index"],
  resize: ["clusters", "sectors"],
  apply: ["index"],
  delete: ["index"],
  "bitmap-add": ["granularityBits", "enabled"],
  "bitmap-remove": ["index"],
  "bitmap-enable": ["index"],
  "bitmap-disable": ["index"],
  "bitmap-clear": ["index"],
  "bitmap-merge": ["index", "source"],
};

/** @throws {TypeError} when a value is no step, as after a part of one was dropped */
export function requireStep(value: unknown): void {
  const members: readonly string[] | undefined = MEMBERS[(value as Step).do];
  const lacks = members?.find((path) =>
    path.split(".").reduce((part, name) => Object(part)[name], value) === undefined
  );
  if (members === undefined || lacks !== undefined) {
    throw new TypeError(`Cannot use the step: it has no ${lacks ?? "kind"}`);
  }
}

function keySteps(): fc.Arbitrary<Step> {
  return fc.oneof(
    fc.record({ do: fc.constant<"key-add">("key-add") }),
    fc.record({ do: fc.constant<"key-erase">("key-erase"), index: fc.nat(5) }),
  );
}

function steps(): fc.Arbitrary<Step> {
  const index = fc.nat(5);
  const only = <Name extends Step["do"]>(name: Name) => fc.record({ do: fc.constant(name) });
  const some = <Name extends Step["do"]>(...names: Name[]) => fc.constantFrom(...names);
  return fc.oneof(
    { withCrossShrink: true },
    {
      weight: 12,
      arbitrary: fc.record({ do: some("write"), at: places(), pattern: patterns() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: some("zero"), at: places(), unmap: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ do: some("discard"), at: places() }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: some("compressed"), at: places(), pattern: patterns() }),
    },
    { weight: 1, arbitrary: only("empty") },
    { weight: 1, arbitrary: only("flush") },
    { weight: 1, arbitrary: only("reopen") },
    { weight: 2, arbitrary: only("snapshot") },
    { weight: 2, arbitrary: fc.record({ do: some("apply", "delete"), index }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: some("resize"),
        clusters: fc.oneof(
          fc.integer({ min: -3, max: 3 }),
          fc.integer({ min: -200, max: 200 }),
          fc.constant(TOO_MANY),
        ),
        sectors: mostly(0, fc.nat(127)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: some("bitmap-add"),
        granularityBits: fc.integer(GRANULARITY),
        enabled: mostly(true, fc.boolean()),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: some("bitmap-remove", "bitmap-enable", "bitmap-disable", "bitmap-clear"),
        index,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: some("bitmap-merge"), index, source: index }) },
  ) as fc.Arbitrary<Step>;
}

/** Most writes are fills of one byte, which qemu-io needs no file for. */
function patterns(): fc.Arbitrary<Pattern> {
  return fc.record({
    kind: mostly("fill", fc.constantFrom("noise", "text", "ramp", "single")),
    seed: fc.integer({ min: 1, max: 255 }),
  });
}

/** Places where a model has its clusters too, so that most ranges meet something. */
function places(): fc.Arbitrary<Place> {
  const sectors = fc.nat(127).map((count) => count * SECTOR, (bytes) => {
    if (typeof bytes !== "number" || bytes % SECTOR !== 0) throw new TypeError("No sectors");
    return bytes / SECTOR;
  });
  const bytes = fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: sectors },
    { weight: 1, arbitrary: fc.nat(65535) },
  );
  return fc.record({
    cluster: fc.oneof(
      { withCrossShrink: true },
      { weight: 8, arbitrary: fc.nat(11) },
      { weight: 2, arbitrary: fc.nat(200) },
      { weight: 1, arbitrary: fc.nat() },
    ),
    skip: bytes,
    clusters: fc.oneof(
      { withCrossShrink: true },
      { weight: 5, arbitrary: fc.nat(CLUSTERS_MAX) },
      { weight: 1, arbitrary: fc.nat(MANY_MAX) },
    ),
    bytes,
  });
}
