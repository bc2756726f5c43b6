import type { Segment } from "../bytes/mod.ts";
import type { DiskContent } from "./disk_content.ts";

/** Bytes at their place in one of the files of a new image. */
export interface CreatedPart extends Segment {
  /** `header`: the file of a detached header; `data`: an external data file. */
  readonly file: "image" | "header" | "data";
}

/** Lengths in bytes of the files that an image has. */
export type CreatedSizes = Readonly<
  Partial<Record<CreatedPart["file"], number>> & { image: number }
>;

/**
 * A new image in the making. Parts come in no order, each is good until the next one, and an empty one
 * comes now and then while there are zeros to skip; at last come the lengths of the files. What no part
 * covers is zeros.
 */
export type CreatedParts = Generator<CreatedPart, CreatedSizes>;

/**
 * The options of a format for a new image, as `-o NAME=VALUE` of qemu-img. A value that an option does not
 * accept is an error of whoever reads them.
 */
export interface CreationOptions {
  /** The value of an option as text. */
  text(name: string): string | undefined;
  /** `on` or `off`, which it is where it is absent. */
  flag(name: string): boolean;
  /** The value of an option that has to be one of `choices`. */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined;
  /** A whole number from 1 on. */
  whole(name: string): number | undefined;
  /** A number of bytes. */
  size(name: string): number | undefined;
  /** The first one of these names that was given. */
  given(names: readonly string[]): string | undefined;
}

/** A new image as a person asks for it. */
export interface ImageRequest {
  /** The options of the format. */
  readonly options: CreationOptions;
  /** Of the disk in bytes: whole sectors. */
  readonly size: number;
  /** The content of the new image; empty where it is absent. */
  readonly content?: DiskContent;
  /** The passphrases. */
  readonly passphrases: readonly Uint8Array[];
  /** The backing file. */
  readonly backing?: { readonly name: string; readonly format: string };
  /** Whether clusters are compressed. */
  readonly compressed: boolean;
  /** The header goes into a file of its own. */
  readonly detached: boolean;
  /** Random bytes. */
  random(length: number): Uint8Array;
}

/** Makes new images with given content. */
export interface FormatCreator<Creation> {
  /** The options that an image has, by their names in `-o`. */
  readonly options: readonly string[];
  /** An image may have a backing file. */
  readonly backing?: true;
  /** Content may be compressed. */
  readonly compresses?: true;
  /**
   * What an image is made from.
   *
   * @throws {RangeError} when what is asked for does not go together, or is out of its range
   */
  plan(request: ImageRequest): Creation;
  /**
   * Makes an image.
   *
   * @throws {RangeError} when what it is made from does not go together, or is out of its range
   */
  make(creation: Creation): CreatedParts;
}

/** @throws {RangeError} when there is a passphrase */
export function mustHaveNoPassphrase({ passphrases }: ImageRequest): void {
  if (passphrases.length === 0) return;
  throw new RangeError("a passphrase is given, but the image is not encrypted");
}

/** Why a passphrase is of no use for an image that only QEMU opens; `undefined` where it is. */
export function whyNotInQemu(passphrase: Uint8Array): string | undefined {
  if (!passphrase.includes(0) && isUtf8(passphrase)) return undefined;
  return "Cannot use the passphrase: QEMU, which opens such images, accepts only UTF-8 without NUL " +
    "bytes";
}

/** @throws {RangeError} when QEMU does not accept the whole passphrase */
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

/** The kind of encryption that is asked for; `encryption=on` is the old name of the legacy AES. */
export function encryptionKind<K extends string>(
  options: CreationOptions,
  kinds: readonly K[],
): K | "aes" | undefined {
  const kind = options.choice("encrypt.format", kinds);
  return kind ?? (options.flag("encryption") ? "aes" : undefined);
}

/** @throws {RangeError} when there is not exactly one passphrase, or QEMU does not accept it */
export function onlyPassphrase({ passphrases }: ImageRequest): Uint8Array {
  const [passphrase, ...others] = passphrases;
  if (passphrase === undefined || others.length > 0) {
    throw new RangeError("the legacy AES requires exactly one passphrase (--passphrase-file)");
  }
  mustSuitQemu(passphrase);
  return passphrase;
}
