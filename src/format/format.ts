import type { ByteSource } from "../bytes/mod.ts";
import type { KeptKeys } from "../crypto/mod.ts";
import type { Struct } from "../layout/mod.ts";
import type { Finding, Rule, RuleId } from "../rules/mod.ts";
import type { FormatCreator } from "./create.ts";
import type { Dialect } from "./dialect.ts";
import type { FormatDriver } from "./driver.ts";
import type { FormatEditor } from "./editor.ts";
import type { Broken } from "./layer.ts";
import type { FormatWriter } from "./writer.ts";

/**
 * Everything about one format. Each format's room has one, and `formats.ts` contains the list of all
 * formats.
 *
 * @typeParam Model a value that describes an image of the format completely
 * @typeParam Name the name on the command line
 * @typeParam Creation the parsed request for a new image
 */
export interface Format<Model = unknown, Name extends string = string, Creation = unknown> {
  /** Name on the command line and in output: `qcow2`. */
  readonly name: Name;
  /** Readable name: `LUKS version 2`. */
  readonly title: string;
  /** Other names that the command line accepts. */
  readonly aliases: readonly string[];
  /** The on-disk structures. */
  readonly structures: readonly Struct[];
  /** The rules of the format, in the order in which an image is judged. */
  readonly rules: readonly Rule[];
  /** The public tools that support the format. */
  readonly tools: readonly Tool[];
  /** The format is recognised but not read. */
  readonly foreign?: true;
  /** Recognises and reads images. */
  readonly driver: FormatDriver;
  /** The features of the format that an implementation may lack. */
  readonly features?: FeatureTable;
  /** The features that a file uses, according to its header. Total: any bytes are accepted. */
  featuresOf?(source: ByteSource): readonly string[];
  /** How findings become verdicts. */
  readonly verdict: VerdictPolicy;
  /** Makes images from models. */
  readonly writer: FormatWriter<Model>;
  /** Changes images in place; absent for a format that cannot be written to. */
  readonly editor?: FormatEditor;
  /** Makes new images; absent for a format that cannot be created. */
  readonly create?: FormatCreator<Creation>;
  /** What opens encrypted content; absent without encryption. */
  readonly keys?: FormatKeys;
}

/** A public tool that reads images. */
export type Tool = "qemu-img" | "cryptsetup" | "luksdeinfo";

/**
 * A question whose answer depends on some of the structures of an image. `snapshot` is the content of an
 * internal snapshot.
 */
export type Use = "info" | "map" | "digest" | "snapshot" | "check" | "unlock";

/**
 * Which questions need the structures that the rules of a format are about. A key is the part of a slug
 * after its first dot, or a prefix of that up to a dot; the longest one counts. A structure that is not
 * listed is needed by every question.
 */
export type UseTable = Readonly<Record<string, readonly Use[]>>;

/** Features that an implementation may lack: the name in the adapter protocol, and what it means. */
export type FeatureTable = Readonly<Record<string, string>>;

/** Derives verdicts from the findings of an image. */
export interface VerdictPolicy {
  /**
   * The tool whose behaviour the effects of the rules describe. QEMU treats an image of an unknown
   * format as raw.
   */
  readonly tool: Extract<Tool, "qemu-img" | "cryptsetup">;
  /** Whether unlocked content is read even though the tool rejects the image because of this finding. */
  readsDespite?(finding: Finding): boolean;
  /** The rule that a file breaks which is a header alone: the header is read, and there is no content. */
  readonly headerAlone?: RuleId;
  /** The drafts of the format that are supported. */
  readonly drafts?: Readonly<Partial<Record<Dialect, DraftPolicy>>>;
  /** A rule that every image of the format breaks. */
  readonly everyImage?: Broken;
  /** Which questions need which structures. */
  readonly uses?: UseTable;
  /** Structures that no question needs in an image without a feature, by prefix of the slug. */
  readonly usedWith?: Readonly<Record<string, string>>;
  /**
   * Rules for which the tool reads a damaged structure in a way that the format does not define. Another
   * implementation may read it in another way.
   */
  readonly lenient?: readonly RuleId[];
  /** Rules about the stream of a compressed cluster: a reader of a part of it may stop before the damage. */
  readonly streams?: readonly RuleId[];
  /** Rules that an image breaks whose content is in a file that is missing: no reader can invent it. */
  readonly missing?: readonly RuleId[];
}

/** Distinguishes images of a draft from those of the format, and judges them. */
export interface DraftPolicy {
  /** The rule that an image of the draft breaks. */
  readonly sign: RuleId;
  /** The rules that all images of the draft break, and that do not apply to the draft. */
  readonly breaks: ReadonlySet<RuleId>;
}

/**
 * Why content stays locked: there is no passphrase, none of them is correct, or attempting them
 * requires more work or memory than allowed.
 */
export type Lock = "missing" | "wrong" | "work" | "memory";

/** Location of a header with its key material in a file. */
export interface KeyArea {
  /** Byte offset in the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** Access to the encryption keys of a format. */
export interface FormatKeys {
  /** The reason why content stays locked, by the rule that is broken. */
  readonly locks: Readonly<Record<RuleId, Lock>>;
  /** The rule that a key slot breaks whose key material is damaged, so that no passphrase opens it. */
  readonly damage?: RuleId;
  /**
   * The header and key material of a file whose key slots can be changed.
   *
   * @returns the location, or the reason why it cannot be written to, as the end of a sentence;
   * `undefined` if the file is not of the format
   */
  area?(source: ByteSource): KeyArea | string | undefined;
  /**
   * The key slot that a passphrase opens, or the reason why there is none. The payload is not read.
   *
   * @param keyMaterial the file with the header
   */
  unlock?(
    keyMaterial: ByteSource,
    passphrase: Uint8Array,
    options?: KeySlotOptions,
  ): UnlockedSlot;
}

/** Limits on the attempts of one passphrase. */
export interface KeySlotOptions {
  /** The only slot that is attempted. */
  readonly slot?: number;
  /** The work limit, in iterations of PBKDF2 with SHA-256 or equivalents. */
  readonly iterationsMax?: number;
  /** Keys of slots that were opened before. */
  readonly keptKeys?: KeptKeys;
  /** Where the source starts in its file. */
  readonly base?: number;
}

/** The slot that a passphrase opens, or the reason why there is none: it is wrong, or another one. */
export type UnlockedSlot =
  | { readonly slot: number }
  | {
    readonly message: string;
    readonly isWrong: boolean;
    /** The slots that no passphrase opens, as sentences. */
    readonly damaged?: readonly string[];
  };
