import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import type { OpenedImage } from "../../src/image/mod.ts";
import { shellWord } from "../../src/report/mod.ts";
import type { CaseFile } from "../engine/mod.ts";
import { describeAction } from "./action.ts";
import { adapterLines, type ScriptAdapter } from "./adapter_script.ts";
import type { Action } from "./step.ts";
import { commandOf, isDoubtful } from "./commands.ts";
import type { Facts, State } from "./state.ts";
import type { Start } from "./writer.ts";

/** The steps that a script is made of. */
export interface ScriptOptions {
  readonly start: Start & { readonly state: State };
  /** The image as it was opened, which knows what in its chain is encrypted; absent if it is not made yet. */
  readonly image?: OpenedImage | undefined;
  /** The adapter that makes the changes, instead of QEMU. */
  readonly adapter?: ScriptAdapter;
  readonly actions: readonly (Action & { readonly by?: number })[];
}

/** Bytes of a file that may go into a script, and of its encoded form. */
const FILE_MAX = 2 ** 22;
const TEXT_MAX = 2 ** 17;
const EXPECTED = "expected.raw";

/**
 * The steps as a shell script of qemu-img and qemu-io commands, or of requests to an adapter. It makes
 * the start image, does the same to a raw twin of it, and compares the two.
 */
export function scriptOf({ start, image, actions, adapter }: ScriptOptions): string {
  const { files: [top, ...others], state } = start;
  const name = shellWord(top?.name ?? "image");
  const access = scriptAccess(start, image);
  const files = () => [...top === undefined ? [] : fileText(top), ...others.flatMap(fileText)];
  const made = image === undefined ? [`truncate -s ${state.disk.size} ${EXPECTED}`] : [
    ...(isPlain(state, image) ? [createCommand(image, name, state)] : files()),
    `qemu-img convert ${access.objects}-O raw ${access.image} ${EXPECTED}`,
  ];
  const place = { access, name, state, twinOnly: adapter !== undefined };
  const doubt = adapter?.mayDiffer === undefined ? "" : ` || echo ${shellWord(adapter.mayDiffer)}`;
  return [
    "#!/bin/sh",
    "# Changes an image, and a raw twin of it in the same way. The commands at the end must succeed.",
    "set -e",
    'cd "$(mktemp -d)"',
    ...made,
    ...patternFiles(actions),
    ...(adapter === undefined ? [] : adapterLines(adapter, start)),
    ...grouped(actions).flatMap((group) => groupText(group, place)),
    ...(start.format === "qcow2" ? [`qemu-img check ${access.objects}${access.image}`] : []),
    `qemu-img compare ${access.objects}${access.image} ${access.twin}${doubt}`,
    "",
  ].join("\n");
}

/** How qemu-img opens an image. */
export interface Access {
  /** Options that define secrets. */
  readonly objects: readonly string[];
  readonly image: string;
}

/** How the commands of a script open the image and its twin. */
interface ScriptAccess {
  readonly objects: string;
  readonly image: string;
  readonly twin: string;
}

function scriptAccess(start: Start, image: OpenedImage | undefined): ScriptAccess {
  const access = accessOf(start, image);
  const objects = access.objects.map((word) => `${shellWord(word)} `).join("");
  const twin = { driver: "raw", "file.driver": "file", "file.filename": EXPECTED };
  return { objects, image: shellWord(access.image), twin: shellWord(json(twin)) };
}

const KEY_OPTIONS: { readonly [format: string]: string } = {
  luks: "key-secret",
  qcow: "encrypt.key-secret",
  qcow2: "encrypt.key-secret",
};

/** How qemu-img opens an image with its passphrases. */
export function accessOf(
  { files: [top], format, passphrases }: Start,
  image: OpenedImage | undefined,
): Access {
  const name = top?.name ?? "image";
  const keys: { [option: string]: string } = {};
  const objects: string[] = [];
  let depth = 0;
  for (let layer: OpenedImage | undefined = image; layer !== undefined; layer = layer.backing) {
    const passphrase = passphrases[Math.min(depth, passphrases.length - 1)];
    const option = KEY_OPTIONS[layer.format];
    if (layer.layer?.encrypted === true && passphrase !== undefined && option !== undefined) {
      keys[`${"backing.".repeat(depth)}${option}`] = `s${depth}`;
      const data = Buffer.from(passphrase).toString("base64");
      objects.push("--object", `secret,id=s${depth},format=base64,data=${data}`);
    }
    depth++;
  }
  const options = { driver: format, "file.driver": "file", "file.filename": name, ...keys };
  return { objects, image: json(options) };
}

function json(options: { readonly [option: string]: string }): string {
  return `json:${JSON.stringify(options)}`;
}

/** Actions of qemu-io that one open image takes, or another action alone. */
type Group = readonly (Action & { readonly by?: number })[];

function grouped(actions: Group): Group[] {
  const groups: (Action & { by?: number })[][] = [];
  for (const action of actions) {
    const last = groups.at(-1);
    const [before] = last ?? [];
    const joins = before !== undefined && isIo(before) && isIo(action) && before.by === action.by;
    if (joins) last?.push(action);
    else groups.push([action]);
  }
  return groups;
}

function isIo(action: Action): boolean {
  return "io" in commandOf(action) && !isDoubtful(action);
}

/** Where a group is applied. */
interface Place {
  readonly access: ScriptAccess;
  readonly name: string;
  readonly state: State;
  /** Something else changes the image itself. */
  readonly twinOnly: boolean;
}

function groupText(group: Group, place: Place): string[] {
  const [first] = group;
  if (first === undefined || first.do === "reopen") return [];
  const said = first.by === 0 ? [`# diskproof: ${group.map(describeAction).join(", ")}`] : [];
  const ours = oursOf(group, place);
  const twin = twinOf(group, place);
  if (place.twinOnly) return twin;
  if (!isDoubtful(first)) return [...said, ours, ...twin];
  return [...said, `if ${ours}`, `then ${twin.join("; ") || ":"}`, "fi"];
}

function oursOf(group: Group, { access, name, state: { facts } }: Place): string {
  const [action] = group as [Action];
  const command = commandOf(action, facts.format);
  if ("img" in command) {
    const [verb, ...rest] = command.img(access.image);
    const args = rest.map((arg) => arg === access.image ? arg : shellWord(arg)).join(" ");
    return `qemu-img ${verb} ${access.objects}${args}`;
  }
  if (action.do === "resize") return resizeOf(action, facts.format, name);
  return ioText(access.image, group.map(ioOf), access.objects);
}

function resizeOf(
  { size, from }: Extract<Action, { do: "resize" }>,
  format: string,
  name: string,
): string {
  return `qemu-img resize -q ${size < from ? "--shrink " : ""}-f ${format} ${name} ${size}`;
}

function ioText(image: string, commands: readonly string[], objects = ""): string {
  return `qemu-io -d unmap ${objects}${
    commands.map((it) => `-c ${shellWord(it)}`).join(" ")
  } ${image}`;
}

/** What a group does to the twin. */
function twinOf(group: Group, { access, state: { facts } }: Place): string[] {
  const [action] = group as [Action];
  if (action.do === "snapshot") return [`cp ${EXPECTED} ${shellWord(`expected.${action.name}`)}`];
  if (action.do === "apply" && action.id === undefined) {
    return [`cp ${shellWord(`expected.${action.name}`)} ${EXPECTED}`];
  }
  if (action.do === "resize") return [resizeOf(action, "raw", EXPECTED)];
  const commands = group.flatMap((it) => twinIo(it, facts));
  return commands.length === 0 ? [] : [ioText(access.twin, commands)];
}

function ioOf(action: Action): string {
  const command = commandOf(action);
  return "io" in command ? command.io : "";
}

/** What an action does to the twin, which has no clusters. */
function twinIo(action: Action, { format, clusterSize }: Facts): string[] {
  if (action.do === "compressed") return [ioOf({ ...action, do: "write" })];
  if (["write", "zero", "empty"].includes(action.do)) return [ioOf(action)];
  if (action.do !== "discard" || format !== "qcow2") return [];
  const { start, end } = action.range;
  const from = Math.ceil(start / clusterSize) * clusterSize;
  const to = Math.floor(end / clusterSize) * clusterSize;
  return from < to ? [`write -q -z ${from} ${to - from}`] : [];
}

/** qemu-img makes images of version 1 without a backing file with clusters of this size. */
const QCOW_CLUSTER = 4096;

/** Whether qemu-img makes the image from its size and options. */
function isPlain({ snapshots, bitmaps, touched, facts }: State, image: OpenedImage): boolean {
  const isQcow = facts.format === "qcow2" ||
    facts.format === "qcow" && facts.clusterSize === QCOW_CLUSTER;
  const parts = [...snapshots, ...bitmaps, ...touched];
  const isEmpty = isQcow && parts.length === 0 && !facts.encrypted && !facts.dataFile &&
    !facts.backing && image.layer?.dirty === false;
  if (!isEmpty) return false;
  // A cluster may have a place in the file without any data.
  const { allocatedClusters = 0, leaks = 0 } = image.layer?.check?.(image.findings) ?? {};
  return allocatedClusters + leaks === 0;
}

function createCommand(
  { layer, format }: OpenedImage,
  name: string,
  { disk, facts }: State,
): string {
  if (format === "qcow") return `qemu-img create -q -f qcow ${name} ${disk.size}`;
  const data = layer?.info()["format-specific"]?.data ?? {};
  const options = [
    `compat=${data["compat"]}`,
    `cluster_size=${facts.clusterSize}`,
    ...(facts.old ? [] : [
      `refcount_bits=${facts.refcountBits}`,
      `lazy_refcounts=${data["lazy-refcounts"] === true ? "on" : "off"}`,
      `extended_l2=${data["extended-l2"] === true ? "on" : "off"}`,
      `compression_type=${data["compression-type"]}`,
    ]),
  ];
  return `qemu-img create -q -f qcow2 -o ${options.join(",")} ${name} ${disk.size}`;
}

function fileText({ name, source }: CaseFile): string[] {
  const text = source.size > FILE_MAX ? undefined : encoded(name, source.read(0, source.size));
  if (text !== undefined && text.join("").length <= TEXT_MAX) return text;
  return [`# ${name} has ${source.size} bytes: the artifact has it`];
}

function patternFiles(actions: readonly Action[]): string[] {
  const files = new Map<string, Uint8Array>();
  for (const action of actions) {
    const command = commandOf(action);
    if ("io" in command && command.file !== undefined) {
      files.set(command.file.name, command.file.bytes);
    }
  }
  return [...files].flatMap(([name, bytes]) => encoded(name, bytes));
}

const LINE = 100;

function encoded(name: string, bytes: Uint8Array): string[] {
  const text = Buffer.from(gzipSync(bytes)).toString("base64");
  const lines = text.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return [`base64 -d <<'END' | gunzip > ${shellWord(name)}`, ...lines, "END"];
}
