/** Origin of a rule. */
export type RuleClass =
  /** The published format (for qcow version 1, which has none: inherent in its layout). */
  | "spec"
  /** An implementation limit of qemu-img, narrower than the format. */
  | "limit"
  /** Behaviour of qemu-img that the format does not define or that contradicts it. */
  | "qemu";

/** Requirement level as in RFC 2119. Only a broken `must` affects the verdict. */
export type Level = "must" | "should" | "may";

/** Behaviour of the public qemu-img for an image that breaks the rule. */
export type Effect =
  /** Opening the image fails, and nothing can be read. */
  | "refused-at-open"
  /** The image can be opened, but reading the place fails. */
  | "fails-at-access"
  /** A write, or opening the image for writing, fails. */
  | "refused-at-write"
  /** `check` counts a corruption. */
  | "corruption"
  /** `check` counts a leaked cluster. */
  | "leak"
  /** `check` counts an error of its own, or ends early. */
  | "check-error"
  /** A message is printed. */
  | "warning"
  /** None. */
  | "ignored"
  /** It depends on something that was not read. */
  | "unknown";

/**
 * The ways in which qemu-img opens an image: `info` reads only the header, `read` is any read of
 * content, `check` tolerates the problems that it reports, and `write` is any open for writing.
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
  /** For `refused-at-open`: the openings that fail; all of them by default. */
  readonly opens?: readonly Opening[];
  /** It does not apply with the dirty bit, because refcounts may then be stale. */
  readonly excusedWhenDirty?: boolean;
  /** Reference for the sentence. */
  readonly section: string;
  /** The requirement or behaviour, as a sentence. */
  readonly says: string;
}
