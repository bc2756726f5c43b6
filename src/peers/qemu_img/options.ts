import type { Json } from "../../format/mod.ts";
import { answered, membersOf, readJson, ShapeError } from "../answers.ts";
import { accepted, type ChainImage, type Outcome, type Subject } from "../peer.ts";
import type { ToolResult } from "../tool/process.ts";
import { optionValue, toolPath } from "./names.ts";
import { secretId } from "./secrets.ts";

/** Options of a block device; those of a device within it have its name and a dot in front. */
export type BlockOptions = { readonly [key: string]: string };

/** The option that names the secret, by format. */
const KEY_OPTIONS: { readonly [format: string]: string } = {
  luks: "key-secret",
  qcow: "encrypt.key-secret",
  qcow2: "encrypt.key-secret",
};
/** Formats that the payload of a detached header may be kept in. */
const PAYLOAD_FORMATS = ["qcow", "qcow2"];

/**
 * Learns from qemu-img which images of a chain are encrypted, the top one first; for the payload's chain
 * where the header is detached. Nothing where qemu-img does not open the image. Its answer may be
 * malformed.
 */
export async function learnChain(
  subject: Subject,
  qemuImg: (args: readonly string[]) => Promise<ToolResult>,
): Promise<Outcome<readonly ChainImage[]>> {
  const { path, header, format, chain } = subject;
  if (chain !== undefined) return accepted(chain);
  // A volume has no backing file, so the content of its header does not matter.
  if (format === "luks" && header === undefined) return accepted([{ format, encrypted: true }]);
  const forced = format === undefined || header !== undefined ? [] : ["-f", format];
  const named = ["--output=json", "-U", ...forced, "--", toolPath(path)];
  // A backing file that does not open makes the whole chain unknown.
  for (const verb of [["info", "--backing-chain"], ["info"]]) {
    const result = await qemuImg([...verb, ...named]);
    if (!answered(result)) continue;
    return readJson(result, (json) => [json].flat().map(chainImageIn));
  }
  return accepted([]);
}

function chainImageIn(json: Json): ChainImage {
  const { format, encrypted } = membersOf(json);
  if (typeof format === "string") return { format, encrypted: encrypted === true };
  throw new ShapeError("The answer to info has no format");
}

/** Whether an image is opened by its name alone, without options. */
export function opensByName(
  { header, passphrases = [] }: Subject,
  chain: readonly ChainImage[],
): boolean {
  return header === undefined &&
    (passphrases.length === 0 || !chain.some(({ encrypted }) => encrypted));
}

/**
 * The options that open an image and, where there are passphrases, everything encrypted below it.
 *
 * @param secret names the secret of an image by its depth
 */
export function blockOptions(
  subject: Subject & { readonly format: string },
  chain: readonly ChainImage[],
  secret: (depth: number) => string = (depth) => secretId(depth, subject.passphrases ?? []),
): BlockOptions {
  const { path, format, header, passphrases = [] } = subject;
  const file = { "file.driver": "file", "file.filename": toolPath(path) };
  if (header !== undefined) {
    const payload = chain[0]?.format ?? "raw";
    return {
      driver: "luks",
      ...(passphrases.length === 0 ? {} : { "key-secret": secret(0) }),
      ...(PAYLOAD_FORMATS.includes(payload) ? within("file", { driver: payload, ...file }) : file),
      "header.driver": "file",
      "header.filename": header,
    };
  }
  const keys = chain.flatMap((image, depth): [string, string][] => {
    const option = KEY_OPTIONS[image.format];
    if (passphrases.length === 0 || !image.encrypted || option === undefined) return [];
    return [[`${"backing.".repeat(depth)}${option}`, secret(depth)]];
  });
  return { driver: format, ...file, ...Object.fromEntries(keys) };
}

/** The option of a key that a QEMU tool says is missing. */
export function lackingKey(stderr: string): string | undefined {
  // "secret" is missing where it is a passphrase, too.
  const start = /Parameter '((?:encrypt\.)?key-)[^']*' is required/.exec(stderr)?.[1];
  return start === undefined ? undefined : `${start}secret`;
}

/** The options that open an image of which only the name of the key option is known. */
export function lackedOptions(
  { path, format, passphrases = [] }: Subject,
  key: string,
): BlockOptions {
  return {
    ...(format === undefined ? {} : { driver: format }),
    "file.driver": "file",
    "file.filename": toolPath(path),
    [key]: secretId(0, passphrases),
  };
}

/** Options of a device that is a part of another one under a name. */
export function within(name: string, options: BlockOptions): BlockOptions {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [`${name}.${key}`, value]),
  );
}

/** Options as the argument of `--image-opts`. */
export function imageOptions(options: BlockOptions): string {
  return Object.entries(options).map(([key, value]) => `${key}=${optionValue(value)}`).join(",");
}
