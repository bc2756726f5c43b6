import { type ByteStore, MemoryStore } from "../../src/bytes/mod.ts";
import {
  type BitmapEditor,
  EditError,
  type ImageEditor,
  patternBytes,
  type SnapshotEditor,
} from "../../src/format/mod.ts";
import { type EditedImage, editFiles } from "../../src/image/edit/mod.ts";
import type { ReadOptions } from "../../src/image/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import { describeAction } from "./action.ts";
import type { Action } from "./step.ts";
import { isDoubtful } from "./commands.ts";
import type { KeySlots } from "../formats/mod.ts";
import type { Facts } from "./state.ts";
import type { Start, Writer } from "./writer.ts";

/** Snapshots are made at this time, in nanoseconds since 1970. */
const NOW = 1_000_000_000_000_000_000n;

/** How the reference is used. */
export interface ReferenceOptions {
  /** How images are opened, with their passphrases. */
  readonly options: ReadOptions;
  /** Changes keys, with the passphrase that opens the image. */
  readonly keys?: { readonly slots: KeySlots; readonly passphrase: string };
  /** Makes the store of a file; one in memory by default. */
  readonly store?: (file: CaseFile) => ByteStore;
  /** Wraps the editor, so that a mistake can be planted. */
  readonly editor?: (editor: ImageEditor) => ImageEditor;
}

/** Changes an image in memory with the editor of its format. */
export class ReferenceFiles implements Writer {
  readonly name = "reference";
  readonly #options: ReferenceOptions;
  #files = new Map<string, ByteStore>();
  #format = "raw";
  #header: string | undefined;
  #image: EditedImage | undefined;
  #editor: ImageEditor | undefined;

  constructor(options: ReferenceOptions) {
    this.#options = options;
  }

  load({ files, format, header }: Start): void {
    const make = this.#options.store ?? (({ source }: CaseFile) => new MemoryStore(source));
    this.#files = new Map(files.map((file) => [file.name, make(file)]));
    this.#format = format;
    this.#header = header;
    this.#image = undefined;
    this.#editor = undefined;
  }

  apply(action: Action): string | undefined {
    try {
      // The bits of a bitmap that tracks writes are saved when the image is closed.
      if (action.do === "reopen" || action.do === "bitmap-merge") this.settle();
      if (isOfKeys(action)) this.#changeKeys(action);
      else applyTo(this.#open(), action);
      return undefined;
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      if (isDoubtful(action)) return error.message;
      throw new Failure(
        `reference.${action.do}.rejected`,
        `${describeAction(action)}: ${error.message}`,
      );
    }
  }

  settle(): void {
    this.#editor?.flush();
    this.#image?.finish();
    this.#image = undefined;
    this.#editor = undefined;
  }

  files(): readonly CaseFile[] {
    return [...this.#files].map(([name, source]) => ({ name, source }));
  }

  #changeKeys({ do: verb, name: added }: KeyAction): void {
    const { keys } = this.#options;
    const [file] = this.#files.values();
    if (keys === undefined || file === undefined) throw new EditError("no key slots");
    this.settle();
    const bytes = file.read(0, file.size);
    const changed = verb === "key-add"
      ? keys.slots.add(bytes, { old: keys.passphrase, added })
      : keys.slots.erase(bytes, added);
    file.write(0, changed);
  }

  #open(): ImageEditor {
    if (this.#editor !== undefined) return this.#editor;
    this.#image = editStart(this.#files, this.#format, {
      ...this.#options.options,
      now: () => NOW,
      header: this.#header,
    });
    const { editor, findings } = this.#image;
    if (editor === undefined) {
      const [first] = findings.list();
      const why = first === undefined ? "" : `: ${first.message}`;
      throw new Failure(`reference.no-editor.${first?.rule ?? ""}`, `There is no editor${why}`);
    }
    return this.#editor = this.#options.editor?.(editor) ?? editor;
  }
}

/** Opens files for changes, of which one may be a detached header. */
function editStart(
  files: ReadonlyMap<string, ByteStore>,
  format: string,
  { header, ...options }: ReadOptions & {
    readonly now?: () => bigint;
    readonly header: string | undefined;
  },
): EditedImage {
  const detached = header === undefined ? undefined : files.get(header);
  if (detached === undefined) return editFiles(files, format, options);
  const others = new Map([...files].filter(([name]) => name !== header));
  return editFiles(others, undefined, { ...options, header: detached });
}

/** What an editor can do besides writing. */
export type Abilities = Pick<Facts, "empties" | "compresses" | "resizes" | "snapshots" | "bitmaps">;

/** What the editor of an image can do; `undefined` if it has none. */
export function abilitiesOf(
  { files, format, header }: Start,
  options: ReadOptions,
): Abilities | undefined {
  const stores = new Map(files.map(({ name, source }) => [name, new MemoryStore(source)]));
  const { editor } = editStart(stores, format, { ...options, header });
  return editor && {
    empties: editor.makeEmpty !== undefined,
    compresses: editor.writeCompressed !== undefined,
    resizes: editor.resize !== undefined,
    snapshots: editor.snapshots !== undefined,
    bitmaps: editor.bitmaps !== undefined,
  };
}

type KeyAction = Extract<Action, { do: "key-add" | "key-erase" }>;

function isOfKeys(action: Action): action is KeyAction {
  return action.do === "key-add" || action.do === "key-erase";
}

function applyTo(editor: ImageEditor, action: Exclude<Action, KeyAction>): void {
  switch (action.do) {
    case "write":
    case "compressed": {
      const { range: { start, end }, pattern } = action;
      const bytes = patternBytes(pattern, end - start);
      if (action.do === "write") return editor.write(start, bytes);
      if (editor.writeCompressed === undefined) throw new EditError("no compressed clusters");
      return editor.writeCompressed(start, bytes);
    }
    case "zero": {
      const { range: { start, end }, unmap } = action;
      return editor.writeZeroes(start, end - start, { unmap });
    }
    case "discard":
      return editor.discard(action.range.start, action.range.end - action.range.start);
    case "empty":
      if (editor.makeEmpty === undefined) throw new EditError("no emptying");
      return editor.makeEmpty();
    case "flush":
      return editor.flush();
    case "reopen":
      return;
    case "resize":
      if (editor.resize === undefined) throw new EditError("no other size");
      return editor.resize(action.size, { shrink: true });
    case "snapshot":
      return void snapshotsOf(editor).create(action.name);
    case "apply":
      return snapshotsOf(editor).apply(action.id ?? action.name);
    case "delete":
      return snapshotsOf(editor).delete(action.id ?? action.name);
    default:
      return applyToBitmaps(editor, action);
  }
}

function snapshotsOf({ snapshots }: ImageEditor): SnapshotEditor {
  if (snapshots !== undefined) return snapshots;
  throw new EditError("no snapshots");
}

function applyToBitmaps(
  { bitmaps, layer }: ImageEditor,
  action: Extract<Action, { do: `bitmap-${string}` }>,
): void {
  if (bitmaps === undefined) throw new EditError("no bitmaps");
  const { name } = action;
  const change: { readonly [Verb in typeof action.do]: (editor: BitmapEditor) => void } = {
    "bitmap-add": (editor) => {
      if (action.do !== "bitmap-add") return;
      const { granularity, enabled } = action;
      editor.add(name, { granularity, enabled });
    },
    "bitmap-remove": (editor) => editor.remove(name),
    "bitmap-enable": (editor) => editor.enable(name),
    "bitmap-disable": (editor) => editor.disable(name),
    "bitmap-clear": (editor) => editor.clear(name),
    "bitmap-merge": (editor) => {
      const source = action.do === "bitmap-merge" ? action.source : name;
      const found = layer.bitmaps?.find((bitmap) => bitmap.name === source);
      if (found === undefined) throw new EditError(`no bitmap ${source}`);
      if (found.inUse) throw new EditError(`The bitmap ${source} was not saved`);
      editor.merge(name, found.ranges());
    },
  };
  change[action.do](bitmaps);
}
