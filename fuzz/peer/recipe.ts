import type { Qcow1Model } from "../../src/qcow1/mod.ts";
import {
  geometryOf,
  type GuestCluster,
  header as qcow2Header,
  type Qcow2Model,
} from "../../src/qcow2/mod.ts";
import type { RawModel } from "../../src/raw/mod.ts";
import { shellWord } from "../../src/report/mod.ts";
import { type ChainModel, filesOf, type ImageModel } from "../formats/mod.ts";
import { isChain, kitOf, type PeerCase, topFormat } from "./case.ts";

/** Longer recipes are no shorter than the bytes. */
const COMMANDS_MAX = 40;

/**
 * Shell commands that make an image like that of a case: with qemu-img and qemu-io, and with dd for
 * fields of the header. Where a table is, for example, is not said: whether such an image shows the same
 * failure has to be tried.
 *
 * @returns nothing if qemu-img has no such images
 */
export function recipeOf(value: PeerCase): string[] | undefined {
  if (!isChain(value)) return undefined;
  const chain = value.model as ChainModel;
  const names = filesOf(kitOf(value), value.model, []).map(({ name }) => name);
  const commands: string[] = [];
  for (const [index, image] of [...chain.entries()].reverse()) {
    const made = imageCommands(image, names[index] ?? "", chain[index + 1]);
    if (made === undefined) return undefined;
    commands.push(...made);
  }
  const changed = headerCommands(value, names[0] ?? "");
  if (changed === undefined || commands.length + changed.length > COMMANDS_MAX) return undefined;
  return [...commands, ...changed];
}

function imageCommands(
  image: ImageModel,
  name: string,
  below: ImageModel | undefined,
): string[] | undefined {
  if (image.format === "raw") return rawCommands(image, name);
  if (image.encryption !== undefined || `${image.size}` === "0" && image.format === "qcow") {
    return undefined;
  }
  const backing = image.backing === undefined
    ? []
    : ["-b", image.backing.name, "-F", below?.format ?? "raw"];
  const options = image.format === "qcow2" ? optionsOf(image) : [];
  const create = ["qemu-img", "create", "-q", "-f", image.format, ...backing];
  const words = [...create, ...options.flatMap((option) => ["-o", option]), name, `${image.size}`];
  return [words.map(shellWord).join(" "), ...ioCommands(image, name)];
}

function rawCommands({ size, pattern }: RawModel, name: string): string[] {
  const word = shellWord(name);
  const write = `qemu-io -f raw -c ${shellWord(`write -q -P 0x61 0 ${size}`)} ${word}`;
  return [`truncate -s ${size} ${word}`, ...(pattern.kind === "zero" || size === 0 ? [] : [write])];
}

function optionsOf(image: Qcow2Model): string[] {
  const isOld = image.version === 2;
  return [
    `compat=${isOld ? "0.10" : "1.1"}`,
    `cluster_size=${2 ** image.clusterBits}`,
    ...(isOld || image.refcountOrder === 4 ? [] : [`refcount_bits=${2 ** image.refcountOrder}`]),
    ...(image.extendedL2 ? ["extended_l2=on"] : []),
    ...(image.compression === "zstd" ? ["compression_type=zstd"] : []),
    ...(image.lazyRefcounts ? ["lazy_refcounts=on"] : []),
    ...(image.dataFile === undefined ? [] : [`data_file=${image.dataFile.name}`]),
    ...(image.dataFile?.raw === true ? ["data_file_raw=on"] : []),
  ];
}

/** Writes the content of clusters, each with another byte. */
function ioCommands(image: Qcow1Model | Qcow2Model, name: string): string[] {
  const clusterSize = 2 ** image.clusterBits;
  const size = Number(image.size);
  const unit = image.format === "qcow2" ? geometryOf(image).subclusterSize : clusterSize;
  const writes = image.clusters.flatMap((cluster, index) => {
    const at = cluster.index * clusterSize;
    const length = Math.min(clusterSize, size - at);
    return length <= 0
      ? []
      : writesOf(cluster as GuestCluster, { at, length, byte: 0x61 + index % 26, unit });
  });
  if (writes.length === 0) return [];
  const words = ["qemu-io", "-f", image.format, ...writes.flatMap((it) => ["-c", it]), name];
  return [words.map(shellWord).join(" ")];
}

function writesOf(
  cluster: GuestCluster,
  { at, length, byte, unit }: { at: number; length: number; byte: number; unit: number },
): string[] {
  const write = (start: number, bytes: number) => `write -q -P ${byte} ${start} ${bytes}`;
  switch (cluster.kind) {
    case "data":
      return [write(at, length)];
    case "compressed":
      return [`write -q -c -P ${byte} ${at} ${length}`];
    case "zero":
      return [`write -q -z ${at} ${length}`];
    case "zero-allocated":
      return [write(at, length), `write -q -z ${at} ${length}`];
    case "subclusters":
      return [...Array(Math.ceil(length / unit)).keys()].flatMap((index) => {
        const isSet = (mask: number) => (mask >>> index & 1) === 1;
        const start = at + index * unit;
        const part = Math.min(unit, at + length - start);
        if (isSet(cluster.allocated)) return [write(start, part)];
        return isSet(cluster.zero) ? [`write -q -z ${start} ${part}`] : [];
      });
  }
}

/** Writes the bytes that edits change; nothing if they are not all in the header. */
function headerCommands(value: PeerCase, name: string): string[] | undefined {
  if (value.edits.length === 0) return [];
  const kit = kitOf(value);
  const bytesOf = (edits: PeerCase["edits"]) =>
    filesOf(kit, value.model, edits).map(({ source }) => source.read(0, source.size));
  const [before = new Uint8Array(), ...others] = bytesOf([]);
  const [after = new Uint8Array(), ...edited] = bytesOf(value.edits);
  const isSame = (a: Uint8Array | undefined, b: Uint8Array) =>
    a?.length === b.length && b.every((byte, at) => byte === a[at]);
  const header = topFormat(value) === "qcow2" ? qcow2Header.size : 0;
  const isInHeader = isSame(before.subarray(header), after.subarray(header)) &&
    others.length === edited.length && others.every((it, at) => isSame(edited[at], it));
  if (!isInHeader) return undefined;
  const commands: string[] = [];
  for (let at = 0; at < header;) {
    const start = at;
    while (at < header && before[at] !== after[at]) at++;
    if (at > start) {
      const text = [...after.subarray(start, at)]
        .map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      const file = shellWord(name);
      commands.push(
        `printf '${text}' | dd of=${file} bs=1 seek=${start} conv=notrunc 2> /dev/null`,
      );
    } else at++;
  }
  return commands;
}
