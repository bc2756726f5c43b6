import type { Json } from "../../src/format/mod.ts";
import type { Target } from "./target.ts";

/** JSON without one part, and whether that part was a member of an object. */
interface Less {
  readonly json: Json;
  readonly member: boolean;
}

/**
 * The cases without one part: a list, half of a list, one element or one member. Outer parts come
 * before inner ones.
 *
 * Members of objects are dropped only if the target can repair the case.
 */
export function* drops<Case>(target: Target<Case>, value: Case): Generator<Case> {
  const json = target.toJson(value);
  const seen = new Set([JSON.stringify(json)]);
  for (const { json: less, member } of lessOf(json)) {
    if (member && target.repair === undefined) continue;
    const smaller = caseOf(target, less);
    if (smaller === undefined) continue;
    const text = JSON.stringify(smaller.json);
    // A repair may bring the part back.
    if (seen.has(text) || text.length >= JSON.stringify(json).length) continue;
    seen.add(text);
    yield smaller.value;
  }
}

/** The case of a JSON value; `undefined` if it is not a case. */
function caseOf<Case>(
  target: Target<Case>,
  json: Json,
): { readonly value: Case; readonly json: Json } | undefined {
  try {
    const value = target.fromJson(json);
    const repaired = target.repair?.(value) ?? value;
    return { value: repaired, json: target.toJson(repaired) };
  } catch {
    return undefined;
  }
}

function* lessOf(json: Json): Generator<Less> {
  if (Array.isArray(json)) yield* lessOfList(json);
  else if (json !== null && typeof json === "object") {
    yield* lessOfObject(json as { readonly [name: string]: Json });
  }
}

function* lessOfList(list: readonly Json[]): Generator<Less> {
  for (let length = list.length; length >= 1; length = length > 1 ? Math.ceil(length / 2) : 0) {
    for (let from = 0; from < list.length; from += length) {
      yield { json: [...list.slice(0, from), ...list.slice(from + length)], member: false };
    }
  }
  for (const [index, element] of list.entries()) {
    for (const { json, member } of lessOf(element)) yield { json: list.with(index, json), member };
  }
}

function* lessOfObject(object: { readonly [name: string]: Json }): Generator<Less> {
  for (const name of Object.keys(object)) {
    const { [name]: _, ...rest } = object;
    yield { json: rest, member: true };
  }
  for (const [name, part] of Object.entries(object)) {
    for (const { json, member } of lessOf(part)) {
      yield { json: { ...object, [name]: json }, member };
    }
  }
}
