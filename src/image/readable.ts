import { type Finding, type Opening, refuses, ruleOf } from "../rules/mod.ts";
import type { OpenedImage } from "./opened.ts";

/**
 * Why the content of an image cannot be read, which is not the same as why qemu-img does not open it:
 * of encryption there is more than QEMU knows. `undefined` where the layer reads.
 */
export function readRefusal({ findings, layer }: OpenedImage): Finding | undefined {
  const refusals = findings.list().filter(({ rule }) => refuses(ruleOf(rule), "read"));
  if (layer?.unlocked !== true) return refusals[0];
  return refusals.find(({ rule, class: ruleClass }) =>
    !(rule.startsWith("luks.") && ruleClass !== "spec") && !FORGIVEN_DRAFT.has(rule)
  );
}

/**
 * Why an opening is refused here; for reading that is {@link readRefusal}. What the draft that an image
 * is read as breaks of the format refuses nothing.
 */
export function openRefusal(image: OpenedImage, opening: Opening): Finding | undefined {
  if (opening === "read") return readRefusal(image);
  return image.findings.list().find(({ rule }) =>
    refuses(ruleOf(rule), opening) && !(image.dialect !== undefined && FORGIVEN_DRAFT.has(rule))
  );
}

/** What an image by the draft of 2016 breaks; it is unlocked only where it is read as one. */
const FORGIVEN_DRAFT: ReadonlySet<string> = new Set([
  "qcow2.crypt.luks-ext-present",
  "qcow2.ext.length-in-area",
]);
