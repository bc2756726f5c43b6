import type { ByteSource } from "../bytes/mod.ts";
import type { KeptKeys } from "../crypto/mod.ts";
import type { Dialect, Format, Layer } from "../format/mod.ts";
import type { Findings } from "../rules/mod.ts";

/** What encrypted content is read with. */
export interface KeyOptions {
  /** Each is tried on every encrypted image of the chain. */
  readonly passphrases?: readonly Uint8Array[];
  /**
   * Work that trying the passphrases on all images may take: iterations of PBKDF2 with SHA-256, or as
   * much of others.
   */
  readonly iterationsMax?: number;
  /** Keys of slots that were opened before, for a caller that opens the same volumes many times. */
  readonly keptKeys?: KeptKeys;
  /** Read a qcow2 image as this draft of the format says. */
  readonly dialect?: Dialect;
}

/** What an image is read with. */
export interface ReadOptions extends KeyOptions {
  /** The formats that are known; those of `formats.ts` where it is absent. */
  readonly formats?: readonly Format[];
}

/** How an image is opened. */
export interface OpenOptions extends ReadOptions {
  /** The format, or its name; probed where absent. */
  readonly format?: Format | string;
  /** Where the format is probed: also for what QEMU does not know, LUKS version 2. */
  readonly detect?: boolean;
  /** The directory that a relative path is relative to; the caller's own where absent. */
  readonly directory?: string;
  /** The directory below which files that the image names may be opened; by default its own folder. */
  readonly root?: string;
  /** `false`: no other file is opened, and a finding says so for each that the image names. */
  readonly follow?: boolean;
  /** Do not look at backing files and data files at all. */
  readonly alone?: boolean;
  /** File with the detached LUKS header of the image, relative to `directory` like it. */
  readonly header?: string;
}

/** An image file with what it refers to, decoded and judged as far as an open looks. */
export interface OpenedImage {
  /** Path of the image file, or a name for bytes without one. */
  readonly path: string;
  /** Name of the format. */
  readonly format: string;
  /** What is known of the format. */
  readonly definition: Format;
  /** The bytes of the image file. */
  readonly source: ByteSource;
  /** A detached LUKS header: `source` is the file with its payload. */
  readonly header?: ByteSource;
  /** The image whose content is the payload of a detached LUKS header, where that is not the file itself. */
  readonly payload?: OpenedImage;
  /** The draft of the format that the image was read as. */
  readonly dialect?: Dialect;
  /** Findings of this file; those of its backing files are theirs. */
  readonly findings: Findings;
  /** Absent where too little of the image is sound to walk it. */
  readonly layer?: Layer;
  /** The backing file; absent where there is none or it was not opened. */
  readonly backing?: OpenedImage;
  /** The image names a backing file or a data file that was not opened: content may be missing. */
  readonly incomplete: boolean;
  /** Closes the files of the whole chain. */
  close(): void;
}
