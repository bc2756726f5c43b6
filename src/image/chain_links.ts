import { type ByteSource, type ByteStore, FileSource, FileStore } from "../bytes/mod.ts";
import { type BlockRule, type Format, type Layer, shownName } from "../format/mod.ts";
import type { Finding, Findings } from "../rules/mod.ts";
import { driverNamed } from "./qemu_drivers.ts";
import { partOf } from "./file_part.ts";
import type { Part } from "./json_target.ts";
import type { OpenedImage } from "./opened_image.ts";
import { resolvePath } from "./file_names.ts";
import type { Named, NamedFiles } from "./named_files.ts";
import { probe } from "./probe.ts";
import { type NamedFile, targetOf } from "./backing_target.ts";

/** The most images of a chain that are opened. */
export const CHAIN_MAX = 4096;

/** A file of a chain, before it is opened as an image. */
export interface ImageFile {
  /** As it was named. */
  readonly path: string;
  /** Where it is: the names in the image are relative to its folder. */
  readonly place: string;
  readonly source: ByteSource;
  readonly format: Format;
  /** The same for what is the same part of a file; that of the source where it is absent. */
  readonly identity?: string;
  /** Its backing file is not opened. */
  readonly alone?: true;
}

/** An image of a chain, opened by itself. */
export interface Link {
  readonly file: ImageFile;
  readonly findings: Findings;
  readonly layer: Layer | undefined;
  readonly dataFile: OtherFile;
}

/** The data file of an image: none, or `missing` where it was not opened. */
export type OtherFile<S extends ByteSource = ByteSource> = S | "none" | "missing";

interface NamedBy {
  readonly layer: Layer;
  readonly findings: Findings;
  readonly policy: NamedFiles | undefined;
}

/**
 * Opens the data file that an image names, and hands it to the layer. Its bytes are the data, whatever
 * format they look like. Whatever keeps it from being opened becomes a finding.
 */
export function openDataFile(image: string, named: NamedBy): OtherFile {
  const found = dataFileOf(image, named, (policy, path) => policy.open(path));
  if (typeof found !== "string") named.layer.attachDataFile?.(found);
  return found;
}

/** Opens the data file that an image names for changes. The layer does not get it. */
export function storeOfDataFile(image: string, named: NamedBy): OtherFile<ByteStore> {
  return dataFileOf(image, named, (policy, path) => policy.openStore(path));
}

function dataFileOf<S extends ByteSource>(
  image: string,
  { layer, findings, policy }: NamedBy,
  open: (policy: NamedFiles, path: string) => Named<S>,
): OtherFile<S> {
  const name = layer.dataFile?.name;
  if (layer.dataFile === undefined) return "none";
  if (policy === undefined || name === undefined || name === "") return "missing";
  // QEMU resolves the name relative to the directory that it runs in: here, the folder of the image.
  const named = open(policy, resolvePath(image, name));
  if (named.kind === "opened") return named.source;
  const rule = named.kind === "unreadable" ? layer.dataFile.rule : "blk.datafile.not-followed";
  findings.add(rule, { path: "/data_file" }, notOpened("data file", name, named.reason));
  return "missing";
}

/** The place of findings about the backing file. */
const BACKING = { path: "/backing_name" };

interface Below {
  readonly policy: NamedFiles | undefined;
  readonly formats: readonly Format[] | undefined;
  readonly seen: Seen;
  /** How many images are above it. */
  readonly depth: number;
}

/** The backing file of an image; whatever keeps it from being opened becomes a finding. */
export function backingFile(
  { layer, findings, file }: Link,
  { policy, formats, seen, depth }: Below,
): ImageFile | "none" | "missing" {
  if (layer?.backing === undefined || file.alone === true) return "none";
  if (policy === undefined) return "missing";
  const { name } = layer.backing;
  const add = (rule: BlockRule, reason: string): "missing" => {
    findings.add(rule, BACKING, notOpened("backing file", name, reason));
    return "missing";
  };
  if (depth >= CHAIN_MAX) {
    return add("blk.backing.not-followed", `the chain has more than ${CHAIN_MAX} images`);
  }
  const target = targetOf(layer.backing, formats);
  if (target.kind === "rejected") return add(target.rule, target.reason);
  if (target.kind === "not-followed") return add("blk.backing.not-followed", target.reason);
  const place = resolvePath(file.place, target.path);
  const named = policy.open(place);
  if (named.kind === "unreadable") return add("blk.backing.opens", named.reason);
  if (named.kind === "not-followed") return add("blk.backing.not-followed", named.reason);
  const next = imageFile(target, { ...named, place }, formats);
  if (!("rule" in next) && !seen.has(next)) return next;
  named.source.close?.();
  if ("rule" in next) return add(next.rule, next.reason);
  const message = `The backing chain is a loop: '${shownName(name)}' is in it already`;
  findings.add("blk.backing.no-loop", BACKING, message);
  return "missing";
}

/** The path of the backing file that an image was opened with, relative as the path of the image is. */
export function backingPathOf(
  { path, layer }: Pick<OpenedImage, "path" | "layer">,
): string | undefined {
  const target = layer?.backing && targetOf(layer.backing, undefined);
  return target?.kind === "file" ? resolvePath(path, target.path) : undefined;
}

/** An opened file as an image, or why it is none that is read. */
function imageFile(
  { driver, anonymous, alone, parts = [] }: NamedFile,
  { source: whole, path, place }: { source: ByteSource; path: string; place: string },
  among: readonly Format[] | undefined,
): ImageFile | { readonly rule: BlockRule; readonly reason: string } {
  const source = partOf(whole, parts);
  if (typeof source === "string") return { rule: "blk.backing.opens", reason: source };
  const name = anonymous === true ? undefined : place;
  const format = driver === undefined
    ? probe(source, { formats: among, name })
    : driverNamed(driver, among);
  if (format === "opaque") {
    const reason = `what the driver '${driver}' reads of it is not known`;
    return { rule: "blk.backing.not-followed", reason };
  }
  if (typeof format === "string") {
    return {
      rule: "blk.backing.driver-usable",
      reason: `the driver '${driver}' opens no such file`,
    };
  }
  if (format.foreign === true) {
    const reason = `it is a ${format.title} image, which diskproof does not read`;
    return { rule: "blk.backing.foreign", reason };
  }
  const identity = identityOf(whole, parts);
  return { path, place, source, format, identity, ...(alone === true ? { alone } : {}) };
}

function notOpened(what: string, name: string, reason: string): string {
  return `The ${what} '${shownName(name)}' is not opened: ${reason}`;
}

/** The images of a chain so far. A link to a file, symbolic or hard, is that file; a copy is another. */
export class Seen {
  /** A file may be in a chain once for each format: as raw, it has no backing file. */
  readonly #files = new Map<string, Set<Format>>();

  add({ source, format, identity }: ImageFile): void {
    const key = identity ?? identityOf(source);
    this.#files.set(key, (this.#files.get(key) ?? new Set()).add(format));
  }

  has({ source, format, identity }: ImageFile): boolean {
    return this.#files.get(identity ?? identityOf(source))?.has(format) ?? false;
  }
}

/** The same for two sources of one file, and for the same parts of it. */
function identityOf(source: ByteSource, parts: readonly Part[] = []): string {
  const isFile = source instanceof FileSource || source instanceof FileStore;
  const known = isFile ? source.identity : identities.get(source);
  const whole = known ?? `memory:${++count}`;
  if (known === undefined) identities.set(source, whole);
  return [whole, ...parts.map(({ offset, size }) => `${offset}+${size}`)].join("@");
}

const identities = new WeakMap<ByteSource, string>();
let count = 0;

/** Judges backing files as parts of a chain: what is wrong with one is wrong with those above it. */
export class ChainJudge {
  #below: Link | undefined;
  /** What is wrong with the lowest image that does not open. */
  #cause: string | undefined;
  /** What is not known of the lowest image of which anything is not. */
  #unknown: Finding | undefined;

  /** Judges the image above the one that was judged last. */
  judge(link: Link): void {
    const { findings, layer } = link;
    const name = layer?.backing?.name;
    if (this.#below !== undefined && layer !== undefined && name !== undefined) {
      this.#cause ??= this.#below.findings.refusal("read")?.message;
      this.#unknown ??= this.#below.findings.unknown();
      const size = this.#below.layer?.virtualSize ?? Infinity;
      const subject = `The backing file '${shownName(name)}'`;
      if (this.#cause !== undefined) {
        findings.add("blk.backing.opens", BACKING, `${subject} does not open: ${this.#cause}`);
      } else if (this.#unknown !== undefined) {
        const { rule, message } = this.#unknown;
        findings.add(rule, BACKING, `${subject} is not known as a whole: ${message}`);
      }
      if (this.#cause === undefined && size < layer.virtualSize) {
        findings.add("blk.backing.short", BACKING, `${subject} is only ${size} bytes long`);
      }
    }
    this.#below = link;
  }
}
