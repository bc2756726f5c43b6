import { catalogue } from "../../../src/formats.ts";
import { imagesNotRecorded, namedCases, rulesWithoutCase, singleImages } from "../../cases/mod.ts";
import type { Item } from "./aspect.ts";

/** Each rule with the images that break and keep it. */
export function rulesCovered(recorded: ReadonlySet<string>): Item[] {
  const names = new Map<string, string[]>();
  const add = (rule: string, image: string) => {
    names.set(rule, [...names.get(rule) ?? [], image]);
  };
  for (const { name, of: { rule } } of namedCases()) {
    for (const does of ["breaks", "keeps"]) add(rule, `${name}-${does}`);
  }
  for (const { rule, name } of singleImages) if (rule !== undefined) add(rule, name);
  return catalogue.map(({ id }) => itemOf(id, { images: names.get(id) ?? [], recorded }));
}

function itemOf(
  rule: string,
  { images, recorded }: { images: readonly string[]; recorded: ReadonlySet<string> },
): Item {
  const existing = images.filter((image) => recorded.has(image));
  const reasons = images.flatMap((image) => imagesNotRecorded[image] ?? []);
  const because = rulesWithoutCase[rule] ?? reasons[0];
  const breaks = existing.some((image) => image.endsWith("-breaks"));
  // A rule that nothing breaks is missing even if an image keeps it.
  return {
    name: rule,
    images: breaks ? existing : [],
    ...breaks || because === undefined ? {} : { because },
  };
}
