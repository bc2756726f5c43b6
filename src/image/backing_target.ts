import type { BackingReference, BlockRule, Format } from "../format/mod.ts";
import { driverNamed, FILE, isProtocolKnown } from "./qemu_drivers.ts";
import { JsonError, jsonOptions, JsonUnclear } from "./json_options.ts";
import { type FileTarget, nodeTarget } from "./json_target.ts";
import { isProtocol } from "./file_names.ts";

/** What the name of a backing file leads to. */
export type Target =
  | NamedFile
  /** QEMU rejects the name, whatever there is. */
  | { readonly kind: "rejected"; readonly rule: BlockRule; readonly reason: string }
  /** It is followed by QEMU and not by us. */
  | { readonly kind: "not-followed"; readonly reason: string };

/** A local file. */
export interface NamedFile extends FileTarget {
  readonly kind: "file";
  /** Probing does not see the name of the file. */
  readonly anonymous?: true;
}

const JSON_PREFIX = "json:";
const FILE_PREFIX = `${FILE}:`;

/** What a backing file name means to QEMU, with the driver that the image may name for it. */
export function targetOf(
  { name, format }: BackingReference,
  formats: readonly Format[] | undefined,
): Target {
  const driver = format === undefined ? undefined : driverNamed(format, formats);
  if (driver === "missing") {
    return rejected("blk.backing.driver-known", `QEMU has no driver '${format}'`);
  }
  if (name.startsWith(JSON_PREFIX)) return jsonTarget(name.slice(JSON_PREFIX.length), format);
  // The driver of files takes any other name for a path.
  const protocol = isProtocol(name) && format !== FILE ? name.slice(0, name.indexOf(":")) : FILE;
  if (!isProtocolKnown(protocol)) {
    return rejected("blk.backing.protocol-known", `QEMU knows no protocol '${protocol}'`);
  }
  if (protocol !== FILE) return notFollowed(`the protocol '${protocol}' is not followed`);
  if (driver === "unusable") {
    return rejected("blk.backing.driver-usable", `the driver '${format}' opens no such file`);
  }
  const stripped = name.startsWith(FILE_PREFIX) ? name.slice(FILE_PREFIX.length) : name;
  if (stripped === "") return rejected("blk.backing.opens", "the name is empty");
  const path = isProtocol(stripped) ? `./${stripped}` : stripped;
  return { kind: "file", path, ...(format === undefined ? {} : { driver: format }) };
}

/** The target of a JSON object; a format that the image names comes before the one in the object. */
function jsonTarget(text: string, format: string | undefined): Target {
  try {
    const options = new Map(jsonOptions(text));
    if (format !== undefined) options.set("driver", format);
    return { ...nodeTarget(options), kind: "file", anonymous: true };
  } catch (error) {
    if (error instanceof JsonError) return rejected("blk.backing.json-valid", error.message);
    if (error instanceof JsonUnclear) return notFollowed(error.message);
    throw error;
  }
}

function rejected(rule: BlockRule, reason: string): Target {
  return { kind: "rejected", rule, reason };
}

function notFollowed(reason: string): Target {
  return { kind: "not-followed", reason };
}
