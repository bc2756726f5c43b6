import { FileSource, utf8 } from "../bytes/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import type { OptionNames, Options } from "./options.ts";
import { UsageError } from "./verb.ts";

/** The options that give passphrases. */
export const PASSPHRASES = {
  lists: ["passphrase-file", "passphrase"],
} as const satisfies OptionNames;

/** The help text of these options. */
export const PASSPHRASES_HELP = `  --passphrase-file FILE
                       a passphrase: every byte of the file, including a line end, as for
                       qemu-img and cryptsetup; - is standard input (may be repeated)
  --passphrase TEXT    a passphrase as text; every user can see it in the process list, and
                       deno task prints it unless it is called with -q`;

/** Names of standard input; Deno opens none of them. */
const STDIN = ["-", "/dev/stdin", "/dev/fd/0"];
/** The longest key file that cryptsetup reads by default: 8 MiB. */
const LENGTH_MAX = 2 ** 23;

/**
 * The passphrases to open images with, in the order in which they are tried: those of
 * `--passphrase-file`, and then those of `--passphrase`.
 *
 * cryptsetup uses every byte of a key file, and so does QEMU, except that QEMU ends a passphrase at its
 * first NUL byte: the part before it is tried as well. QEMU accepts only UTF-8. That makes no difference
 * here, since no image that QEMU created opens with anything else.
 *
 * @throws {UsageError} when a file cannot be read; no message contains a passphrase
 */
export function passphrasesOf(options: Options): Uint8Array[] {
  return givenPassphrases(options).flatMap((passphrase) => {
    const end = passphrase.indexOf(0);
    return end < 0 ? [passphrase] : [passphrase, passphrase.subarray(0, end)];
  });
}

/**
 * The passphrases as they are given, to create keys from.
 *
 * @param prefix of the names of the options, as `new-`
 * @throws {UsageError} when a file cannot be read; no message contains a passphrase
 */
export function givenPassphrases(options: Options, prefix = ""): Uint8Array[] {
  const fileLists = ["passphrase-file", "new-passphrase-file"];
  if (fileLists.flatMap(options.list).filter(isStdin).length > 1) {
    throw new UsageError("standard input holds one passphrase, not several");
  }
  const [files, texts] = PASSPHRASES.lists.map((name) => options.list(`${prefix}${name}`));
  return [
    ...(files ?? []).map((path) => isStdin(path) ? readStdin() : readFile(path)),
    ...(texts ?? []).map((text) => utf8(text)),
  ];
}

/** The files that passphrases are read from. */
export function passphraseFiles(options: Options, prefix = ""): string[] {
  return options.list(`${prefix}passphrase-file`).filter((path) => !isStdin(path));
}

/** Whether passphrases are read from standard input, so that nothing else can be. */
export function readsStdin(options: Options): boolean {
  return options.list("passphrase-file").some(isStdin);
}

function isStdin(path: string): boolean {
  return STDIN.includes(path);
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

/** All bytes of a pipe or a device, up to a limit: it may be endless. */
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
