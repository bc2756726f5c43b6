/** Who demands it. */
export type RuleClass =
  /** The published format (for qcow version 1, which has none: inherent in its layout). */
  | "spec"
  /** An implementation limit of qemu-img, narrower than the format. */
  | "limit"
  /** Behaviour of qemu-img that the format neither demands nor forbids, or contradicts. */
  | "qemu";

/** How strongly, in the sense of RFC 2119. Only a broken `must` weighs on a verdict. */
export type Level = "must" | "should" | "may";

/** What public qemu-img does with an image that breaks the rule. */
export type Effect =
  /** The open fails, and nothing can be read. */
  | "refused-at-open"
  /** The open works; reading the place fails. */
  | "fails-at-access"
  /** A write, or the open for writing, is refused. */
  | "refused-at-write"
  /** `check` counts a corruption. */
  | "corruption"
  /** `check` counts a leaked cluster. */
  | "leak"
  /** `check` counts an error of its own, or ends early. */
  | "check-error"
  /** A message, and things go on. */
  | "warning"
  /** Nothing at all. */
  | "ignored"
  /** What happens depends on what was not looked at. */
  | "unknown";

/**
 * The ways in which qemu-img opens an image: `info` looks at the header alone, `read` is every
 * reading of content, `check` tolerates what it is there to report, `write` is any writable open.
 */
export type Opening = "info" | "read" | "check" | "write";

/** One sentence that an image can break. */
export interface Rule {
  /** Stable slug, never reused. */
  readonly id: string;
  /** The kind of the rule. */
  readonly class: RuleClass;
  /** Whether the format says must, should or may. */
  readonly level: Level;
  /** What the public tool does with such an image. */
  readonly effect: Effect;
  /** For `refused-at-open`: the openings that refuse. All of them where it is absent. */
  readonly opens?: readonly Opening[];
  /** The dirty bit excuses it: refcounts may then be stale. */
  readonly excusedWhenDirty?: boolean;
  /** Where the sentence stands. */
  readonly section: string;
  /** What has to hold, or what happens, in a sentence. */
  readonly says: string;
}
