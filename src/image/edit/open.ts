import {
  type ByteSource,
  type ByteStore,
  FileStore,
  MemoryStore,
  WindowSource,
} from "../../bytes/mod.ts";
import {
  EditError,
  type EditOptions,
  type Format,
  type ImageEditor,
  shownName,
} from "../../format/mod.ts";
import { rawFormat } from "../../raw/mod.ts";
import { Findings } from "../../rules/mod.ts";
import {
  type Around,
  chainOf,
  detachedFormat,
  driverOptions,
  formatFor,
  layersOf,
  linksFrom,
  nameImage,
  openLink,
  shared,
} from "../chain.ts";
import { type ImageFile, type Link, storeOfDataFile } from "../chain_links.ts";
import { GuestSource } from "../guest_source.ts";
import { headerSource } from "../header_file.ts";
import { GivenFiles, isStore } from "../named_files.ts";
import type { OpenedImage, OpenOptions, ReadOptions } from "../opened_image.ts";
import { openRefusal } from "../refusals.ts";
import { GuestStore } from "./guest_store.ts";
import { ProbedRawEditor } from "./probed_raw.ts";

/** How an image is opened for changes. */
export interface EditImageOptions extends OpenOptions, Pick<EditOptions, "now"> {
  /** `false`: do not open the backing file. For changes that do not depend on content. */
  readonly backing?: false;
}

/** How files that are not in a file system are opened for changes. */
export interface EditFilesOptions extends ReadOptions, Pick<EditOptions, "now"> {
  /** A detached LUKS header. */
  readonly header?: ByteSource;
}

/** An image that is open for changes. */
export interface EditedImage extends OpenedImage {
  /** Absent if the image must not be written to, or its format cannot be: a finding may say why. */
  readonly editor?: ImageEditor;
  /** Why there is no editor, as a sentence, if no finding says it. */
  readonly reason?: string;
  /** Opens the backing file for changes, too; absent if there is none, or it is not open. */
  editBacking?(): EditedImage;
  /** Writes what is left, and makes it durable. */
  finish(): void;
}

/**
 * Opens an image for changes, with its backing chain for reading. Total: whatever is wrong with the
 * image becomes a finding.
 *
 * @throws {Error} when the image file itself cannot be opened
 */
export function editImage(path: string, options: EditImageOptions = {}): EditedImage {
  const { file, around, header } = nameImage(path, options, (place) => new FileStore(place));
  const probed = options.format === undefined;
  const follows = options.backing !== false;
  const how = { ...around, probed, follows, depth: 0, edit: editOptionsOf(options) };
  return header === undefined ? edit(file, how) : editDetached(file, headerSource(header), how);
}

/**
 * Opens an image for changes that is not in a file system, with the files that it refers to.
 *
 * @param files by name; the image itself is the first one, a store; others are stores if they are
 * changed, too
 */
export function editFiles(
  files: ReadonlyMap<string, ByteSource>,
  format?: Format | string,
  options: EditFilesOptions = {},
): EditedImage {
  const [[path, source] = []] = files;
  if (path === undefined || source === undefined || !isStore(source)) {
    throw new TypeError("Cannot open an image for changes: the first file is not a store");
  }
  const named = { path, place: `/${path}`, source };
  const { header } = options;
  const file = { ...named, format: formatFor(named, format, options) };
  const how = {
    policy: new GivenFiles(files),
    options: shared(options),
    probed: format === undefined,
    follows: true,
    depth: 0,
    edit: editOptionsOf(options),
  };
  return header === undefined ? edit(file, how) : editDetached(file, header, how);
}

/** What editors are given. */
type Own = Pick<EditOptions, "now">;

function editOptionsOf({ now }: Own): Own {
  return now === undefined ? {} : { now };
}

interface EditAround extends Around {
  /** The format is a guess. */
  readonly probed: boolean;
  /** The backing file is opened. */
  readonly follows: boolean;
  /** How many images are above it. */
  readonly depth: number;
  readonly edit: Own;
}

type StoreFile = ImageFile & { readonly source: ByteStore };

/** Opens the files that an image names before the image itself: its editor reads them. */
function edit(file: StoreFile, around: EditAround): EditedImage {
  const { policy, options, depth } = around;
  const { passphrases: _, ...locked } = options;
  // Without a passphrase, what the header names is known, and nothing is derived from passphrases.
  const sketch = openLink(file, { policy: undefined, options: locked, depth });
  const named = { ...sketch, findings: new Findings() };
  const below = around.follows ? linksFrom(named, around) : { links: [named], lacks: false };
  const [, next] = below.links;
  const backing = next !== undefined
    ? chainOf({ links: below.links.slice(1), lacks: below.lacks }, options)
    : undefined;
  // What is said of a missing data file has its name, and what the editor finds has not.
  const findings = new Findings();
  const data = sketch.layer === undefined
    ? "none"
    : storeOfDataFile(file.place, { layer: sketch.layer, findings, policy });
  const opened = editorOf(file.format, file.source, findings, {
    ...driverOptions(options, depth),
    ...around.edit,
    ...(backing === undefined ? {} : { below: new GuestSource(layersOf(backing)) }),
    ...(typeof data === "string" ? {} : { dataFile: data }),
  });
  for (const { rule, path, message } of named.findings.list()) {
    findings.add(rule, { path }, message);
  }
  const layer = opened.editor?.layer ?? sketch.layer;
  const link: Link = { file, findings, layer, dataFile: data };
  const image = chainOf({ ...below, links: [link, ...below.links.slice(1)] }, options);
  const edited = editedImage(image, guarded(opened, file, around));
  if (next === undefined) return edited;
  return Object.assign(edited, { editBacking: () => editBelow(next.file, around) });
}

/** @throws {EditError} when the file cannot be opened for changes */
function editBelow(file: ImageFile, around: EditAround): EditedImage {
  const subject = `Cannot change the backing file '${shownName(file.path)}'`;
  if (file.source instanceof WindowSource) {
    throw new EditError(`${subject}: it is a part of a file`);
  }
  const named = around.policy?.openStore(file.place);
  if (named?.kind !== "opened") throw new EditError(`${subject}: ${named?.reason}`);
  const { source } = named;
  return edit({ ...file, source }, { ...around, probed: false, depth: around.depth + 1 });
}

/** An editor, or why there is none. */
type Editing = Pick<EditedImage, "editor" | "reason">;

function editorOf(
  { title, editor }: Format,
  store: ByteStore,
  findings: Findings,
  options: EditOptions,
): Editing {
  if (editor === undefined) return { reason: `Images of ${title} are not changed in place` };
  try {
    const opened = editor.open(store, findings, options);
    return opened === undefined ? {} : { editor: opened };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return { reason: error.message };
  }
}

/** The editor of a raw image that was only guessed to be one checks that it stays one. */
function guarded(
  opened: Editing,
  { format, path }: ImageFile,
  { probed, options: { formats } }: EditAround,
): Editing {
  const { editor } = opened;
  if (editor === undefined || format !== rawFormat || !probed) return opened;
  return { editor: new ProbedRawEditor(editor, { formats, name: path }) };
}

/**
 * An image with its editor, if nothing is wrong with it.
 *
 * @param below the image that it is in
 */
function editedImage(
  image: OpenedImage,
  { editor, reason }: Editing,
  below?: EditedImage,
): EditedImage {
  const allowed = editor !== undefined && !image.incomplete &&
    openRefusal(image, "write") === undefined;
  if (!allowed) return { ...image, ...(reason === undefined ? {} : { reason }), finish: () => {} };
  return {
    ...image,
    editor,
    get layer() {
      return editor.layer;
    },
    finish(): void {
      editor.close();
      below?.finish();
    },
  };
}

/** Opens the payload `file` of a detached header for changes. The header itself does not change. */
function editDetached(file: StoreFile, header: ByteSource, around: EditAround): EditedImage {
  const isImage = file.format !== rawFormat && file.format.driver.detaches !== true;
  const payload = isImage ? edit(file, around) : undefined;
  const store = payload === undefined
    ? file.source
    : payload.editor && new GuestStore(payload.editor, layersOf(payload).slice(1));
  const format = detachedFormat(header, around.options);
  const findings = new Findings();
  const refusal = payload && openRefusal(payload, "write");
  if (refusal !== undefined) findings.add(refusal.rule, { path: "/payload" }, refusal.message);
  const opened: Editing = store === undefined
    ? { ...(payload?.reason === undefined ? {} : { reason: payload.reason }) }
    : editorOf(format, new MemoryStore(header), findings, {
      ...driverOptions(around.options, 0),
      ...around.edit,
      payload: store,
    });
  const { editor } = opened;
  const image: OpenedImage = {
    path: file.path,
    format: format.name,
    definition: format,
    source: file.source,
    header,
    ...(payload === undefined ? {} : { payload }),
    findings,
    ...(editor === undefined ? {} : { layer: editor.layer }),
    incomplete: payload?.incomplete ?? false,
    close(): void {
      header.close?.();
      (payload ?? file.source).close?.();
    },
  };
  return editedImage(image, opened, payload);
}
