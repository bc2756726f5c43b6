/** One cluster out of a compressed stream, or why there is none. */
export type Decompressed =
  | {
    readonly ok: true;
    /** Exactly one cluster. The receiver's own: no part of the input. */
    readonly bytes: Uint8Array;
  }
  | {
    readonly ok: false;
    /** Why QEMU refuses the stream: a fragment that ends a sentence after a colon. */
    readonly reason: string;
  };

/** The refusal with its reason. */
export function refused(reason: string): Decompressed {
  return { ok: false, reason };
}
