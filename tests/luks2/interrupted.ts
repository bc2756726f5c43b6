/** Has cryptsetup begin to reencrypt files, and interrupts it: no device is needed. */

import { type Answer, run, succeed } from "../luks1/live.ts";
import { QUICK_PBKDF2 } from "./made.ts";

/** A way to reencrypt. */
export interface Way {
  readonly about: string;
  /** The start: a plain file, or a volume. */
  readonly from: "plain" | "volume";
  /** The header is a file of its own. */
  readonly detached: boolean;
  readonly options: readonly string[];
  /** Options that say how what is interrupted is kept, where data is not only moved. */
  readonly resilience: readonly string[];
  /**
   * Bytes of a file behind which a write kills: in the payload, and behind what is written of a header
   * in a file of its own.
   */
  readonly limit: number;
}

/** The files of a volume that is reencrypted. */
export interface Interrupted {
  readonly header: string;
  readonly payload: string;
}

/** What is put behind data that a header is to be put before; half of it is the header's. */
const ROOM = 2 ** 21;
/** Where the payload of an attached volume starts. */
export const DATA = ROOM / 2;

const CALL = ["cryptsetup", "reencrypt", "--batch-mode", "--force-offline-reencrypt"];
const SMALL = ["--luks2-keyslots-size", "768k"];
const ENCRYPT = ["--encrypt", "--type", "luks2", ...SMALL, ...QUICK_PBKDF2];

/** Begins a reencryption of `content`, of which nothing is done yet. */
export async function begin(
  directory: string,
  content: Uint8Array,
  way: Way,
): Promise<Interrupted> {
  const payload = `${directory}/payload`;
  const apart = way.detached ? `${directory}/header` : payload;
  const files = { header: apart, payload };
  await Deno.writeTextFile(`${payload}.passphrase`, "pw");
  const attached = !way.detached || way.resilience.some((said) => said.startsWith("datashift"));
  const data = new Uint8Array(content.length + (attached ? ROOM : 0));
  data.set(content);
  await Deno.writeFile(payload, data);
  if (way.from === "volume") {
    const place = attached ? ["--reduce-device-size", String(ROOM)] : ["--header", apart];
    await succeed([...CALL, ...ENCRYPT, ...keyOf(files), ...place, payload]);
  }
  const making = way.from === "plain" ? ENCRYPT : QUICK_PBKDF2;
  const options = [...making, ...way.options, ...way.resilience];
  await succeed([...CALL, "--init-only", ...options, ...targetOf(files)]);
  return files;
}

/** Goes on with parts of 128 KiB until something is written behind the limit, or to the end. */
export function goOn(
  files: Interrupted,
  { limit, resilience }: Pick<Way, "resilience"> & Partial<Way>,
): Promise<Answer> {
  const blocks = limit === undefined ? "unlimited" : String(limit / 512);
  return run([
    ...["/bin/sh", "-c", 'ulimit -c 0 && ulimit -f "$0" && exec "$@"', blocks],
    // Without these, cryptsetup measures how long a new digest of the reencryption is to take.
    ...[...CALL, "--resume-only", "--hotzone-size", "128k", ...resilience, ...targetOf(files)],
  ]);
}

/** Has cryptsetup recover what was interrupted. */
export async function recover(files: Interrupted): Promise<void> {
  await succeed(["cryptsetup", "repair", "--batch-mode", ...targetOf(files)]);
}

function keyOf({ payload }: Interrupted): string[] {
  return ["--key-file", `${payload}.passphrase`];
}

function targetOf(files: Interrupted): string[] {
  const { header, payload } = files;
  return [...keyOf(files), ...header === payload ? [] : ["--header", header], payload];
}
