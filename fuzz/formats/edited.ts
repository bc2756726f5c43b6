import type * as fc from "fast-check";
import { SECTOR } from "../../src/bytes/mod.ts";
import {
  type Edit,
  type Editable,
  type EditDraw,
  editLists,
  evolveEdits,
  type Evolving,
  resolveDraws,
  type Resolving,
} from "../mutate/mod.ts";
import { type Kit, layOut, type Use } from "./kit.ts";

/** Lists of edits before their targets are known. */
export function drawsOf<Model>(
  { edits }: Kit<Model>,
  use: Use,
): fc.Arbitrary<readonly EditDraw[]> {
  return edits?.draws?.(use) ?? editLists();
}

/** The edits of an image that draws come to: they name places, so that they can be read and stored. */
export function editsOf<Model>(
  kit: Kit<Model>,
  model: Model,
  draws: readonly EditDraw[],
): Edit[] {
  const { image, ...options } = resolvingFor(kit, model);
  return resolveDraws(image, draws, options);
}

/** Edits of an image like those of a kept case. */
export function evolvedEdits<Model>(
  kit: Kit<Model>,
  { model, edits }: { readonly model: Model; readonly edits: readonly Edit[] },
  { draws, random, others }: Pick<Evolving, "random" | "others"> & {
    readonly draws: fc.Arbitrary<readonly EditDraw[]>;
  },
): Edit[] {
  const fresh = (): readonly EditDraw[] => draws.generate(random, undefined).value;
  return evolveEdits(edits, { ...resolvingFor(kit, model), random, others, fresh });
}

function resolvingFor<Model>(
  kit: Kit<Model>,
  model: Model,
): Resolving & { readonly image: Editable } {
  const { image, unit = SECTOR } = layOut(kit, model);
  return { image, ...resolvingOf(kit, unit) };
}

/** How draws are resolved for images of a kit with this unit of allocation. */
export function resolvingOf<Model>({ edits = {} }: Kit<Model>, unit: number): Resolving {
  const { dictionary, favourite } = edits;
  return {
    unit,
    ...(dictionary === undefined ? {} : { dictionary }),
    ...(favourite === undefined ? {} : { favourite }),
  };
}
