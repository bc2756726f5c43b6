import * as fc from "fast-check";
import { type Edit, requireEdit } from "../mutate/mod.ts";
import type { Kit, Use } from "./kit.ts";

/**
 * An image after a part of its case was taken out: the model made normal, and the edits as they are.
 *
 * @throws {Error} where the model is none that could be drawn, or an edit lacks a part
 */
export function repaired<Model, Case extends { readonly model: Model }>(
  kit: Kit<Model>,
  value: Case & { readonly edits?: readonly Edit[] },
): Case {
  for (const edit of value.edits ?? []) requireEdit(edit);
  const model = kit.repair?.(value.model) ?? normalOf(kit, value.model);
  // What was made up for a part would be made smaller, dropped and made up again.
  if (hasMore(model, value.model)) throw new TypeError("Cannot use the model: it lacks a member");
  return { ...value, model };
}

/** Whether a value has members that another one lacks. */
function hasMore(value: unknown, other: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (typeof other !== "object" || other === null) return true;
  if (Array.isArray(value)) {
    return value.some((item) => Object.values(other).every((it) => hasMore(item, it)));
  }
  return Object.entries(value).some(([name, member]) =>
    member !== undefined &&
    (!Object.hasOwn(other, name) || hasMore(member, (other as { [name: string]: unknown })[name]))
  );
}

function normalOf<Model>(kit: Kit<Model>, model: Model): Model {
  const normal = kit.format.writer.normalise(model) as Model;
  const all = drawn.get(kit as Kit) ?? USES.map((use) => kit.models(use));
  drawn.set(kit as Kit, all);
  if (all.some((models) => models.canShrinkWithoutContext(normal))) return normal;
  // Not every arbitrary knows its own models again.
  const [models] = all;
  if (models === undefined) return normal;
  const [sample] = fc.sample(models, { numRuns: 1, seed: 1 });
  if (models.canShrinkWithoutContext(sample)) requireDrawn(normal, models);
  return normal;
}

/** A model may be drawn for one use and not for another. */
const USES: readonly Use[] = ["roundtrip", "differential", "open"];

const drawn = new WeakMap<Kit, readonly fc.Arbitrary<unknown>[]>();

/** @throws {TypeError} where a model is none that an arbitrary draws */
export function requireDrawn(model: unknown, models: fc.Arbitrary<unknown>): void {
  if (models.canShrinkWithoutContext(model)) return;
  throw new TypeError("Cannot use the model: it cannot be generated");
}
