import { resolve } from "node:path";
import { type ByteSource, FileSource } from "../bytes/mod.ts";
import type { DriverOptions, Format, Layer, WorkBudget } from "../format/mod.ts";
import { formatNamed, formatOf, formats } from "../formats.ts";
import { ITERATIONS_BUDGET } from "../luks1/mod.ts";
import { rawFormat } from "../raw/mod.ts";
import { Findings } from "../rules/mod.ts";
import { GuestSource } from "./guest_source.ts";
import { headerSource } from "./header_file.ts";
import { isProtocol, resolveName } from "./names.ts";
import type { OpenedImage, OpenOptions, ReadOptions } from "./opened.ts";
import { FilePolicy, GivenFiles, type Named, type NamedFiles } from "./policy.ts";
import { detect, foreignDrivers, probe } from "./probe.ts";

/** Longest backing chain that is followed. */
const MAX_CHAIN = 64;

/**
 * Opens an image and its backing chain. Total: whatever is wrong becomes a finding.
 *
 * @throws {Error} when the image file itself cannot be read
 */
export function openImage(path: string, options: OpenOptions = {}): OpenedImage {
  const place = resolve(options.directory ?? ".", path);
  const source = new FileSource(place);
  const named = options.format === undefined
    ? undefined
    : formatOf(options.format, options.formats);
  // With a header beside it, the image is the payload: what is probed is what that lies in.
  const told = options.header !== undefined && named?.driver.detaches === true ? undefined : named;
  const probed = options.detect ? detect : probe;
  const format = told ?? probed(source, options.formats);
  const policy = options.alone ? undefined : new FilePolicy(place, options.root);
  const around = { policy, above: [], options: shared(options) };
  const file = { path, place, source, format };
  if (options.header === undefined) return openSource(file, around);
  return openDetached(
    file,
    headerSource(resolve(options.directory ?? ".", options.header)),
    around,
  );
}

/** Opens bytes as an image by itself: no file that they name is looked at. */
export function openBytes(
  source: ByteSource,
  format?: Format | string,
  options: ReadOptions = {},
): OpenedImage {
  const around = { policy: undefined, above: [], options: shared(options) };
  const file = { path: "", place: "/", source };
  return openSource({ ...file, format: formatFor(source, format, options) }, around);
}

/**
 * Opens the payload of a detached LUKS header, which is an image or all of a file.
 *
 * @param header is closed with the image
 */
export function openDetachedBytes(
  payload: ByteSource,
  header: ByteSource,
  options: ReadOptions = {},
): OpenedImage {
  const format = probe(payload, options.formats);
  const file = { path: "", place: "/", source: payload, format };
  return openDetached(file, header, { policy: undefined, above: [], options: shared(options) });
}

/**
 * Opens an image that is not in a file system, with the files that it refers to.
 *
 * @param files by name; the image itself is the first one
 */
export function openFiles(
  files: ReadonlyMap<string, ByteSource>,
  format?: Format | string,
  options: ReadOptions = {},
): OpenedImage {
  const [first] = files;
  if (first === undefined) throw new TypeError("Cannot open an image: there are no files");
  const [path, source] = first;
  const around = { policy: new GivenFiles(files), above: [], options: shared(options) };
  const file = { path, place: `/${path}`, source };
  return openSource({ ...file, format: formatFor(source, format, options) }, around);
}

function formatFor(
  source: ByteSource,
  format: Format | string | undefined,
  options: ReadOptions,
): Format {
  return format === undefined ? probe(source, options.formats) : formatOf(format, options.formats);
}

/** What all images of an opening share. */
interface SharedOptions extends ReadOptions {
  readonly budget: WorkBudget;
}

function shared(options: ReadOptions): SharedOptions {
  return { ...options, budget: { left: options.iterationsMax ?? ITERATIONS_BUDGET } };
}

/** Images below one that stays locked are of no use, and trying the passphrases on them is dear. */
function optionsBelow({ options }: Around, layer: Layer): SharedOptions {
  const locked = layer.encrypted && layer.unlocked === false;
  if (!locked) return options;
  const { budget, formats: among = formats } = options;
  return { budget, formats: among };
}

interface Around {
  /** Absent where no other file may be opened. */
  readonly policy: NamedFiles | undefined;
  /** Real paths of the overlays. */
  readonly above: readonly string[];
  readonly options: SharedOptions;
}

interface ImageFile {
  /** As it was named. */
  readonly path: string;
  /** An absolute path: what names in the image are relative to. */
  readonly place: string;
  readonly source: ByteSource;
  readonly format: Format;
}

function openSource(
  file: ImageFile,
  around: Around,
): OpenedImage {
  const findings = new Findings();
  const { path, source, format } = file;
  const layer = format.driver.open(source, findings, driverOptions(around));
  const { dialect } = around.options;
  const opened = {
    ...{ path, format: format.name, definition: format, source, findings },
    ...(dialect === undefined ? {} : { dialect }),
  };
  const close = (): void => source.close?.();
  if (layer === undefined) return { ...opened, incomplete: false, close };
  const dataFile = attachDataFile(file.place, { layer, findings, around });
  const backing = openBacking(file.place, { layer, findings, around });
  return {
    ...opened,
    layer,
    ...(backing.image === undefined ? {} : { backing: backing.image }),
    incomplete: backing.missing || dataFile.missing || (backing.image?.incomplete ?? false),
    close(): void {
      close();
      dataFile.source?.close?.();
      backing.image?.close();
    },
  };
}

/**
 * What the driver of an image is told. The legacy encryption cannot tell whether a passphrase is right:
 * the one with the image's place in the chain comes first, the last one where there are fewer.
 */
function driverOptions({ options, above }: Around): DriverOptions {
  const { passphrases = [], iterationsMax, dialect, budget } = options;
  const own = Math.min(above.length, passphrases.length - 1);
  const others = passphrases.filter((_, index) => index !== own);
  return {
    ...(passphrases.length === 0
      ? {}
      : { passphrases: [passphrases[own] as Uint8Array, ...others] }),
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
    ...(budget === undefined ? {} : { budget }),
    ...(dialect === undefined ? {} : { dialect }),
  };
}

/** Opens the payload `file` of a detached LUKS header. */
function openDetached(file: ImageFile, header: ByteSource, around: Around): OpenedImage {
  const isImage = file.format !== rawFormat && file.format.driver.detaches !== true;
  const payload = isImage ? openSource(file, around) : undefined;
  const findings = new Findings();
  const refusal = payload?.findings.refusal("read");
  if (refusal !== undefined) findings.add(refusal.rule, { path: "/payload" }, refusal.message);
  const content = payload === undefined ? file.source : new GuestSource(layersOf(payload));
  const options = { ...driverOptions(around), payload: content };
  const format = detachedFormat(header, around.options);
  const layer = format.driver.open(header, findings, options);
  return {
    path: file.path,
    format: format.name,
    definition: format,
    source: file.source,
    header,
    ...(payload === undefined ? {} : { payload }),
    findings,
    ...(layer === undefined || refusal !== undefined ? {} : { layer }),
    incomplete: payload?.incomplete ?? false,
    close(): void {
      header.close?.();
      (payload ?? file.source).close?.();
    },
  };
}

/** The format of a detached header: the first one that has them, where its bytes do not say. */
function detachedFormat(header: ByteSource, { formats: among = formats }: ReadOptions): Format {
  const found = detect(header, among);
  if (found.driver.detaches === true) return found;
  return among.find(({ driver }) => driver.detaches === true) ?? found;
}

interface LayerAt {
  readonly layer: Layer;
  readonly findings: Findings;
  readonly around: Around;
}

function attachDataFile(
  image: string,
  { layer, findings, around }: LayerAt,
): { source?: ByteSource; missing: boolean } {
  const name = layer.dataFile?.name;
  if (layer.dataFile === undefined) return { missing: false };
  if (around.policy === undefined || name === undefined || name === "") return { missing: true };
  // QEMU takes the name literally and relative to the directory it runs in: here, the image's folder.
  const path = name.startsWith("/") ? name : resolve(image, "..", `./${name}`);
  const named = around.policy.open(isProtocol(name) ? name : path);
  if (named.kind === "opened") {
    layer.attachDataFile?.(named.source);
    return { source: named.source, missing: false };
  }
  const rule = named.kind === "unreadable" ? layer.dataFile.rule : "blk.datafile.not-followed";
  findings.add(rule, { path: "/data_file" }, notOpened("data file", name, named));
  return { missing: true };
}

function openBacking(
  image: string,
  { layer, findings, around }: LayerAt,
): { image?: OpenedImage; missing: boolean } {
  const reference = layer.backing;
  if (reference === undefined) return { missing: false };
  if (around.policy === undefined) return { missing: true };
  const place = { path: "/backing_name" };
  const { name, format } = reference;
  const declared = format === undefined ? undefined : formatNamed(format, around.options.formats);
  if (format !== undefined && declared === undefined) {
    const known = foreignDrivers.has(format);
    const rule = known ? "blk.backing.not-followed" : "blk.backing.driver-known";
    findings.add(
      rule,
      place,
      `The backing format '${format}' is ${known ? "not ours" : "unknown"}`,
    );
    return { missing: true };
  }
  const named = around.policy.open(resolveName(image, name));
  if (named.kind !== "opened") {
    const rule = named.kind === "unreadable" ? "blk.backing.opens" : "blk.backing.not-followed";
    findings.add(rule, place, notOpened("backing file", name, named));
    return { missing: true };
  }
  const above = [...around.above, image];
  if (above.includes(named.path) || above.length >= MAX_CHAIN) {
    named.source.close?.();
    findings.add(
      "blk.backing.no-loop",
      place,
      `The backing chain does not end: '${name}' comes again`,
    );
    return { missing: true };
  }
  const { path, source } = named;
  const file = {
    ...{ path, place: path, source },
    format: declared ?? probe(source, around.options.formats),
  };
  const opened = openSource(file, { ...around, above, options: optionsBelow(around, layer) });
  judgeBackingOpen(opened, { name, findings, overlay: layer });
  return { image: opened, missing: false };
}

function notOpened(what: string, name: string, named: Named): string {
  const reason = named.kind === "opened" ? "" : named.reason;
  return `The ${what} '${name}' is not opened: ${reason}`;
}

/** What is wrong with a backing file is wrong with the chain. */
function judgeBackingOpen(
  backing: OpenedImage,
  { name, findings, overlay }: { name: string; findings: Findings; overlay: Layer },
): void {
  const place = { path: "/backing_name" };
  const refusal = backing.findings.refusal("read");
  if (refusal !== undefined) {
    const message = `The backing file '${name}' does not open: ${refusal.message}`;
    findings.add("blk.backing.opens", place, message);
    return;
  }
  if (backing.layer !== undefined && backing.layer.virtualSize < overlay.virtualSize) {
    const size = backing.layer.virtualSize;
    findings.add(
      "blk.backing.short",
      place,
      `The backing file '${name}' is only ${size} bytes long`,
    );
  }
}

/** The layers from the top down. */
export function layersOf(image: OpenedImage): Layer[];
/**
 * The layers with a snapshot of the top image in its place; `undefined` where it has none of that id or
 * name.
 */
export function layersOf(image: OpenedImage, snapshot: string | undefined): Layer[] | undefined;
export function layersOf(image: OpenedImage, snapshot?: string): Layer[] | undefined {
  const layers: Layer[] = [];
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    if (at.layer !== undefined) layers.push(at.layer);
  }
  if (snapshot === undefined) return layers;
  const top = layers[0]?.snapshot?.(snapshot);
  return top === undefined ? undefined : [top, ...layers.slice(1)];
}
