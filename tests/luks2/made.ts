/** LUKS2 volumes that cryptsetup makes and fills: `cryptsetup reencrypt --encrypt` needs no device. */

import { run, succeed } from "../luks1/live.ts";

/** A volume to be made, and what is in it. */
export interface Making {
  readonly passphrase: string;
  readonly content: Uint8Array;
  /** Options of luksFormat: cipher, sector size, key derivation. */
  readonly options: readonly string[];
  readonly detached?: boolean;
}

/** The files of a volume. */
export interface MadeVolume {
  /** The file that starts with the header. */
  readonly path: string;
  /** The file with the payload of a detached header. */
  readonly payload?: string;
}

/** Key derivations that take no time. */
export const QUICK_PBKDF2: readonly string[] = [
  ...["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"],
];
export const QUICK_ARGON2ID: readonly string[] = [
  ...["--pbkdf", "argon2id", "--pbkdf-force-iterations", "4"],
  ...["--pbkdf-memory", "32", "--pbkdf-parallel", "2"],
];

/** What the data is moved by, twice the size of the header. */
const SHIFT = 2 ** 25;

/**
 * Has cryptsetup encrypt a file with content, in place: with the header in front of it, or in a file of
 * its own. Volumes with an attached header are followed by what the header was taken from.
 */
export async function encryptWithCryptsetup(path: string, making: Making): Promise<MadeVolume> {
  const { content, detached = false } = making;
  await Deno.writeTextFile(`${path}.passphrase`, making.passphrase);
  const data = new Uint8Array(content.length + (detached ? 0 : SHIFT));
  data.set(content);
  const file = detached ? `${path}.payload` : path;
  await Deno.writeFile(file, data);
  const place = detached ? ["--header", path] : ["--reduce-device-size", String(SHIFT)];
  await succeed([
    ...["cryptsetup", "reencrypt", "--encrypt", "--type", "luks2", "--batch-mode"],
    ...["--key-file", `${path}.passphrase`, ...making.options, ...place, file],
  ]);
  return detached ? { path, payload: file } : { path };
}

/** Has cryptsetup make a volume whose payload is zeros that nobody has encrypted. */
export async function formatWithCryptsetup(
  path: string,
  { passphrase, options }: Pick<Making, "passphrase" | "options">,
): Promise<void> {
  await Deno.writeTextFile(`${path}.passphrase`, passphrase);
  await Deno.writeFile(path, new Uint8Array(20 * 2 ** 20));
  await succeed([
    ...["cryptsetup", "luksFormat", "--type", "luks2", "--batch-mode"],
    ...["--key-file", `${path}.passphrase`, ...options, path],
  ]);
}

/** The volume key that cryptsetup finds in a volume. */
export async function volumeKeyOf(path: string): Promise<Uint8Array> {
  const dump = await succeed([
    ...["cryptsetup", "luksDump", "--batch-mode", "--dump-volume-key"],
    ...["--key-file", `${path}.passphrase`, path],
  ]);
  const [, digits = ""] = /MK dump:\s*([0-9a-f\s]+)/.exec(dump) ?? [];
  return Uint8Array.from(digits.trim().split(/\s+/), (byte) => parseInt(byte, 16));
}

/** The JSON of a volume as cryptsetup prints it. */
export async function metadataOf(path: string): Promise<unknown> {
  const { stdout, stderr, code } = await run([
    ...["cryptsetup", "luksDump", "--dump-json-metadata", path],
  ]);
  if (code !== 0) throw new Error(`luksDump ended with ${code}: ${stderr}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
