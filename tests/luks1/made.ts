/** Volumes that qemu-img and cryptsetup make. */

import { patternBytes } from "../../src/format/mod.ts";
import type { CipherSpec } from "../../src/luks1/mod.ts";
import { readRecord, unpackRecord } from "../../src/recorded/mod.ts";
import { measured, succeed, type VolumeFiles } from "./live.ts";

/** Milliseconds that a key slot is to take: too few to make more than the least of iterations. */
const ITER_TIME = "iter-time=10";

/** Content that no two sectors of are the same: `size` bytes. */
export function contentBytes(size: number): Uint8Array {
  return patternBytes({ kind: "noise", seed: 7 }, size);
}

/** Has qemu-img make a volume with its default cipher and encrypt the content into it. */
export async function qemuVolume(
  path: string,
  { passphrase, content }: { passphrase: string; content: Uint8Array },
): Promise<VolumeFiles> {
  const files = { path, passphrase: `${path}.passphrase` };
  await Deno.writeTextFile(files.passphrase, passphrase);
  await Deno.writeFile(`${path}.source`, content);
  await measured([
    ...["qemu-img", "convert", "--object", `secret,id=key,file=${files.passphrase}`],
    ...["-f", "raw", "-O", "luks", "-o", `key-secret=key,${ITER_TIME}`, `${path}.source`, path],
  ]);
  return files;
}

const GOLDEN = new URL("../../golden/images", import.meta.url).pathname;

/**
 * Takes the header of a golden volume that qemu-img made, and has the installed qemu-img encrypt other
 * content behind it. To make a volume takes qemu-img seconds.
 */
export async function refilledVolume(
  directory: string,
  { golden, content }: { golden: string; content: Uint8Array },
): Promise<VolumeFiles & { readonly key: string }> {
  const record = readRecord(GOLDEN, golden);
  unpackRecord(GOLDEN, record, directory);
  const [key = ""] = record.passphrases ?? [];
  const path = `${directory}/${record.subject}`;
  const files = { path, passphrase: `${path}.passphrase` };
  await Deno.writeTextFile(files.passphrase, key);
  await Deno.writeFile(`${path}.source`, content);
  const info = JSON.parse(await succeed(["qemu-img", "info", "--output=json", path]));
  const payload: number = info["format-specific"].data["payload-offset"];
  await Deno.truncate(path, payload + content.length);
  await succeed([
    ...["qemu-img", "convert", "-n", "--object", `secret,id=key,file=${files.passphrase}`],
    ...["-f", "raw", `${path}.source`, "--target-image-opts"],
    `driver=luks,key-secret=key,file.filename=${path}`,
  ]);
  return { ...files, key };
}

/** What qemu-img is to do with the key slots of a volume. */
export type Amendment =
  | { readonly add: string; readonly slot: number }
  | { readonly erase: number };

/** Has qemu-img add or erase a key. */
export async function amend(files: VolumeFiles, amendment: Amendment): Promise<void> {
  const image = `driver=luks,key-secret=key,file.filename=${files.path}`;
  const objects = ["--object", `secret,id=key,file=${files.passphrase}`];
  let options = "";
  if ("add" in amendment) {
    const added = `${files.path}.added`;
    await Deno.writeTextFile(added, amendment.add);
    objects.push("--object", `secret,id=new,file=${added}`);
    options = `state=active,new-secret=new,keyslot=${amendment.slot},${ITER_TIME}`;
  } else {
    options = `state=inactive,keyslot=${amendment.erase}`;
  }
  await measured(["qemu-img", "amend", ...objects, "-o", options, "--image-opts", image]);
}

const FORCED = ["--batch-mode", "--pbkdf-force-iterations", "1000"];

/** A volume that cryptsetup is to make. */
interface CryptsetupVolume {
  readonly spec: CipherSpec;
  /** How the cipher is named, where that is not what `spec` comes to. */
  readonly cipher?: string;
  readonly passphrase: string;
  readonly size: number;
}

/** Has cryptsetup make a volume of `size` bytes, whose payload is then whatever it was before. */
export async function cryptsetupVolume(
  path: string,
  { spec, passphrase, size, cipher = cipherOf(spec) }: CryptsetupVolume,
): Promise<VolumeFiles> {
  const files = { path, passphrase: `${path}.passphrase` };
  await Deno.writeTextFile(files.passphrase, passphrase);
  await Deno.writeFile(path, new Uint8Array(size));
  await succeed([
    ...["cryptsetup", "luksFormat", "--type", "luks1", ...FORCED],
    ...["--key-file", files.passphrase, "--cipher", cipher],
    ...["--key-size", String(8 * spec.keyBytes), "--hash", spec.hash, path],
  ]);
  return files;
}

function cipherOf({ cipher, mode, ivGenerator, ivHash }: CipherSpec): string {
  const generator = ivGenerator === undefined ? "" : `-${ivGenerator}`;
  return `${cipher}-${mode}${generator}${ivHash === undefined ? "" : `:${ivHash}`}`;
}

/** Has cryptsetup add a key. */
export async function addWithCryptsetup(
  files: VolumeFiles,
  { passphrase, slot }: { passphrase: string; slot: number },
): Promise<void> {
  const added = `${files.path}.added`;
  await Deno.writeTextFile(added, passphrase);
  await succeed([
    ...["cryptsetup", "luksAddKey", ...FORCED, "--key-file", files.passphrase],
    ...["--key-slot", String(slot), files.path, added],
  ]);
}

/** Has cryptsetup erase a key slot. */
export async function eraseWithCryptsetup(files: VolumeFiles, slot: number): Promise<void> {
  await succeed(["cryptsetup", "luksKillSlot", "--batch-mode", files.path, String(slot)]);
}

/** The master key that cryptsetup finds in a volume. */
export async function masterKeyOfCryptsetup(files: VolumeFiles): Promise<Uint8Array> {
  const dump = await succeed([
    ...["cryptsetup", "luksDump", "--batch-mode", "--dump-volume-key"],
    ...["--key-file", files.passphrase, files.path],
  ]);
  const [, digits = ""] = /MK dump:\s*([0-9a-f\s]+)/.exec(dump) ?? [];
  return Uint8Array.from(digits.trim().split(/\s+/), (byte) => parseInt(byte, 16));
}
