import { type ByteSource, FileSource } from "../bytes/mod.ts";
import type { Format, Layer } from "../format/mod.ts";
import { formatNamed } from "../formats.ts";
import type { Findings } from "../rules/mod.ts";
import { resolveName } from "./names.ts";
import type { Named, NamedFiles } from "./policy.ts";
import { foreignDrivers, probe } from "./probe.ts";

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
}

/** An image of a chain, opened by itself. */
export interface Link {
  readonly file: ImageFile;
  readonly findings: Findings;
  readonly layer: Layer | undefined;
  readonly dataFile: OtherFile;
}

/** The data file of an image: none, or `missing` where it was not opened. */
export type OtherFile = ByteSource | "none" | "missing";

interface NamedBy {
  readonly layer: Layer;
  readonly findings: Findings;
  readonly policy: NamedFiles | undefined;
}

/**
 * Opens the data file that an image names, and hands it to the layer. Whatever keeps it from being opened
 * becomes a finding.
 */
export function openDataFile(image: string, { layer, findings, policy }: NamedBy): OtherFile {
  const name = layer.dataFile?.name;
  if (layer.dataFile === undefined) return "none";
  if (policy === undefined || name === undefined || name === "") return "missing";
  // QEMU resolves the name relative to the directory that it runs in: here, the folder of the image.
  const named = policy.open(resolveName(image, name));
  if (named.kind === "opened") {
    layer.attachDataFile?.(named.source);
    return named.source;
  }
  const rule = named.kind === "unreadable" ? layer.dataFile.rule : "blk.datafile.not-followed";
  findings.add(rule, { path: "/data_file" }, notOpened("data file", name, named));
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
  if (layer?.backing === undefined) return "none";
  if (policy === undefined) return "missing";
  const { name, format } = layer.backing;
  const declared = format === undefined ? undefined : formatNamed(format, formats);
  if (format !== undefined && declared === undefined) {
    const known = foreignDrivers.has(format);
    const rule = known ? "blk.backing.not-followed" : "blk.backing.driver-known";
    const message = `The backing format '${format}' is ${known ? "not supported" : "unknown"}`;
    findings.add(rule, BACKING, message);
    return "missing";
  }
  if (depth >= CHAIN_MAX) {
    const reason = `the chain has more than ${CHAIN_MAX} images`;
    const message = `The backing file '${name}' is not opened: ${reason}`;
    findings.add("blk.backing.not-followed", BACKING, message);
    return "missing";
  }
  const place = resolveName(file.place, name);
  const named = policy.open(place);
  if (named.kind !== "opened") {
    const rule = named.kind === "unreadable" ? "blk.backing.opens" : "blk.backing.not-followed";
    findings.add(rule, BACKING, notOpened("backing file", name, named));
    return "missing";
  }
  const { path, source } = named;
  const next = { path, place, source, format: declared ?? probe(source, formats) };
  if (!seen.has(next)) return next;
  source.close?.();
  findings.add(
    "blk.backing.no-loop",
    BACKING,
    `The backing chain is a loop: '${name}' is in it already`,
  );
  return "missing";
}

function notOpened(what: string, name: string, named: Named): string {
  const reason = named.kind === "opened" ? "" : named.reason;
  return `The ${what} '${name}' is not opened: ${reason}`;
}

/** The images of a chain so far. A link to a file, symbolic or hard, is that file; a copy is another. */
export class Seen {
  /** A file may be in a chain once for each format: as raw, it has no backing file. */
  readonly #files = new Map<unknown, Set<Format>>();

  add({ source, format }: ImageFile): void {
    const key = identityOf(source);
    this.#files.set(key, (this.#files.get(key) ?? new Set()).add(format));
  }

  has({ source, format }: ImageFile): boolean {
    return this.#files.get(identityOf(source))?.has(format) ?? false;
  }
}

function identityOf(source: ByteSource): unknown {
  return source instanceof FileSource ? source.identity : source;
}

/** Judges backing files as parts of a chain: what is wrong with one is wrong with those above it. */
export class ChainJudge {
  #below: Link | undefined;
  /** What is wrong with the lowest image that does not open. */
  #cause: string | undefined;

  /** Judges the image above the one that was judged last. */
  judge(link: Link): void {
    const { findings, layer } = link;
    const name = layer?.backing?.name;
    if (this.#below !== undefined && layer !== undefined && name !== undefined) {
      this.#cause ??= this.#below.findings.refusal("read")?.message;
      const size = this.#below.layer?.virtualSize ?? Infinity;
      if (this.#cause !== undefined) {
        const message = `The backing file '${name}' does not open: ${this.#cause}`;
        findings.add("blk.backing.opens", BACKING, message);
      } else if (size < layer.virtualSize) {
        const message = `The backing file '${name}' is only ${size} bytes long`;
        findings.add("blk.backing.short", BACKING, message);
      }
    }
    this.#below = link;
  }
}
