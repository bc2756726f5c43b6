import type { Judgement } from "../../src/image/mod.ts";
import { anyPath, type Mutating } from "../engine/mod.ts";
import { drawsOf, evolvedEdits, type Kit, type Use } from "../formats/mod.ts";
import type { Edit } from "../mutate/mod.ts";

/** An image of a case: a model and what is done to it. */
export interface EditedImage<Model> {
  readonly model: Model;
  readonly edits: readonly Edit[];
}

/** One mutated case in so many keeps its model: most bugs need a certain model, and most edits fit any. */
const OWN_MODEL = 4;

/** The model of a mutated case: that of a fresh one or, now and then, its own. */
export function evolvedModel<Model>(
  { model }: { readonly model: Model },
  { random, fresh }: Pick<Mutating<{ readonly model: Model }>, "random" | "fresh">,
): Model {
  return random.nextInt(1, OWN_MODEL) === 1 ? model : fresh().model;
}

/** A case of the edits of a kept one, or of others, of a fresh model or its own. */
export function evolvedImage<Model, Case extends EditedImage<Model>>(
  kit: Kit<Model>,
  use: Use,
  value: Case,
  parts: Mutating<EditedImage<Model>>,
): Case {
  const model = evolvedModel(value, parts);
  return { ...value, model, edits: furtherEdits(kit, use, { model, edits: value.edits }, parts) };
}

/** The edits of a kept case made further, or those of others. Of an image as it was built, half stay so. */
export function furtherEdits<Model>(
  kit: Kit<Model>,
  use: Use,
  image: EditedImage<Model>,
  { random, others }: Pick<Mutating<EditedImage<Model>>, "random" | "others">,
): readonly Edit[] {
  if (image.edits.length === 0 && random.nextInt(0, 1) === 0) return image.edits;
  const theirs = others.map(({ edits }) => edits);
  return evolvedEdits(kit, image, { draws: drawsOf(kit, use), random, others: theirs });
}

/** What is remarkable about an image: the verdicts, and which fields break which rules. */
export function featuresIn(
  { qemu: { open, read }, spec: { verdict }, findings }: Judgement,
): string[] {
  const places = findings.map(({ rule, path }) => `${rule} ${anyPath(path)}`);
  return [`${open} ${read} ${verdict}`, ...places];
}
