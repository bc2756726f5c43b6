import * as fc from "fast-check";
import type { LegacyEncryption } from "../../src/qcow2/mod.ts";
import { mostly, picks } from "./values.ts";

/** How often generated images are encrypted, and with which passphrases. */
export interface EncryptionOptions {
  /** Whether none of the images is encrypted, which is the default, about one in six, or all. */
  readonly encryption?: "none" | "some" | "all";
  /** The passphrases of encrypted images: {@link PASSPHRASES} by default. */
  readonly passphrases?: readonly string[];
}

/**
 * All passphrases of generated images: few, because a process of qemu-io knows those that it was
 * started with and no others. Some are longer than the key of the legacy encryption; two of these have
 * the same first 16 bytes.
 */
export const PASSPHRASES: readonly string[] = [
  "secret",
  "",
  "pässwörd",
  "twenty bytes of text",
  "twenty bytes of a longer text, é",
];

/** One image in so many is encrypted. */
const SHARE = 6;

/** An encryption in a share of the images. */
export function sometimes<Encryption>(
  encryptions: fc.Arbitrary<Encryption>,
  { encryption = "none" }: EncryptionOptions,
): fc.Arbitrary<Encryption | undefined> {
  if (encryption === "all") return encryptions;
  const none: fc.Arbitrary<Encryption | undefined> = fc.constant(undefined);
  return encryption === "none" ? none : mostly(undefined, encryptions, SHARE - 1);
}

/** The legacy encryption of qcow and qcow2. */
export function legacyEncryptions(
  { passphrases = PASSPHRASES }: EncryptionOptions = {},
): fc.Arbitrary<LegacyEncryption> {
  return fc.record({ kind: fc.constant("aes"), passphrase: picks(passphrases) });
}

/** The passphrase that opens an image. */
export type KeyChoice = "right" | "wrong" | "none";

/** The same in words. */
export const KEY_WORDS: Readonly<Record<KeyChoice, string>> = {
  right: "the right passphrase",
  wrong: "a passphrase of no key",
  none: "no passphrase",
};

/** A choice of passphrase, with these weights. */
export function keyChoices(
  weights: Readonly<Partial<Record<KeyChoice, number>>>,
): fc.Arbitrary<KeyChoice> {
  const choices = Object.entries(weights) as [KeyChoice, number][];
  return fc.oneof(
    ...choices.map(([choice, weight]) => ({ weight, arbitrary: fc.constant(choice) })),
  );
}

/** A passphrase that is not in use. */
export function strangePassphrase(used: readonly string[]): string {
  return PASSPHRASES.find((passphrase) => !used.includes(passphrase)) ?? "not one of these";
}
