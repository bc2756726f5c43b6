import type { Expectation } from "../expect/mod.ts";
import type { Json } from "../format/mod.ts";
import type { VolumeReport } from "../peers/mod.ts";

/** A command that made an image, or a part of it. */
export interface RecordedCommand {
  readonly argv: readonly string[];
  /** How it ends, where that is not exit status 0: another status, or `crash`. */
  readonly ends?: number | "crash";
}

/** A file of a recorded image. */
export interface RecordedFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
}

/** What qemu-img printed and how it ended, or that it gave no answer. */
export type ToolAnswer = ExitAnswer | NoAnswer;

/** A tool that came to its end. */
export interface ExitAnswer {
  readonly exitCode: number;
  /** Standard output, parsed; absent where there was none. */
  readonly json?: Json;
  /** Standard error, where the exit status reports a failure; never compared. */
  readonly message?: string;
}

/**
 * A tool that died of a signal, or that did not end within so many seconds. That is not an expected
 * result for other implementations.
 */
export type NoAnswer =
  | { readonly crashed: string; readonly message?: string }
  | { readonly hung: number };

/** SHA-256 of what `qemu-img convert` wrote, or why it wrote nothing. */
export type DigestAnswer =
  | { readonly sha256: string; readonly length: number }
  | { readonly rejected: string }
  | NoAnswer;

/**
 * The expected result where no recorded tool has answered: the verdict of the reference. `either` where
 * it rejects an image that the format does not forbid.
 */
export interface ReferenceVerdict {
  readonly verdict: "accepted" | "rejected" | "either";
  /** The rule for which the reference rejects the image. */
  readonly rule?: string;
  /** The content, where it is known. */
  readonly content?: { readonly sha256: string; readonly length: number };
  /** The key slot that a passphrase opens. */
  readonly slot?: number;
}

/** What one version of qemu-img says of an image. */
export interface QemuImgAnswers {
  readonly info: ToolAnswer;
  /** Absent where qemu-img would need hours. */
  readonly map?: ToolAnswer;
  readonly check: ToolAnswer;
  /** Of the whole content; absent where that is too long. */
  readonly digest?: DigestAnswer;
  /** By the snapshot's name. */
  readonly snapshots?: { readonly [name: string]: DigestAnswer };
  /** Of parts of a content that is too long as a whole. */
  readonly ranges?: readonly RecordedRange[];
}

/** A part of the content, in bytes, and its digest. */
export interface RecordedRange {
  readonly start: number;
  readonly length: number;
  readonly digest: DigestAnswer;
}

/** What one version of cryptsetup says of a volume, and which key slot each passphrase opens. */
export interface CryptsetupAnswers {
  /** What luksDump prints, or why it prints nothing. */
  readonly info: VolumeReport | { readonly rejected: string } | NoAnswer;
  readonly unlocks: readonly UnlockAnswer[];
}

/** The result for a passphrase: it opens a slot, opens none, or the tool fails. */
export type UnlockAnswer = {
  readonly passphrase: string;
  /** The key slot that it opens. */
  readonly slot?: number | "none";
  /** The signal of which the tool died, and what it printed. */
  readonly crashed?: string;
  readonly message?: string;
  /** Seconds after which the tool had not ended. */
  readonly hung?: number;
  /** Why the answer is wrong, where it is: like a crash, it is not an expected result then. */
  readonly fault?: string;
};

/** A command that crashes a tool that is not a peer, run in the directory of the files. */
export interface ToolCrash {
  readonly argv: readonly string[];
  /** Of the tool. */
  readonly version: string;
  /** The signal. */
  readonly crashed: string;
  readonly message?: string;
}

/** What the format expects of any implementation that is queried for an image. */
export interface RecordedExpectations {
  /** The format that the image is of. */
  readonly format: string;
  /** The features that reading its content requires. */
  readonly features: readonly string[];
  /** By the question. */
  readonly answers: { readonly [question: string]: Expectation };
}

/** A recorded image: how it was made, its files, and what public tools say of it. */
export interface ImageRecord {
  readonly name: string;
  readonly features: readonly string[];
  /** The version of qemu-img and qemu-io that made it; `diskproof` for a case of the corpus. */
  readonly builder: string;
  /** The version of cryptsetup, where it had a part in the making. */
  readonly cryptsetup?: string;
  readonly commands: readonly RecordedCommand[];
  /** What it is an example of, in one sentence: for a case of the corpus. */
  readonly shows?: string;
  /** Names that it had before. */
  readonly aliases?: readonly string[];
  /** The kinds of bugs that it finds, which `corpus/flags.json` defines. */
  readonly flags?: readonly string[];
  /** What happened to an implementation, in one sentence. */
  readonly happened?: string;
  /** What was done to a sound image, in words: for a case of the corpus. */
  readonly changes?: readonly string[];
  /** The file that is queried. */
  readonly subject: string;
  /** Its format; probed where absent. */
  readonly format?: string;
  /**
   * The passphrases of encrypted content, which are public: the first one for the subject, the next
   * ones for its backing files from the top down, the last one for all further ones.
   */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of the subject. */
  readonly header?: string;
  /** The subject and whatever it refers to. */
  readonly files: readonly RecordedFile[];
  /** By version of qemu-img, such as `7.2.22`; none of LUKS version 2, which it does not know. */
  readonly answers: { readonly [version: string]: QemuImgAnswers };
  /** By version of cryptsetup, such as `2.6.1`. */
  readonly volume?: { readonly [version: string]: CryptsetupAnswers };
  /**
   * Implementations besides diskproof that have given the expected answer to a question, such as
   * `digest`, to which no tool has a recorded answer: each with its version, such as `luksde 20231204`.
   */
  readonly witnesses?: { readonly [question: string]: readonly string[] };
  /** What is expected of implementations other than the tools. */
  readonly expected?: RecordedExpectations;
  /** Commands that crash other tools. */
  readonly crashes?: readonly ToolCrash[];
  /** By the question, such as `info` or `digest`, where no version has an answer to it. */
  readonly reference?: { readonly [question: string]: ReferenceVerdict };
}
