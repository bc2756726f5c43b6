import { FileSource } from "../bytes/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import type { OptionNames, Options } from "./options.ts";
import { UsageError } from "./verb.ts";

/** The options that give passphrases. */
export const PASSPHRASES = {
  lists: ["passphrase-file", "passphrase"],
} as const satisfies OptionNames;

/** What they do, for the help of a verb. */
export const PASSPHRASES_HELP = `  --passphrase-file FILE
                       a passphrase: every byte of the file, so that a line end counts, as
                       qemu-img and cryptsetup take it; - is standard input (may be repeated)
  --passphrase TEXT    a passphrase as it is typed; the list of processes shows it to everybody, and
                       deno task, without -q, to the log`;

/** Names of standard input, which Deno reads under none of its own. */
const STDIN = ["-", "/dev/stdin", "/dev/fd/0"];
/** The longest key file that cryptsetup takes, unless it is told otherwise: 8 MiB. */
const LENGTH_MAX = 2 ** 23;

/**
 * The passphrases to open images with, in the order in which they are tried: those of
 * `--passphrase-file`, and then those of `--passphrase`.
 *
 * cryptsetup takes every byte of a key file, and so does QEMU, but that it ends a passphrase at its
 * first NUL byte: where there is one, the part before it is tried as well. QEMU takes nothing but
 * UTF-8; here that makes no difference, for a passphrase that is not UTF-8 opens no image that QEMU
 * made.
 *
 * @throws {UsageError} when a file cannot be read; no message holds a passphrase
 */
export function passphrasesOf(options: Options): Uint8Array[] {
  return givenPassphrases(options).flatMap((passphrase) => {
    const end = passphrase.indexOf(0);
    return end < 0 ? [passphrase] : [passphrase, passphrase.subarray(0, end)];
  });
}

/**
 * The passphrases as they are given, to make keys of.
 *
 * @param prefix in front of the names of the options, as `new-`
 * @throws {UsageError} when a file cannot be read; no message holds a passphrase
 */
export function givenPassphrases(options: Options, prefix = ""): Uint8Array[] {
  const fileLists = ["passphrase-file", "new-passphrase-file"];
  if (fileLists.flatMap(options.list).filter(isStdin).length > 1) {
    throw new UsageError("Cannot run: standard input holds one passphrase, not several");
  }
  const [files, texts] = PASSPHRASES.lists.map((name) => options.list(`${prefix}${name}`));
  return [
    ...(files ?? []).map((path) => isStdin(path) ? readStdin() : readFile(path)),
    ...(texts ?? []).map((text) => new TextEncoder().encode(text)),
  ];
}

/** The files that passphrases are read from. */
export function passphraseFiles(options: Options): string[] {
  return options.list("passphrase-file").filter((path) => !isStdin(path));
}

function isStdin(path: string): boolean {
  return STDIN.includes(path);
}

/**
 * Stops before an image is made that nothing opens: those of qcow and qcow2 are QEMU's alone.
 *
 * @throws {UsageError} when QEMU does not take the passphrase, or not all of it
 */
export function mustSuitQemu(passphrase: Uint8Array): void {
  if (!passphrase.includes(0) && isUtf8(passphrase)) return;
  throw new UsageError(
    "Cannot use the passphrase: such an image is for QEMU, which takes UTF-8 without NUL bytes",
  );
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function readFile(path: string): Uint8Array {
  try {
    const { isFifo, isCharDevice } = Deno.statSync(path);
    if (isFifo === true || isCharDevice === true) {
      using file = Deno.openSync(path);
      return readToEnd(file);
    }
    const source = new FileSource(path);
    try {
      mustNotBeLong(source.size);
      return source.read(0, source.size);
    } finally {
      source.close();
    }
  } catch (error) {
    throw new UsageError(`Cannot read the passphrase in ${path}: ${whyUnreadable(error)}`);
  }
}

function readStdin(): Uint8Array {
  try {
    return readToEnd(Deno.stdin);
  } catch (error) {
    throw new UsageError(`Cannot read the passphrase: ${whyUnreadable(error)}`);
  }
}

/** Everything that comes out of a pipe or a device, which may never end. */
function readToEnd(file: { readSync(target: Uint8Array): number | null }): Uint8Array {
  const bytes = new Uint8Array(LENGTH_MAX + 1);
  let length = 0;
  for (let count: number | null = 1; count; length += count ?? 0) {
    count = length < bytes.length ? file.readSync(bytes.subarray(length)) : 0;
  }
  mustNotBeLong(length);
  return bytes.slice(0, length);
}

function mustNotBeLong(length: number): void {
  if (length > LENGTH_MAX) throw new TypeError("it is longer than 8 MiB");
}
