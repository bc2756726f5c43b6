/** A command in the making of an image, run in the image's own directory. */
export interface Command {
  /** `qemu-img` or `qemu-io`, and arguments. File names are relative. */
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

/** Makes an empty image. */
export function create(
  file: string,
  format: string,
  rest: {
    size?: string | number | bigint;
    options?: string;
    backing?: string;
    backingFormat?: string;
  },
): Command {
  const { size, options, backing, backingFormat } = rest;
  return img(
    "create",
    "-q",
    "-f",
    format,
    ...(options === undefined ? [] : ["-o", options]),
    ...(backing === undefined ? [] : ["-b", backing]),
    ...(backingFormat === undefined ? [] : ["-F", backingFormat]),
    file,
    ...(size === undefined ? [] : [String(size)]),
  );
}
