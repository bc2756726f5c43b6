import { hasCause, type KnownCause } from "./causes.ts";

/** Passing cases that are kept. */
const KEPT_MAX = 512;

/** What the cases of a target have shown about causes. */
export class Evidence {
  readonly #passing: (readonly string[])[] = [];
  readonly #counts = new Map<string, { failed: number; passed: number }>();
  #next = 0;

  /** The traits of the last passing cases. */
  get passing(): readonly (readonly string[])[] {
    return this.#passing;
  }

  /** A case with these traits has passed. */
  passed(traits: readonly string[], causes: readonly KnownCause[]): void {
    if (traits.length === 0) return;
    this.#passing[this.#next++ % KEPT_MAX] = traits;
    for (const cause of causes) {
      if (hasCause(traits, cause)) this.#countOf(cause).passed++;
    }
  }

  /** A case has failed for a known cause. */
  failed(cause: KnownCause): void {
    this.#countOf(cause).failed++;
  }

  /**
   * Whether most cases with a cause fail. Otherwise they may fail for another reason, and are not left
   * out.
   */
  mostlyFails(cause: KnownCause): boolean {
    const { failed, passed } = this.#countOf(cause);
    return failed >= passed;
  }

  #countOf({ id }: KnownCause): { failed: number; passed: number } {
    const count = this.#counts.get(id) ?? { failed: 0, passed: 0 };
    this.#counts.set(id, count);
    return count;
  }
}
