import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Json, type Pattern, patternBytes } from "../../src/format/mod.ts";
import { type CaseReport, type Depth, Failure, type Target } from "../engine/mod.ts";

/** A case of a canary: a little file. */
export interface CanaryCase {
  /** Length of the file in bytes. */
  readonly length: number;
  readonly pattern: Pattern;
}

/** How a canary fails for cases that are long enough. */
type Song = (value: CanaryCase) => void;

/** The smallest file for which a canary fails. */
const LENGTH_MIN = 40;

const KINDS: readonly Pattern["kind"][] = ["zero", "fill", "ramp", "text", "noise"];

const pattern: fc.Arbitrary<Pattern> = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.nat(255),
});

const cases: fc.Arbitrary<CanaryCase> = fc.record({ length: fc.nat(1000), pattern });

function canary(name: string, says: string, sing: Song): Target<CanaryCase> {
  return {
    name,
    says,
    weight: 1,
    onlyByName: true,
    cases: () => cases,
    toJson: ({ length, pattern }) => ({ length, pattern: { ...pattern } }),
    fromJson: caseFromJson,
    files: ({ length, pattern }) => [{
      name: "canary.bin",
      source: new MemorySource(patternBytes(pattern, length)),
    }],
    describe: ({ length, pattern }) => `${length} bytes of ${pattern.kind} ${pattern.seed}`,
    run: (value) => {
      if (value.length >= LENGTH_MIN) sing(value);
      return reportOn(value);
    },
  };
}

/** @throws {TypeError} if the JSON is not a case */
function caseFromJson(json: Json): CanaryCase {
  const { length, pattern } = Object(json) as Partial<CanaryCase>;
  const sound = typeof length === "number" && pattern !== undefined &&
    KINDS.includes(pattern.kind) && typeof pattern.seed === "number";
  if (!sound) throw new TypeError("Cannot read the case: it has no length and pattern");
  return { length, pattern };
}

function reportOn({ length, pattern }: CanaryCase): CaseReport {
  const depths: readonly Depth[] = ["header", "tables", "data", "accepted"];
  if (pattern.kind === "zero") {
    return { depth: "header", rules: [], skipped: "the canary ignores zeros" };
  }
  return { depth: depths[length % depths.length] as Depth, rules: [] };
}

/** No allocation may have this many bytes. */
const TOO_MANY_OBJECTS = 2 ** 32;

/**
 * Targets that fail on purpose, each in one way, so that the whole way from a failure to its replay
 * can be tested.
 */
export const canaries: readonly Target<CanaryCase>[] = [
  canary("canary", "fails on purpose for files of at least 40 bytes of text or noise", (value) => {
    if (value.pattern.kind === "text") {
      throw new Failure("canary.text", `Text of ${value.length} bytes`);
    }
    if (value.pattern.kind === "noise") throw new RangeError(`Noise of ${value.length} bytes`);
  }),
  canary("canary-hang", "does not return for files of at least 40 bytes", () => {
    // It leaves the processor to others.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }),
  canary("canary-memory", "takes all memory for files of at least 40 bytes", () => {
    const hoard: unknown[] = [];
    while (hoard.length < TOO_MANY_OBJECTS) hoard.push([hoard.length]);
  }),
];
