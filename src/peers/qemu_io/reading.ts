import type { ChainImage, Subject } from "../peer.ts";
import type { AllocationRun } from "./text.ts";

/** An image, and the length to read. */
export interface Reading extends Omit<Subject, "directory"> {
  /** Name of the format. */
  readonly format: string;
  /** Bytes from the start of the guest's disk on; zeros are read past its end. */
  readonly size: number;
  /** Bytes of one read where reading everything at once fails; a multiple of 512. */
  readonly unit?: number;
  /** Whether the map is read, as it is by default. QEMU counts each cluster of a long hole for it. */
  readonly mapped?: boolean;
  /**
   * The whole content, where the caller can say it. QEMU compares it while it reads, which takes half as
   * long as handing out what was read.
   */
  readonly expected?: Uint8Array;
  /** The length of the disk that goes with `expected`; `size` by default. */
  readonly length?: number;
  /**
   * The first images of a chain of which not all is known, as the caller reads them. qemu-img is called
   * only where qemu-io lacks a key with them, or does not know what a key is for.
   */
  readonly likely?: readonly ChainImage[];
  /** Where no content is expected, because reading should fail; of one unit each. */
  readonly unreadable?: Content["unreadable"];
}

/** The content of an image. */
export interface Content {
  /** As long as requested; zeros where nothing could be read. */
  readonly bytes: Uint8Array;
  /** Where reading failed, as with an input/output error, in units of the reading. */
  readonly unreadable: readonly { readonly start: number; readonly length: number }[];
}

/** Content and allocation in one answer. */
export interface Examination extends Content {
  /** The allocation of the disk. */
  readonly map: readonly AllocationRun[];
}
