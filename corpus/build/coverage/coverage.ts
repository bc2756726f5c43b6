import { parseOptions, print, UsageError } from "../../../src/cli/mod.ts";
import { imagesIn } from "../../../src/recorded/mod.ts";
import { errata, truncationClasses } from "../../cases/mod.ts";
import { type Aspect, isMissing, type Item } from "./aspect.ts";
import { fieldsCovered } from "./fields.ts";
import { membersCovered } from "./members.ts";
import { pairsCovered } from "./pairs.ts";
import { rulesCovered } from "./rules.ts";
import { aloneIn } from "./witnesses.ts";

const DIRECTORIES = ["corpus/images", "golden/images"].map((directory) =>
  new URL(`../../../${directory}`, import.meta.url).pathname
);

/** What the recorded images cover. */
export function coverage(): { readonly aspects: readonly Aspect[]; readonly alone: Item[] } {
  const records = DIRECTORIES.flatMap((it) => imagesIn(it)).map(({ load }) => load().record);
  const recorded = new Set(records.map(({ name }) => name));
  return {
    aspects: [
      { name: "rules", items: rulesCovered(recorded) },
      { name: "fields", items: [...fieldsCovered(recorded), ...membersCovered(recorded)] },
      { name: "pairs", items: pairsCovered(records) },
      { name: "truncations", items: truncationClasses.map((name) => named(name, recorded)) },
      { name: "errata", items: errataCovered(recorded) },
    ],
    alone: aloneIn(records),
  };
}

function named(name: string, recorded: ReadonlySet<string>): Item {
  return { name, images: recorded.has(name) ? [name] : [] };
}

/** Each erratum; every image that it names must exist. */
function errataCovered(recorded: ReadonlySet<string>): Item[] {
  return errata.map(({ says: name, images = [], because }) => ({
    name,
    images: images.every((image) => recorded.has(image)) ? images : [],
    ...because === undefined ? {} : { because },
  }));
}

/**
 * `corpus coverage`: prints what the images cover.
 *
 * @returns 0, or 1 if something has neither an image nor a reason why there is none
 * @throws {UsageError} when the command line cannot be used
 */
export function printCoverage(args: readonly string[]): number {
  const { positional: [name, ...others] } = parseOptions(args, {});
  const { aspects, alone } = coverage();
  const lists = [...aspects, { name: "alone", items: alone }];
  const listed = lists.find((it) => it.name === name);
  if (others.length > 0 || (name !== undefined && listed === undefined)) {
    const known = lists.map((it) => it.name).join(", ");
    throw new UsageError(`unexpected argument '${others[0] ?? name}' (lists: ${known})`);
  }
  if (listed !== undefined) listed.items.forEach((item) => print(lineOf(item)));
  else aspects.forEach((aspect) => print(summaryOf(aspect)));
  if (listed === undefined) {
    print(`alone: ${alone.length} images have an answer for which only diskproof vouches`);
  }
  const missing = aspects.flatMap(({ items }) => items.filter(isMissing));
  if (listed === undefined) missing.forEach((item) => print(lineOf(item)));
  return missing.length > 0 ? 1 : 0;
}

function summaryOf({ name, items }: Aspect): string {
  const shown = items.filter(({ images }) => images.length > 0).length;
  const missing = items.filter(isMissing).length;
  return `${name}: ${items.length}, ${shown} with images, ${
    items.length - shown - missing
  } with a reason why there are none, ${missing} missing`;
}

function lineOf({ name, images, because }: Item): string {
  return `${name}: ${images.length > 0 ? images.join(" ") : because ?? "missing"}`;
}
