/** Volumes that qemu-img and cryptsetup make. */

import { patternBytes } from "../../src/format/mod.ts";
import type { CipherSpec } from "../../src/luks1/mod.ts";
import { measured, succeed, type VolumeFiles } from "./live.ts";

/** Milliseconds that a key slot is to take: too few to make more than the least of iterations. */
const ITER_TIME = "iter-time=10";

/** A volume to be made, and what is in it. */
export interface Making {
  readonly spec: CipherSpec;
  readonly passphrase: string;
  readonly content: Uint8Array;
}

/** Content that no two sectors of are the same: `size` bytes. */
export function contentBytes(size: number): Uint8Array {
  return patternBytes({ kind: "noise", seed: 7 }, size);
}

/** Has qemu-img make a volume and encrypt the content into it. */
export async function qemuVolume(path: string, making: Making): Promise<VolumeFiles> {
  const { spec, content } = making;
  const files = { path, passphrase: `${path}.passphrase` };
  await Deno.writeTextFile(files.passphrase, making.passphrase);
  await Deno.writeFile(`${path}.source`, content);
  const keyBits = 8 * (spec.mode === "xts" ? spec.keyBytes / 2 : spec.keyBytes);
  const cipher = spec.cipher === "sm4" ? "sm4" : `${spec.cipher}-${keyBits}`;
  const options = [
    "key-secret=key",
    `cipher-alg=${cipher}`,
    `cipher-mode=${spec.mode}`,
    `ivgen-alg=${spec.ivGenerator}`,
    ...spec.ivHash === undefined ? [] : [`ivgen-hash-alg=${spec.ivHash}`],
    `hash-alg=${spec.hash}`,
    ITER_TIME,
  ];
  await measured([
    ...["qemu-img", "convert", "--object", `secret,id=key,file=${files.passphrase}`],
    ...["-f", "raw", "-O", "luks", "-o", options.join(","), `${path}.source`, path],
  ]);
  return files;
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
