/** The values that a field has in the images of a case. */

import { Places, valueAt } from "../../fuzz/mutate/mod.ts";
import type { Placed } from "../../src/format/mod.ts";
import type { Field } from "../../src/layout/mod.ts";
import { applyCaseEdits } from "./apply.ts";
import { built } from "./build.ts";
import type { Case, Model } from "./case.ts";
import type { CaseEdit } from "./edit.ts";

/** The values in the two images of a case, and the size of their clusters. */
export interface Values {
  readonly broken: readonly bigint[];
  readonly kept: readonly bigint[];
  readonly clusterSize: number;
}

/**
 * The values of a number of a structure: where an edit of the case changes it, or, if none does, in the
 * first structure that has it.
 */
export function valuesOf(of: Case, field: Field): Values {
  const edited = [...of.breaks, ...of.keeps].flatMap((edit) =>
    "path" in edit ? edit.path ?? [] : []
  )
    .map((path) => path.replace(/^\/\*/, "/primary"));
  const values = (base: Model, edits: readonly CaseEdit[]) => {
    const target = built(base);
    const places = new Places(target.image.placed);
    const found = (paths: readonly string[]) =>
      [...new Set(paths)].flatMap((path) => places.field(path) ?? [])
        .filter((place) => place.field === field);
    const ofEdits = found(edited);
    const source = applyCaseEdits(target, edits);
    return (ofEdits.length > 0 ? ofEdits : found(pathsOf(target.image.placed, field)))
      .map((place) => valueAt(source, place));
  };
  return {
    broken: values(of.base, of.breaks),
    kept: values(of.kept?.base ?? of.base, of.keeps),
    clusterSize: built(of.base).clusterSize,
  };
}

/** The first place of a field, if there is one. */
function pathsOf(placed: readonly Placed[], field: Field): string[] {
  return placed.filter(({ struct }) => struct?.fields.includes(field)).slice(0, 1)
    .map(({ path, count }) => `${path}${count === undefined ? "" : "/0"}/${field.name}`);
}
