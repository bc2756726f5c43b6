import type { FailureKind, Operation } from "../peers/mod.ts";

/** How an implementation answered a question about an image. */
export interface Observation {
  readonly image: string;
  readonly operation: Operation;
  /** What reading the image requires. */
  readonly features: readonly string[];
  /** What else the image was made to show. */
  readonly shows?: readonly string[];
  /** The rule that the image breaks, or just keeps. */
  readonly rule?: string;
  /** The rules because of which it must be rejected. */
  readonly broken?: readonly string[];
  /** Absent for an accepted and right answer. Other observations show nothing. */
  readonly kind?: FailureKind;
  /** The member of the answer that is wrong, without indices: `/virtual-size`. */
  readonly member?: string;
  /** For a crash or a hang: what the implementation printed; empty if it printed nothing. */
  readonly message?: string;
}
