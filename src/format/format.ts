import type { ByteSource } from "../bytes/mod.ts";
import type { Struct } from "../layout/mod.ts";
import type { Finding, Rule, RuleId } from "../rules/mod.ts";
import type { FormatCreator } from "./create.ts";
import type { Dialect } from "./dialect.ts";
import type { FormatDriver } from "./driver.ts";
import type { Broken } from "./layer.ts";
import type { FormatWriter } from "./writer.ts";

/**
 * All that diskproof knows of one format. Each format's room has one, and `formats.ts` lists them: what
 * enumerates formats goes by that list.
 *
 * @typeParam Model a value that says everything about an image of the format
 * @typeParam Name as on the command line
 * @typeParam Creation what a new image with given content is made from
 */
export interface Format<Model = unknown, Name extends string = string, Creation = unknown> {
  /** As on the command line and in answers: `qcow2`. */
  readonly name: Name;
  /** For a person: `LUKS version 2`. */
  readonly title: string;
  /** Other names that the command line accepts. */
  readonly aliases: readonly string[];
  /** The on-disk structures. */
  readonly structures: readonly Struct[];
  /** The rules of the format, in the order in which an image is judged. */
  readonly rules: readonly Rule[];
  /** The public tools that know the format. */
  readonly tools: readonly Tool[];
  /** The format is recognised, and nothing of it is read. */
  readonly foreign?: true;
  /** Recognises and reads images. */
  readonly driver: FormatDriver;
  /** How findings become verdicts. */
  readonly verdict: VerdictPolicy;
  /** Makes images from models. */
  readonly writer: FormatWriter<Model>;
  /** Makes new images; absent for a format that cannot be created. */
  readonly create?: FormatCreator<Creation>;
  /** What opens encrypted content; absent without encryption. */
  readonly keys?: FormatKeys;
}

/** A public tool that says what images are. */
export type Tool = "qemu-img" | "cryptsetup" | "luksdeinfo";

/** How the findings of an image become verdicts. */
export interface VerdictPolicy {
  /**
   * The tool that the effects of the rules are those of. To QEMU, an image of a format that it does not
   * know is raw.
   */
  readonly tool: Extract<Tool, "qemu-img" | "cryptsetup">;
  /** Whether unlocked content is read although the tool rejects the image for this finding. */
  readsDespite?(finding: Finding): boolean;
  /** The drafts of the format that images can be read as. */
  readonly drafts?: Readonly<Partial<Record<Dialect, DraftPolicy>>>;
  /** A rule that every image of the format breaks. */
  readonly everyImage?: Broken;
}

/** How images of a draft of a format are told from those of the format, and judged. */
export interface DraftPolicy {
  /** The rule that is broken where an image is one of the draft. */
  readonly sign: RuleId;
  /** The rules that all images of the draft break; read as that draft, they may. */
  readonly breaks: ReadonlySet<RuleId>;
}

/**
 * Why content stays locked: there is no passphrase, none of them is right, or trying them takes more
 * work or more memory than is allowed.
 */
export type Lock = "missing" | "wrong" | "work" | "memory";

/** Where a header with its key material is in a file. */
export interface KeyArea {
  /** Byte offset in the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** What opens the content of a format with encryption. */
export interface FormatKeys {
  /** What the rules say of a passphrase that are broken where content stays locked. */
  readonly locks: Readonly<Record<RuleId, Lock>>;
  /**
   * The header and key material of a file whose key slots can be changed.
   *
   * @returns the place, or why there is none to write to, as the end of a sentence; `undefined` where
   * the file is not of the format
   */
  area?(source: ByteSource): KeyArea | string | undefined;
  /**
   * The key slot that a passphrase opens, or why there is none. The payload is not looked at.
   *
   * @param keyMaterial the file that starts with the header
   */
  unlock?(
    keyMaterial: ByteSource,
    passphrase: Uint8Array,
  ): { readonly slot: number } | { readonly message: string };
}
