/** The parts of recipes for encrypted qcow and qcow2 images. */
import { type Command, create, ioWith, ITER_TIME, type KeyFile, KIB } from "./recipe.ts";

/** The options of qcow2 for the smallest key material. */
const LUKS_OPTIONS = [
  "encrypt.format=luks",
  `encrypt.${ITER_TIME}`,
  "encrypt.cipher-alg=aes-128",
  "encrypt.cipher-mode=cbc",
  "encrypt.hash-alg=sha1",
].join(",");
const AES_OPTIONS = "encrypt.format=aes";

/** Creates an empty encrypted image. */
export function made(
  file: string,
  kind: "luks" | "aes" | "qcow",
  rest: {
    key?: KeyFile;
    size?: string;
    options?: string;
    backing?: string;
    backingFormat?: string;
  },
): Command {
  const { key = "key", options, ...more } = rest;
  const own = [kind === "luks" ? LUKS_OPTIONS : AES_OPTIONS, `encrypt.key-secret=${key}`];
  return create(file, kind === "qcow" ? "qcow" : "qcow2", {
    ...more,
    options: [...own, ...(options === undefined ? [] : [options])].join(","),
    keys: [key],
  });
}

/**
 * The options to open an image with the key of the same name, and its backing files with theirs.
 */
export function opened(format: string, ...keys: (KeyFile | "none")[]): string {
  const options = keys.flatMap((key, depth) =>
    key === "none" ? [] : [`${"backing.".repeat(depth)}encrypt.key-secret=${key}`]
  );
  return [`driver=${format}`, ...options, "file.filename=disk"].join(",");
}

/** Runs qemu-io on the encrypted image `disk`. */
export function written(format: string, ...commands: string[]): Command {
  return ioWith(["key"], opened(format, "key"), ...commands);
}

/**
 * Data, part of a cluster, a hole of zeros and discarded clusters, in clusters of `size` bytes.
 * Encrypted data does not compress, so there is little data in large clusters.
 */
export function content(size: number): string[] {
  const at = (index: number, offset = 0) => index * size + offset;
  if (size > 16 * KIB) {
    return [`write -q -P 0x11 ${at(1, 1024)} 512`, `write -q -z ${at(2)} ${size}`];
  }
  return [
    `write -q -P 0x11 0 ${at(3)}`,
    `write -q -s verse ${at(4)} 1536`,
    `write -q -P 0x22 ${at(9)} 512`,
    `write -q -z ${at(1)} ${size}`,
    `discard -q ${at(2)} ${size}`,
  ];
}
