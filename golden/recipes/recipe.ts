/** A command that helps to create an image. It runs in the image's own directory. */
export interface Command {
  /** `qemu-img`, `qemu-io` or `cryptsetup`, and arguments. File names are relative. */
  readonly argv: readonly string[];
  /** How it ends, if not with exit status 0. */
  readonly ends?: number | "crash";
}

/** The commands that create a golden image, and additional questions about it. */
export interface Recipe {
  readonly name: string;
  readonly features: readonly string[];
  readonly commands: readonly Command[];
  /** The file to open; `disk` if absent. */
  readonly subject?: string;
  /** Files that the subject refers to. */
  readonly others?: readonly string[];
  /** Snapshots whose content is digested. */
  readonly snapshots?: readonly string[];
  /** `qemu-img map` is skipped: it walks the image cluster by cluster, for hours. */
  readonly withoutMap?: true;
  /** Parts to digest of content that is too long, in bytes. */
  readonly ranges?: readonly { readonly start: number; readonly length: number }[];
  /** The passphrases of the subject, and then of its backing files. */
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header of the subject. */
  readonly header?: string;
  /** The first version of QEMU that supports the recipe; all versions if absent. */
  readonly since?: string;
  /** Passphrases whose key slot cryptsetup is queried for. */
  readonly unlocks?: readonly string[];
  /** The content depends on a key that differs each time. */
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
 * A call of qemu-io that ends in a crash, with `abort` or `sigraise` among its commands. Metadata
 * stays in memory until a flush.
 */
export function crash(file: string, format: string, ...commands: string[]): Command {
  const call = io(file, format, ...commands);
  const [tool = "", ...args] = call.argv;
  return { argv: [tool, "-t", "writeback", ...args], ends: "crash" };
}

/** A call of cryptsetup that does not prompt; key slots have as few iterations as possible. */
export function cryptsetup(action: string, ...args: string[]): Command {
  const derives = ["luksFormat", "luksAddKey", "luksChangeKey"].includes(action);
  const iterations = derives ? ["--pbkdf-force-iterations", "1000"] : [];
  return { argv: ["cryptsetup", action, "--batch-mode", ...iterations, ...args] };
}

/** The passphrases, by the names of their files beside an image during its creation. */
export const KEYS = {
  key: "open sesame",
  "key-2": "zweiter Schlüssel",
  "key-3":
    "a passphrase longer than a block of SHA-512, which HMAC therefore takes the digest of: " +
    "0123456789 0123456789 0123456789 0123456789",
} as const;

export type KeyFile = keyof typeof KEYS;

/** Arguments that define secrets, each with the name of its file. */
export function secrets(...keys: KeyFile[]): string[] {
  return keys.flatMap((key) => ["--object", `secret,id=${key},file=${key}`]);
}

/** A call of qemu-io on an image that options open, with these commands. */
export function ioWith(keys: readonly KeyFile[], image: string, ...commands: string[]): Command {
  const all = commands.flatMap((it) => ["-c", it]);
  return { argv: ["qemu-io", ...secrets(...keys), "--image-opts", ...all, image] };
}

/** Milliseconds for a key slot: little more than the fewest iterations. */
export const ITER_TIME = "iter-time=1";

/** Creates an empty image. */
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
