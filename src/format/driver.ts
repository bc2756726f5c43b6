import type { ByteSource } from "../bytes/mod.ts";
import type { Findings } from "../rules/mod.ts";
import type { Anatomy, AnatomyOptions } from "./anatomy.ts";
import type { Dialect } from "./dialect.ts";
import type { Broken, Layer } from "./layer.ts";

/** Work that may still be done; whoever does some takes it off. */
export interface WorkBudget {
  /** Work that is left. */
  left: number;
}

/** What a driver is told that the image does not say. */
export interface DriverOptions {
  /** Each is tried, in this order; without any, encrypted content cannot be read. */
  readonly passphrases?: readonly Uint8Array[];
  /** Work that trying passphrases may take: iterations of PBKDF2 with SHA-256, or as much of others. */
  readonly iterationsMax?: number;
  /** What is left of that where several images share it. */
  readonly budget?: WorkBudget;
  /** For a detached header: what holds its payload. */
  readonly payload?: ByteSource;
  /** For `qcow2`: read the image as this draft of the format says, and not as the format does. */
  readonly dialect?: Dialect;
}

/** How images of a format are recognised and read. */
export interface FormatDriver {
  /**
   * Whether QEMU's probing finds the format in these first 512 bytes (zero-padded) of a file.
   *
   * @param name of the file, where it has one
   */
  probe(head: Uint8Array, name?: string): boolean;
  /** QEMU's score where it does: the format with the highest one is the right one; by default 100. */
  readonly score?: number;
  /** Whether a file is of the format, for a format that QEMU's probing does not know. */
  detect?(source: ByteSource): boolean;
  /** Why a file with these first 512 bytes is raw to QEMU, although it looks like the format. */
  nearMiss?(head: Uint8Array): Broken | undefined;
  /** The header may be in a file of its own, beside the payload. */
  readonly detaches?: boolean;
  /**
   * Decodes an image and judges what an open looks at. Total: whatever is wrong becomes a finding.
   *
   * @returns the layer, or `undefined` where too little of the image is sound to walk it
   */
  open(source: ByteSource, findings: Findings, options?: DriverOptions): Layer | undefined;
  /** What an image file is made of. Total, and bounded whatever the image says. */
  anatomy(source: ByteSource, options: AnatomyOptions): Anatomy;
}
