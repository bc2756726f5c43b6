import type { Luks2Model, Luks2Rule } from "../../src/luks2/mod.ts";
import type { Volume } from "./ours.ts";
import { type AnyJson, type Change, changedVolume } from "./volumes.ts";

/** A volume that breaks a rule, and one that does not. */
export interface RuleCase {
  readonly rule: Luks2Rule;
  /** What is broken. */
  readonly about: string;
  readonly broken: Volume;
  readonly kept: Volume;
}

/** A pair of changes, of both copies unless they say otherwise. */
export function pair(
  rule: Luks2Rule,
  about: string,
  { broken, kept, model = {} }: { broken: Change; kept: Change; model?: Partial<Luks2Model> },
): RuleCase {
  const [bad, good] = [changedVolume(model, broken), changedVolume(model, kept)];
  return { rule, about, broken: bad, kept: good };
}

/** A pair of values of one place in the JSON, named as `/config/json_size`; `undefined` is none. */
export function value(
  rule: Luks2Rule,
  path: string,
  { broken, kept, model = {} }: { broken: unknown; kept: unknown; model?: Partial<Luks2Model> },
): RuleCase {
  const shown = (said: unknown) => JSON.stringify(said)?.slice(0, 60) ?? "missing";
  return pair(rule, `${path} is ${shown(broken)}, not ${shown(kept)}`, {
    broken: { json: (root) => set(root, path, broken) },
    kept: { json: (root) => set(root, path, kept) },
    model,
  });
}

/** Sets a value in JSON, or takes it away. */
export function set(root: AnyJson, path: string, to: unknown): void {
  const names = path.split("/").slice(1);
  const last = names.pop() ?? "";
  const parent = names.reduce((node, name) => node[name], root);
  if (to === undefined) delete parent[last];
  else parent[last] = to;
}
