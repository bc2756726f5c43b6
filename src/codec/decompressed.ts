/** One cluster of a compressed stream, or the reason why there is none. */
export type Decompressed =
  | {
    readonly ok: true;
    /** Exactly one cluster. It shares no memory with the input. */
    readonly bytes: Uint8Array;
  }
  | {
    readonly ok: false;
    /** Why QEMU rejects the stream: a phrase that ends a sentence after a colon. */
    readonly reason: string;
  };

/** A rejected stream with the reason. */
export function refused(reason: string): Decompressed {
  return { ok: false, reason };
}
