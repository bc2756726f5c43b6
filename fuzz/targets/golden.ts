import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { ReferencePeer } from "../../src/peers/mod.ts";
import { recordNames, verifyRecords } from "../../src/recorded/mod.ts";
import { Failure, HarnessError, type Target } from "../engine/target.ts";

/** A case of `golden`: a golden image, or a case of the corpus, by its name. */
export interface GoldenCase {
  readonly name: string;
}

const SETS = ["golden", "corpus"].map((set) => {
  return new URL(`../../${set}/images`, import.meta.url).pathname;
});

let found: ReadonlyMap<string, string> | undefined;

/**
 * The directory that an image is recorded in, by its name.
 *
 * @throws {HarnessError} when one of the sets is not there
 */
function directories(): ReadonlyMap<string, string> {
  return found ??= new Map(SETS.flatMap((images) => {
    const names = namesIn(images);
    if (names.length === 0) {
      throw new HarnessError(`Cannot find recorded images: ${images} is empty`);
    }
    return names.map((name) => [name, images] as const);
  }));
}

function namesIn(images: string): string[] {
  try {
    return recordNames(images);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(`Cannot find recorded images: ${reason}`, { cause });
  }
}

/** The property: the reference answers as qemu-img did when the golden images were recorded. */
export const golden: Target<GoldenCase> = {
  name: "golden",
  says:
    "the reference answers as the recorded versions of qemu-img did; needs none to be installed",
  weight: 1,
  cases: () => fc.constantFrom(...directories().keys()).map((name) => ({ name })),
  toJson: ({ name }) => ({ name }),
  fromJson: (json) => {
    const { name } = json as unknown as GoldenCase;
    if (typeof name !== "string") throw new TypeError("Cannot read the case: it has no name");
    return { name };
  },
  // The image lies in the repository already: an artifact has only to name it.
  files: ({ name }) => [{ name: "name", source: new MemorySource(new TextEncoder().encode(name)) }],
  describe: ({ name }) => `recorded image ${name}`,
  async run({ name }) {
    const images = directories().get(name);
    if (images === undefined) throw new TypeError(`Cannot find a recorded image ${name}`);
    const report = await verifyRecords(new ReferencePeer(), { images, names: [name] });
    const [failure] = report.failures;
    if (failure === undefined) return { depth: "accepted", rules: [] };
    const { question, recordedBy, differences } = failure;
    const message = `${question}, recorded by ${recordedBy.join(", ")}: ${
      JSON.stringify(differences)
    }`;
    throw new Failure(`golden.${name}.${question}`, message);
  },
};
