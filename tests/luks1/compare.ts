/** Compares what the reference says of a LUKS volume with the installed qemu-img. */

import type { ByteSource } from "../../src/bytes/mod.ts";
import { luks1Driver } from "../../src/luks1/mod.ts";
import { contentOf, infoOf, run, type VolumeFiles, withKey } from "./live.ts";
import { openVolume, readAll, type Volume } from "./ours.ts";

/** Fields of `info` that describe the machine, or that another version has. */
const NOT_COMPARED = ["filename", "actual-size", "children", "limits", "cluster-size"];

/** The rule whose violation makes qemu-img abort instead of rejecting the volume. */
const ABORTS = "luks.key.material-sector-multiple";

/** Writes a volume, and a passphrase, into files beside `path`. */
export async function writeVolume(path: string, volume: Volume): Promise<VolumeFiles> {
  const passphrase = `${path}.passphrase`;
  await Deno.writeTextFile(passphrase, volume.passphrase ?? "none");
  await writeSource(path, volume.source);
  if (volume.payload === undefined) return { path, passphrase };
  const payload = `${path}.payload`;
  await writeSource(payload, volume.payload);
  return { path, payload, passphrase };
}

/** Whether the content is to be read, for which qemu-img has no budget. */
function isRead({ passphrase, iterationsMax }: Volume): boolean {
  return passphrase !== undefined && iterationsMax === undefined;
}

async function writeSource(path: string, source: ByteSource): Promise<void> {
  await Deno.writeFile(path, source.read(0, source.size));
}

/** Where the two differ, in words; nothing when they agree. */
export async function differences(volume: Volume, path: string): Promise<string[]> {
  const files = await writeVolume(path, volume);
  return [
    ...await probeDifferences(volume, files),
    ...await infoDifferences(volume, files),
    ...isRead(volume) ? await contentDifferences(volume, files) : [],
  ];
}

async function probeDifferences({ source }: Volume, { path }: VolumeFiles): Promise<string[]> {
  const ours = source.size > 0 && luks1Driver.probe(source.read(0, 512));
  const { code, stdout } = await run(["qemu-img", "info", "--output=json", path]);
  // A rejected volume was probed, but the output does not show the format.
  if (code !== 0) return ours ? [] : ["probe: qemu-img refuses what ours does not take for LUKS"];
  const theirs = JSON.parse(new TextDecoder().decode(stdout)).format;
  return ours === (theirs === "luks") ? [] : [`probe: ours ${ours}, qemu-img ${theirs}`];
}

async function infoDifferences(volume: Volume, files: VolumeFiles): Promise<string[]> {
  const theirs = await infoOf(files);
  const { findings, layer } = openVolume(volume);
  const refusal = findings.refusal("info")?.rule;
  if (theirs === undefined || refusal !== undefined) {
    return (theirs === undefined) === (refusal !== undefined)
      ? []
      : [`info: ours refuses for ${refusal}, qemu-img ${theirs === undefined ? "does" : "not"}`];
  }
  if (layer === undefined) return ["info: ours has no layer, and qemu-img reports it"];
  const ours = { "virtual-size": layer.virtualSize, format: layer.format, ...layer.info() };
  return compareInfo(ours, theirs);
}

/** Where `info` differs, field by field. */
export function compareInfo(ours: object, theirs: object): string[] {
  const left = flat(ours);
  const right = flat(theirs);
  // It came with version 9.0.
  const detached = "/format-specific/data/detached-header";
  if (!right.has(detached)) left.delete(detached);
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => !NOT_COMPARED.includes(key.split("/")[1] ?? ""))
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => `info: ${key} is ours ${left.get(key)}, qemu-img's ${right.get(key)}`);
}

/** The leaves of a value, by their paths. */
function flat(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  return new Map(Object.entries(value).flatMap(([key, part]) => [...flat(part, `${path}/${key}`)]));
}

async function contentDifferences(volume: Volume, files: VolumeFiles): Promise<string[]> {
  const theirs = await contentOf(files);
  const { findings, layer } = openVolume(volume);
  const refusal = findings.refusal("read")?.rule;
  if (!(theirs instanceof Uint8Array)) {
    const aborts = refusal === ABORTS;
    if (aborts !== (theirs.signal !== null)) {
      return [`read: ours refuses for ${refusal}, qemu-img died of ${theirs.signal}`];
    }
    return refusal === undefined ? [`read: ours opens it, qemu-img says ${theirs.stderr}`] : [];
  }
  if (refusal !== undefined) return [`read: ours refuses for ${refusal}, qemu-img reads`];
  if (layer === undefined) return ["read: ours has no layer, and qemu-img reads"];
  return contentDifference(readAll(layer), theirs);
}

/** Where content differs first. */
export function contentDifference(ours: Uint8Array, theirs: Uint8Array): string[] {
  if (ours.length !== theirs.length) return [`read: ${ours.length} bytes, not ${theirs.length}`];
  const at = ours.findIndex((byte, index) => byte !== theirs[index]);
  return at < 0 ? [] : [`read: byte ${at} is ours ${ours[at]}, qemu-img's ${theirs[at]}`];
}

const NO_CHECKER = 63;

/**
 * Whether qemu-img fails to check a volume for another reason than that it has no check for LUKS.
 */
export async function refusesCheck(files: VolumeFiles): Promise<boolean> {
  const { code } = await run(["qemu-img", "check", ...withKey(files)]);
  return code !== NO_CHECKER;
}
