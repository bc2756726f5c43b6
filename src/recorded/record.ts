import type { Json } from "../format/mod.ts";
import type { VolumeReport } from "../peers/mod.ts";

/** A command that went into an image. */
export interface GoldenCommand {
  readonly argv: readonly string[];
  /** How it ends where that is not exit status 0: another status, or `crash`. */
  readonly ends?: number | "crash";
}

/** A file of a golden image, as it was when the image was made. */
export interface GoldenFile {
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
  /** Standard error, where the exit status tells of a failure. Wording, and only that. */
  readonly message?: string;
}

/**
 * A tool that died of a signal, or that was still at it after so many seconds. That says nothing about
 * the image: it binds nobody, and is only what the same tool is known for.
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
 * What is left to hold an implementation against where no recorded tool has answered: the verdict of
 * the reference. `either` where it refuses for what the format does not forbid.
 */
export interface ReferenceVerdict {
  readonly verdict: "accepted" | "rejected" | "either";
  /** The rule for which the reference refuses. */
  readonly rule?: string;
  /** Of a digest that is given all the same, where the content is known. */
  readonly content?: { readonly sha256: string; readonly length: number };
  /** The key slot that a passphrase opens. */
  readonly slot?: number;
}

/** What one version of qemu-img says of an image. */
export interface GoldenAnswers {
  readonly info: ToolAnswer;
  /** Absent where qemu-img would take hours. */
  readonly map?: ToolAnswer;
  readonly check: ToolAnswer;
  /** Of the whole content; absent where that is too long. */
  readonly digest?: DigestAnswer;
  /** By the snapshot's name. */
  readonly snapshots?: { readonly [name: string]: DigestAnswer };
  /** Of parts of a content that is too long as a whole. */
  readonly ranges?: readonly GoldenRange[];
}

/** A part of the content, in bytes, and its digest. */
export interface GoldenRange {
  readonly start: number;
  readonly length: number;
  readonly digest: DigestAnswer;
}

/** What one version of cryptsetup says of a volume, and which key slot each passphrase opens. */
export interface CryptsetupAnswers {
  /** What luksDump tells, or why it tells nothing. */
  readonly info: VolumeReport | { readonly rejected: string } | NoAnswer;
  readonly unlocks: readonly UnlockAnswer[];
}

/** What becomes of a passphrase: it opens a slot, opens none, or the tool dies of it. */
export type UnlockAnswer = {
  readonly passphrase: string;
  /** A key slot, or that the passphrase opens none. */
  readonly slot?: number | "none";
  /** The signal of which the tool has died, and its last words. */
  readonly crashed?: string;
  readonly message?: string;
  /** Seconds after which the tool was still at it. */
  readonly hung?: number;
  /** Why the answer is wrong, where it is: then it binds nobody, as a crash does. */
  readonly fault?: string;
};

/** A command, in the directory of the files, of which a tool dies that is not asked otherwise. */
export interface ToolCrash {
  readonly argv: readonly string[];
  /** Of the tool. */
  readonly version: string;
  /** The signal. */
  readonly crashed: string;
  readonly message?: string;
}

/** One golden image: how it was made, of what it consists, and what public tools say of it. */
export interface GoldenRecord {
  readonly name: string;
  readonly features: readonly string[];
  /** The version of qemu-img and qemu-io that made it; `diskproof` for a case of the corpus. */
  readonly builder: string;
  /** The version of cryptsetup, where it had a part in the making. */
  readonly cryptsetup?: string;
  readonly commands: readonly GoldenCommand[];
  /** What was done to a sound image, in words: for a case of the corpus. */
  readonly changes?: readonly string[];
  /** The file that is asked about. */
  readonly subject: string;
  /** The format that it is asked about as; probed where absent. */
  readonly format?: string;
  /**
   * What encrypted content is read with, known to everybody: the first one for the subject, the next
   * ones for its backing files from the top down, the last one for all further ones.
   */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of the subject. */
  readonly header?: string;
  /** The subject and whatever it refers to. */
  readonly files: readonly GoldenFile[];
  /** By version of qemu-img, such as `7.2.22`; none of LUKS version 2, which it does not know. */
  readonly answers: { readonly [version: string]: GoldenAnswers };
  /** By version of cryptsetup, such as `2.6.1`. */
  readonly volume?: { readonly [version: string]: CryptsetupAnswers };
  /** Of what other tools die. */
  readonly crashes?: readonly ToolCrash[];
  /** By the question, such as `info` or `digest`, where no version has an answer to it. */
  readonly reference?: { readonly [question: string]: ReferenceVerdict };
}
