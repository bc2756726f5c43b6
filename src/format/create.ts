import type { Segment } from "../bytes/mod.ts";
import type { DiskContent } from "./disk_content.ts";

/** Bytes and their position in one of the files of a new image. */
export interface CreatedPart extends Segment {
  /** `header`: the file of a detached header; `data`: an external data file. */
  readonly file: "image" | "header" | "data";
}

/** Lengths in bytes of the files of an image. */
export type CreatedSizes = Readonly<
  Partial<Record<CreatedPart["file"], number>> & { image: number }
>;

/**
 * Generates the parts of a new image in no particular order. A part is valid until the next one.
 * Empty parts are generated while long ranges of zeros are skipped. Ranges without a part are zeros.
 * The return value is the lengths of the files.
 */
export type CreatedParts = Generator<CreatedPart, CreatedSizes>;

/**
 * The options of a format for a new image, like `-o NAME=VALUE` of qemu-img. The methods throw if a
 * value is not accepted.
 */
export interface CreationOptions {
  /** The value of an option as text. */
  text(name: string): string | undefined;
  /** `on` or `off`; `off` by default. */
  flag(name: string): boolean;
  /** The value of an option that has to be one of `choices`. */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined;
  /** A positive integer. */
  whole(name: string): number | undefined;
  /** A number of bytes. */
  size(name: string): number | undefined;
  /** The first one of these names that was given. */
  given(names: readonly string[]): string | undefined;
}

/** A request for a new image. */
export interface ImageRequest {
  /** The options of the format. */
  readonly options: CreationOptions;
  /** Size of the disk in bytes, a multiple of the sector size. */
  readonly size: number;
  /** The content of the new image; empty where it is absent. */
  readonly content?: DiskContent;
  /** The passphrases. */
  readonly passphrases: readonly Uint8Array[];
  /** The backing file. */
  readonly backing?: { readonly name: string; readonly format: string };
  /** Whether clusters are compressed. */
  readonly compressed: boolean;
  /** The header is written to a separate file. */
  readonly detached: boolean;
  /** Generates random bytes. */
  random(length: number): Uint8Array;
}

/** Creates new images with given content. */
export interface FormatCreator<Creation> {
  /** The names of the supported options of `-o`. */
  readonly options: readonly string[];
  /** An image may have a backing file. */
  readonly backing?: true;
  /** Content may be compressed. */
  readonly compresses?: true;
  /**
   * Parses a request.
   *
   * @throws {RangeError} if options conflict or are out of range
   */
  plan(request: ImageRequest): Creation;
  /**
   * Creates an image.
   *
   * @throws {RangeError} if options conflict or are out of range
   */
  make(creation: Creation): CreatedParts;
}

/** @throws {RangeError} if there is a passphrase */
export function mustHaveNoPassphrase({ passphrases }: ImageRequest): void {
  if (passphrases.length === 0) return;
  throw new RangeError("a passphrase is given, but the image is not encrypted");
}

/** Why a passphrase cannot be used for an image that only QEMU opens; `undefined` if it can. */
export function whyNotInQemu(passphrase: Uint8Array): string | undefined {
  if (!passphrase.includes(0) && isUtf8(passphrase)) return undefined;
  return "Cannot use the passphrase: QEMU, which opens such images, accepts only UTF-8 without NUL " +
    "bytes";
}

/** @throws {RangeError} if QEMU does not accept the whole passphrase */
export function mustSuitQemu(passphrase: Uint8Array): void {
  const reason = whyNotInQemu(passphrase);
  if (reason !== undefined) throw new RangeError(reason);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The options of every format with the legacy AES, and of those that have a backing file. */
export const ENCRYPTION_OPTIONS: readonly string[] = ["encryption", "encrypt.format"];
export const BACKING_OPTIONS: readonly string[] = ["backing_file", "backing_fmt"];

/** The requested kind of encryption; `encryption=on` is the old name of the legacy AES. */
export function encryptionKind<K extends string>(
  options: CreationOptions,
  kinds: readonly K[],
): K | "aes" | undefined {
  const kind = options.choice("encrypt.format", kinds);
  return kind ?? (options.flag("encryption") ? "aes" : undefined);
}

/** @throws {RangeError} if there is not exactly one passphrase, or QEMU does not accept it */
export function onlyPassphrase({ passphrases }: ImageRequest): Uint8Array {
  const [passphrase, ...others] = passphrases;
  if (passphrase === undefined || others.length > 0) {
    throw new RangeError("the legacy AES requires exactly one passphrase (--passphrase-file)");
  }
  mustSuitQemu(passphrase);
  return passphrase;
}
