import { type Finding, refuses, ruleOf } from "../rules/mod.ts";
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

/** What an image by the draft of 2016 breaks; it is unlocked only where it is read as one. */
const FORGIVEN_DRAFT: ReadonlySet<string> = new Set([
  "qcow2.crypt.luks-ext-present",
  "qcow2.ext.length-in-area",
]);
