import { resolve } from "node:path";
import { type ByteSource, FileSource } from "../bytes/mod.ts";
import type { DriverOptions, FormatName, Layer, WorkBudget } from "../format/mod.ts";
import { ITERATIONS_BUDGET } from "../luks1/mod.ts";
import { Findings } from "../rules/mod.ts";
import { detect, driverNamed, foreignDrivers, probe } from "./drivers.ts";
import { GuestSource } from "./guest_source.ts";
import { headerSource } from "./header_file.ts";
import { isProtocol, resolveName } from "./names.ts";
import type { KeyOptions, OpenedImage, OpenOptions } from "./opened.ts";
import { FilePolicy, GivenFiles, type Named, type NamedFiles } from "./policy.ts";

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
  // With a header beside it the image is LUKS; what is probed is what its payload lies in.
  const isLuks = options.format === "luks" || options.format === "luks2";
  const told = options.header !== undefined && isLuks ? undefined : options.format;
  const probed = options.detect ? detect : probe;
  const driver = told === undefined ? probed(source) : driverNamed(told);
  if (driver === undefined) throw new TypeError(`Cannot open ${path}: unknown format`);
  const policy = options.alone ? undefined : new FilePolicy(place, options.root);
  const around = { policy, above: [], keys: shared(options) };
  const file = { path, place, source, driver: driver.name };
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
  format?: FormatName,
  keys: KeyOptions = {},
): OpenedImage {
  const driver = format ?? probe(source).name;
  const around = { policy: undefined, above: [], keys: shared(keys) };
  return openSource({ path: "", place: "/", source, driver }, around);
}

/**
 * Opens the payload of a detached LUKS header, which is an image or all of a file.
 *
 * @param header is closed with the image
 */
export function openDetachedBytes(
  payload: ByteSource,
  header: ByteSource,
  keys: KeyOptions = {},
): OpenedImage {
  const file = { path: "", place: "/", source: payload, driver: probe(payload).name };
  return openDetached(file, header, { policy: undefined, above: [], keys: shared(keys) });
}

/**
 * Opens an image that is not in a file system, with the files that it refers to.
 *
 * @param files by name; the image itself is the first one
 */
export function openFiles(
  files: ReadonlyMap<string, ByteSource>,
  format?: FormatName,
  keys: KeyOptions = {},
): OpenedImage {
  const [first] = files;
  if (first === undefined) throw new TypeError("Cannot open an image: there are no files");
  const [path, source] = first;
  const driver = format ?? probe(source).name;
  const around = { policy: new GivenFiles(files), above: [], keys: shared(keys) };
  return openSource({ path, place: `/${path}`, source, driver }, around);
}

/** What all images of an opening share. */
interface SharedKeys extends KeyOptions {
  readonly budget: WorkBudget;
}

function shared(keys: KeyOptions): SharedKeys {
  return { ...keys, budget: { left: keys.iterationsMax ?? ITERATIONS_BUDGET } };
}

/** Images below one that stays locked are of no use, and trying the passphrases on them is dear. */
function keysBelow({ keys }: Around, layer: Layer): SharedKeys {
  const locked = layer.encrypted && layer.unlocked === false;
  return locked ? { budget: keys.budget } : keys;
}

interface Around {
  /** Absent where no other file may be opened. */
  readonly policy: NamedFiles | undefined;
  /** Real paths of the overlays. */
  readonly above: readonly string[];
  readonly keys: SharedKeys;
}

interface ImageFile {
  /** As it was named. */
  readonly path: string;
  /** An absolute path: what names in the image are relative to. */
  readonly place: string;
  readonly source: ByteSource;
  readonly driver: FormatName;
}

function openSource(
  file: ImageFile,
  around: Around,
): OpenedImage {
  const findings = new Findings();
  const layer = driverNamed(file.driver)?.open(file.source, findings, driverOptions(around));
  const { dialect } = around.keys;
  const opened = {
    ...{ path: file.path, format: file.driver, source: file.source, findings },
    ...(dialect === undefined ? {} : { dialect }),
  };
  const close = (): void => file.source.close?.();
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
function driverOptions({ keys, above }: Around): DriverOptions {
  const { passphrases = [], iterationsMax, dialect, budget } = keys;
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
  const payload = file.driver === "qcow" || file.driver === "qcow2"
    ? openSource(file, around)
    : undefined;
  const findings = new Findings();
  const refusal = payload?.findings.refusal("read");
  if (refusal !== undefined) findings.add(refusal.rule, { path: "/payload" }, refusal.message);
  const content = payload === undefined ? file.source : new GuestSource(layersOf(payload));
  const options = { ...driverOptions(around), payload: content };
  const driver = detect(header).name === "luks2" ? "luks2" : "luks";
  const layer = driverNamed(driver)?.open(header, findings, options);
  return {
    path: file.path,
    format: driver,
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
  const rule = named.kind === "unreadable" ? "qcow2.datafile.opens" : "blk.datafile.not-followed";
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
  if (format !== undefined && driverNamed(format) === undefined) {
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
  const driver = (format === undefined ? undefined : driverNamed(format)) ?? probe(named.source);
  const { path, source } = named;
  const file = { path, place: path, source, driver: driver.name };
  const opened = openSource(file, { ...around, above, keys: keysBelow(around, layer) });
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
