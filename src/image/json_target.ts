import { driverNamed, FILE } from "./qemu_drivers.ts";
import { JsonError, type JsonOptions, JsonUnclear, type Scalar } from "./json_options.ts";

/** A local file, and how QEMU opens it. */
export interface FileTarget {
  /** Absolute, or relative to the folder of the image. */
  readonly path: string;
  /** The block driver; probed where absent. */
  readonly driver?: string;
  /** What of the file is read: a part of it, a part of that, and so on. */
  readonly parts?: readonly Part[];
  /** Its own backing file is not opened. */
  readonly alone?: true;
}

/** A part in bytes; it goes to the end where there is no size. */
export interface Part {
  readonly offset: number;
  readonly size?: number;
}

const RAW = "raw";
/** Where the options of the node below start. */
const BELOW = "file.";

/**
 * The local file that the options of a node of QEMU's block layer lead to: a format, above the driver of
 * files, or with parts of the file between them.
 *
 * @param depth of nodes above it: those below are opened without probing
 * @throws {JsonError} where QEMU rejects the options
 * @throws {JsonUnclear} where they are not followed
 */
export function nodeTarget(options: JsonOptions, depth = 0): FileTarget {
  const driver = driverOf(options, depth);
  if (driver === FILE) return { driver, path: pathOf(options) };
  const below = new Map(
    [...options].filter(([key]) => key.startsWith(BELOW))
      .map(([key, value]) => [key.slice(BELOW.length), value]),
  );
  if (below.size === 0 && typeof options.get("file") !== "string") {
    throw new JsonError("its JSON names no file");
  }
  if (depth > 0 && driver !== RAW) {
    throw new JsonUnclear(`the driver '${driver}' below another one is not followed`);
  }
  const noBacking = [null, ""].includes(options.get("backing") as null);
  for (const key of options.keys()) {
    const isPart = driver === RAW && (key === "offset" || key === "size");
    if (isPart || key === "driver" || key.startsWith(BELOW) || key === "backing" && noBacking) {
      continue;
    }
    throw notFollowed(key);
  }
  const { path, parts = [] } = nodeTarget(below, depth + 1);
  const [offset, size] = [options.get("offset"), options.get("size")];
  const part = {
    offset: sizeOf(offset ?? 0),
    ...(size === undefined ? {} : { size: sizeOf(size) }),
  };
  const isWhole = offset === undefined && size === undefined;
  return {
    path,
    ...(driver === undefined ? {} : { driver }),
    parts: isWhole ? parts : [...parts, part],
    ...(noBacking ? { alone: true } : {}),
  };
}

/** The driver of a node: where none is named it is probed at the top, and that of files below. */
function driverOf(options: JsonOptions, depth: number): string | undefined {
  const driver = options.get("driver");
  if (driver === undefined) return depth > 0 ? FILE : undefined;
  if (typeof driver !== "string") throw notFollowed("driver");
  const known = driverNamed(driver);
  if (known === "missing") throw new JsonError(`QEMU has no driver '${driver}'`);
  const isFollowed = typeof known !== "string" && (driver === FILE || driver === known.name);
  if (!isFollowed) throw new JsonUnclear(`the driver '${driver}' is not followed`);
  return driver;
}

function pathOf(options: JsonOptions): string {
  const name = options.get("filename") ?? "";
  if (name === "") throw new JsonError("its JSON has an empty file name, or none");
  const other = [...options.keys()].find((key) => key !== "driver" && key !== "filename");
  if (other !== undefined) throw notFollowed(other);
  if (typeof name !== "string") throw notFollowed("filename");
  return name;
}

/** @throws {JsonUnclear} for anything but a number of bytes in decimals */
function sizeOf(value: Scalar): number {
  const size = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  throw new JsonUnclear(`the size '${String(value)}' in its JSON is not followed`);
}

function notFollowed(option: string): JsonUnclear {
  return new JsonUnclear(`the option '${option}' in its JSON is not followed`);
}
