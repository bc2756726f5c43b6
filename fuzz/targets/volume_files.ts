import * as fc from "fast-check";
import { type ByteSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage } from "../../src/format/mod.ts";
import {
  type KeyOptions,
  openBytes,
  openDetachedBytes,
  type OpenedImage,
} from "../../src/image/mod.ts";
import type { CaseFile } from "../engine/target.ts";
import { PASSPHRASES } from "../generate/encryption.ts";

/** What the targets for LUKS volumes of either version have in common about files and passphrases. */

/** What a volume is opened with: the passphrase of its last key, one of no key, or nothing. */
export type KeyChoice = "right" | "wrong" | "none";

/** The same in words. */
export const KEY_WORDS: Readonly<Record<KeyChoice, string>> = {
  right: "the passphrase of the last key that is tried",
  wrong: "a passphrase of no key",
  none: "no passphrase",
};

/** The files of a volume. */
export interface VolumeFiles {
  /** What starts with the header. */
  readonly header: ByteSource;
  /** The payload of a detached header. */
  readonly payload?: ByteSource;
}

/** Of so many volumes one is large: the numbers of its last sectors take more than a byte. */
export const LARGE_SHARE = 6;
const SMALL_MAX = 2 ** 13;
const LARGE_MAX = 2 ** 18;

/**
 * Models of volumes, of which few are large.
 *
 * @param models those with payloads of at most so many bytes
 */
export function mostlySmall<Model>(
  models: (sizeMax: number) => fc.Arbitrary<Model>,
): fc.Arbitrary<Model> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: LARGE_SHARE - 1, arbitrary: models(SMALL_MAX) },
    { weight: 1, arbitrary: models(LARGE_MAX) },
  );
}

/** The bytes of a built file. */
export function sourceOf({ segments, size }: BuiltImage): ByteSource {
  return new SegmentSource(segments, size);
}

/** The files of a case, by names that may have a number in them. */
export function caseFiles({ header, payload }: VolumeFiles, { number = "" } = {}): CaseFile[] {
  return [
    { name: `volume${number}.luks`, source: header },
    ...(payload === undefined ? [] : [{ name: `payload${number}.raw`, source: payload }]),
  ];
}

/** Opens a volume; one that is attached as of that version, whatever it looks like. */
export function openVolume(
  { header, payload }: VolumeFiles,
  format: "luks" | "luks2",
  keys: KeyOptions,
): OpenedImage {
  return payload === undefined
    ? openBytes(header, format, keys)
    : openDetachedBytes(payload, header, keys);
}

/** A passphrase of none of the keys. */
export function strangePassphrase(keys: readonly { readonly passphrase: string }[]): string {
  const used = keys.map(({ passphrase }) => passphrase);
  return PASSPHRASES.find((passphrase) => !used.includes(passphrase)) ?? "not one of these";
}

/** A passphrase as an implementation takes it. */
export function utf8(passphrase: string): Uint8Array {
  return new TextEncoder().encode(passphrase);
}
