import type { ByteSource } from "../bytes/mod.ts";
import type { KeptKeys } from "../crypto/mod.ts";
import type { Findings } from "../rules/mod.ts";
import type { Anatomy, AnatomyOptions } from "./anatomy.ts";
import type { Dialect } from "./dialect.ts";
import type { Broken, Layer } from "./layer.ts";
import type { KnownFacts, Remains } from "./remains.ts";

/** Remaining work, from which all users subtract. */
export interface WorkBudget {
  /** Work that is left. */
  left: number;
}

/** Information for a driver that is not in the image. */
export interface DriverOptions {
  /** Passphrases, attempted in this order. Without any, encrypted content cannot be read. */
  readonly passphrases?: readonly Uint8Array[];
  /** Limit on the work for passphrase attempts, in iterations of PBKDF2 with SHA-256 or equivalents. */
  readonly iterationsMax?: number;
  /** The remaining work, if several images share it. */
  readonly budget?: WorkBudget;
  /** Keys of slots that were opened before, for a caller that opens the same volumes many times. */
  readonly keptKeys?: KeptKeys;
  /** For a detached header: the source of its payload. */
  readonly payload?: ByteSource;
  /** For `qcow2`: read the image according to this draft instead of the format. */
  readonly dialect?: Dialect;
}

/** Recognises and reads images of a format. */
export interface FormatDriver {
  /**
   * Whether QEMU's probing detects the format from the first 512 bytes (zero-padded) of a file.
   *
   * @param name of the file, if it has one
   */
  probe(head: Uint8Array, name?: string): boolean;
  /** QEMU's probing score, 100 by default: the format with the highest score is used. */
  readonly score?: number;
  /** Whether a file is of the format, for a format that QEMU's probing does not detect. */
  detect?(source: ByteSource): boolean;
  /** Why QEMU treats a file with these first 512 bytes as raw, although it resembles the format. */
  nearMiss?(head: Uint8Array): Broken | undefined;
  /** The header may be in a separate file. */
  readonly detaches?: boolean;
  /**
   * Decodes an image and judges what is checked on open. Total: every problem becomes a finding.
   *
   * @returns the layer, or `undefined` if the image is too damaged
   */
  open(source: ByteSource, findings: Findings, options?: DriverOptions): Layer | undefined;
  /**
   * What a file whose header is lost shows of an image of the format, best first. Total; reads the file
   * once and some of its tables again.
   */
  scan?(source: ByteSource, known: KnownFacts): readonly Remains[];
  /** A sign of an image whose header is lost, where it costs next to nothing to find; a sentence. */
  hint?(source: ByteSource): string | undefined;
  /** The structures of an image file. Total, and bounded for any input. */
  anatomy(source: ByteSource, options: AnatomyOptions): Anatomy;
}
