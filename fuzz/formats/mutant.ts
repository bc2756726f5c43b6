import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { detect } from "../../src/image/mod.ts";
import { applyEdits, describeEdit, type EditDraw, resolveDraws } from "../mutate/mod.ts";
import { drawsOf, editsOf, resolvingOf } from "./edited.ts";
import { describeModel, filesOf, type Kit, sourceOf } from "./kit.ts";
import { type ParsedImage, parsedImage } from "./parsed.ts";

/** An edited image. */
export interface Mutant {
  readonly bytes: Uint8Array;
  /** The edits, one a line; of a generated image, after its model. */
  readonly says: string;
}

/** How an image is edited. */
export interface MutantPlan {
  /** The formats that an image may have. */
  readonly kits: readonly Kit[];
  /** Draws a value; the same one each time for the same mutant. */
  draw<T>(values: fc.Arbitrary<T>): T;
  /** The longest result in bytes. */
  readonly sizeMax: number;
}

/** One result in so many is a generated image that has nothing to do with the given bytes. */
const FRESH = 24;
/** Most images that are generated until one of them is short enough. */
const ATTEMPTS = 8;
const SHARES = fc.nat(FRESH - 1);

/**
 * Edits bytes of any origin in the way in which the fuzz targets edit images: where a reader finds
 * structures. Bytes of no known format become a generated image.
 */
export function mutantOf(bytes: Uint8Array, plan: MutantPlan): Mutant {
  const { kits, draw, sizeMax } = plan;
  const { kit, image } = parsed(kits, bytes);
  if (kit === undefined || draw(SHARES) === FRESH - 1) {
    const fresh = freshImage(plan);
    if (fresh !== undefined) return fresh;
  }
  if (kit === undefined || image === undefined) return garbled(bytes, plan);
  return edited(kit, image, { draw, sizeMax });
}

interface Parsed {
  readonly kit?: Kit;
  readonly image?: ParsedImage;
}

/** A fuzzer wants several mutants of one image. */
const parsedBefore = new WeakMap<Uint8Array, Parsed>();

function parsed(kits: readonly Kit[], bytes: Uint8Array): Parsed {
  const had = parsedBefore.get(bytes);
  if (had !== undefined) return had;
  const definition = detect(new MemorySource(bytes));
  const kit = kits.find(({ format }) => format === definition);
  const made = kit === undefined ? {} : { kit, image: parsedImage(kit, bytes) };
  parsedBefore.set(bytes, made);
  return made;
}

/** What is drawn for a kit: made once, which takes longer than a draw. */
interface Arbitraries {
  readonly draws: ReturnType<typeof drawsOf>;
  readonly images: fc.Arbitrary<[model: unknown, draws: readonly EditDraw[]]>;
}

const arbitraries = new WeakMap<Kit, Arbitraries>();

function arbitrariesOf(kit: Kit): Arbitraries {
  const had = arbitraries.get(kit);
  if (had !== undefined) return had;
  const draws = drawsOf(kit, "open");
  const made = { draws, images: fc.tuple(kit.models("open"), draws) };
  arbitraries.set(kit, made);
  return made;
}

function edited(
  kit: Kit,
  image: ParsedImage,
  { draw, sizeMax }: Pick<MutantPlan, "draw" | "sizeMax">,
): Mutant {
  const drawn = draw(arbitrariesOf(kit).draws);
  const edits = resolveDraws(image, drawn, resolvingOf(kit, image.unit));
  const source = applyEdits(image, edits);
  const says = edits.map(describeEdit).join("\n");
  return { bytes: source.read(0, Math.min(source.size, sizeMax)), says };
}

function freshImage({ kits, draw, sizeMax }: MutantPlan): Mutant | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const kit = draw(fc.constantFrom(...kits));
    const [model, draws] = draw(arbitrariesOf(kit).images);
    // Half of them are valid.
    const edits = draw(fc.boolean()) ? [] : editsOf(kit, model, draws);
    const source = sourceOf(filesOf(kit, model, edits));
    if (source.size > sizeMax) continue;
    const says = [describeModel(kit, model), ...edits.map(describeEdit)].join("\n");
    return { bytes: source.read(0, source.size), says };
  }
  return undefined;
}

/** Changes a byte: these are no image, and no image is as short as the result has to be. */
function garbled(bytes: Uint8Array, { draw, sizeMax }: MutantPlan): Mutant {
  const copy = bytes.slice(0, sizeMax);
  const at = draw(fc.nat(Math.max(0, copy.length - 1)));
  const bits = draw(fc.integer({ min: 1, max: 255 }));
  if (copy.length > 0) copy[at] = (copy[at] as number) ^ bits;
  return { bytes: copy, says: describeEdit({ op: "xor", offset: at, bits }) };
}
