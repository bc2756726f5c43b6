import type { Finding } from "./finding.ts";
import { ruleOf } from "./table.ts";

/**
 * The verdict of the format on an image: `invalid` if it breaks a `must` of the specification,
 * `implementation-defined` if it breaks only rules of implementations, else `valid`;
 * `unknown` for a format that is not read.
 */
export type SpecVerdict = "valid" | "invalid" | "implementation-defined" | "unknown";

/** The verdict of the format over the findings of one image. */
export function specVerdict(
  findings: readonly Finding[],
  image: { dirty: boolean } = { dirty: false },
): SpecVerdict {
  const broken = findings.map((finding) => ruleOf(finding.rule))
    .filter((rule) => rule.level === "must")
    .filter((rule) => !(image.dirty && rule.excusedWhenDirty === true));
  if (broken.some((rule) => rule.class === "spec")) return "invalid";
  return broken.length > 0 ? "implementation-defined" : "valid";
}
