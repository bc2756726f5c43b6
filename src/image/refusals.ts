import { type Finding, type Opening, refuses, ruleOf } from "../rules/mod.ts";
import type { OpenedImage } from "./opened_image.ts";

/**
 * Why the content of an image cannot be read, which is not the same as why qemu-img does not open it:
 * of encryption there is more than QEMU knows. `undefined` where the layer reads.
 */
export function readRefusal(image: OpenedImage): Finding | undefined {
  return accessRefusal(image, "read");
}

function accessRefusal(image: OpenedImage, opening: "read" | "write"): Finding | undefined {
  const { findings, layer, definition: { verdict } } = image;
  const refusals = findings.list().filter(({ rule }) => refuses(ruleOf(rule), opening));
  if (layer?.unlocked !== true) return refusals[0];
  return refusals.find((finding) =>
    verdict.readsDespite?.(finding) !== true && !isOfDraft(image, finding)
  );
}

/**
 * Why an opening is refused here; for reading and writing, what {@link readRefusal} leaves out does not
 * count. `info` of a header alone is not refused. What the draft that an image is read as breaks of the
 * format refuses nothing.
 */
export function openRefusal(image: OpenedImage, opening: Opening): Finding | undefined {
  if (opening === "read" || opening === "write") return accessRefusal(image, opening);
  const { headerAlone } = image.definition.verdict;
  return image.findings.list().find((finding) =>
    refuses(ruleOf(finding.rule), opening) && !isOfDraft(image, finding) &&
    !(opening === "info" && finding.rule === headerAlone)
  );
}

/** Whether every image of the draft that this one is read as breaks the rule. */
function isOfDraft({ dialect, definition: { verdict } }: OpenedImage, { rule }: Finding): boolean {
  return dialect !== undefined && verdict.drafts?.[dialect]?.breaks.has(rule) === true;
}
