/** A command in the making of an image, run in the image's own directory. */
export interface Command {
  /** `qemu-img`, `qemu-io` or `cryptsetup`, and arguments. File names are relative. */
  readonly argv: readonly string[];
  /** How it ends where that is not exit status 0. */
  readonly ends?: number | "crash";
}

/** How a golden image is made, and what is asked about it beyond the usual. */
export interface Recipe {
  readonly name: string;
  readonly features: readonly string[];
  readonly commands: readonly Command[];
  /** The file that is asked about; `disk` where absent. */
  readonly subject?: string;
  /** Files that the subject refers to. */
  readonly others?: readonly string[];
  /** Snapshots whose content is digested. */
  readonly snapshots?: readonly string[];
  /** `qemu-img map` is not asked: it walks the image cluster by cluster and takes hours. */
  readonly withoutMap?: true;
  /** Parts to digest of a content that is too long as a whole, in bytes. */
  readonly ranges?: readonly { readonly start: number; readonly length: number }[];
  /** What the content is asked for with: of the subject, then of its backing files. */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of the subject. */
  readonly header?: string;
  /** The first version of QEMU that follows the recipe; every one where absent. */
  readonly since?: string;
  /** Passphrases whose key slot cryptsetup is asked for. */
  readonly unlocks?: readonly string[];
  /** What a guest sees depends on a key that is another one each time. */
  readonly contentVaries?: true;
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

/** A call of qemu-img. */
export function img(...args: string[]): Command {
  return { argv: ["qemu-img", ...args] };
}

/** A call of qemu-io with these commands. */
export function io(file: string, format: string, ...commands: string[]): Command {
  return { argv: ["qemu-io", "-f", format, ...commands.flatMap((it) => ["-c", it]), file] };
}

/**
 * A call of qemu-io that ends in a crash: `abort` or `sigraise` is among its commands. Metadata stays
 * in memory until a flush.
 */
export function crash(file: string, format: string, ...commands: string[]): Command {
  const call = io(file, format, ...commands);
  const [tool = "", ...args] = call.argv;
  return { argv: [tool, "-t", "writeback", ...args], ends: "crash" };
}

/** A call of cryptsetup that asks nothing; a key slot has the least number of iterations. */
export function cryptsetup(action: string, ...args: string[]): Command {
  const derives = ["luksFormat", "luksAddKey", "luksChangeKey"].includes(action);
  const iterations = derives ? ["--pbkdf-force-iterations", "1000"] : [];
  return { argv: ["cryptsetup", action, "--batch-mode", ...iterations, ...args] };
}

/** The passphrases, by the files that hold them beside an image that is being made. */
export const KEYS = {
  key: "open sesame",
  "key-2": "zweiter Schlüssel",
  "key-3":
    "a passphrase longer than a block of SHA-512, which HMAC therefore takes the digest of: " +
    "0123456789 0123456789 0123456789 0123456789",
} as const;

export type KeyFile = keyof typeof KEYS;

/** Arguments that define secrets, each called like the file that holds it. */
export function secrets(...keys: KeyFile[]): string[] {
  return keys.flatMap((key) => ["--object", `secret,id=${key},file=${key}`]);
}

/** A call of qemu-io on an image that options open, with these commands. */
export function ioWith(keys: readonly KeyFile[], image: string, ...commands: string[]): Command {
  const all = commands.flatMap((it) => ["-c", it]);
  return { argv: ["qemu-io", ...secrets(...keys), "--image-opts", ...all, image] };
}

/** Milliseconds that a key slot is to take: hardly more than the least number of iterations. */
export const ITER_TIME = "iter-time=1";

/** Makes an empty image. */
export function create(
  file: string,
  format: string,
  rest: {
    size?: string | number | bigint;
    options?: string;
    backing?: string;
    backingFormat?: string;
    keys?: readonly KeyFile[];
  },
): Command {
  const { size, options, backing, backingFormat, keys = [] } = rest;
  return img(
    "create",
    "-q",
    "-f",
    format,
    ...secrets(...keys),
    ...(options === undefined ? [] : ["-o", options]),
    ...(backing === undefined ? [] : ["-b", backing]),
    ...(backingFormat === undefined ? [] : ["-F", backingFormat]),
    file,
    ...(size === undefined ? [] : [String(size)]),
  );
}
