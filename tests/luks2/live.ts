/** Compares what the reference says of a LUKS2 volume with the installed cryptsetup. */

import { FileSource } from "../../src/bytes/mod.ts";
import { chooseCopy, decodeLuks2, unlock } from "../../src/luks2/mod.ts";
import { type Answer, run } from "../luks1/live.ts";
import { openVolume, type Volume } from "./ours.ts";

/** Writes a volume, and a passphrase, into files beside `path`. */
export async function writeVolume(path: string, volume: Volume): Promise<void> {
  await Deno.writeTextFile(`${path}.passphrase`, volume.passphrase ?? "none");
  const { source } = volume;
  await Deno.writeFile(path, source.read(0, source.size));
  if (volume.payload === undefined) return;
  await Deno.writeFile(`${path}.payload`, volume.payload.read(0, volume.payload.size));
}

/** What luksDump says of a copy of a file: it rewrites a broken header. */
export async function dump(path: string, ...options: string[]): Promise<Answer> {
  await Deno.copyFile(path, `${path}.copy`);
  return await run(["cryptsetup", "luksDump", ...options, `${path}.copy`]);
}

/** Whether a passphrase in a file opens a copy of a volume. */
export async function testPassphrase(path: string, ...options: string[]): Promise<Answer> {
  await Deno.copyFile(path, `${path}.copy`);
  return await run([
    ...["cryptsetup", "open", "--test-passphrase", "--key-file", `${path}.passphrase`],
    ...[...options, `${path}.copy`],
  ]);
}

/**
 * What cryptsetup 2.6.1 and 2.7.5 should reject but accept: PBKDF2_digest_verify leaves with the
 * success of what it did before, and any passphrase opens the volume, with another key.
 */
const TAKES_ANY = "luks2.digest.lengths";

/** Does something with each item, with a few of them at a time, each of these with a number. */
export async function atOnce<T>(
  items: readonly T[],
  body: (item: T, worker: number) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const workers = Array.from({ length: WORKERS }, async (_, worker) => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await body(item, worker);
  });
  await Promise.all(workers);
}

/** A tool mostly waits for the disk. */
const WORKERS = 6;

/**
 * What OpenSSL does not have, cryptsetup asks the kernel for. Where there is no AF_ALG either, a slot
 * with such a cipher ends the search, and elsewhere it is skipped.
 */
const NO_CIPHER = /Cannot use \S+ cipher for keyslot encryption/;

/** Where the two differ, in words; nothing when they agree. */
export async function differences(volume: Volume, path: string): Promise<string[]> {
  await writeVolume(path, volume);
  const { findings } = openVolume(volume);
  const refusal = findings.refusal("info")?.rule;
  const theirs = await dump(path);
  if (theirs.signal !== null) return [`luksDump died of ${theirs.signal}: ours ${refusal}`];
  const accepted = theirs.code === 0;
  if (accepted !== (refusal === undefined)) {
    return [`luksDump ended with ${theirs.code}, ours ${refusal ?? "takes it"}: ${theirs.stderr}`];
  }
  const unbounded = volume.iterationsMax === undefined;
  return accepted && unbounded && volume.passphrase !== undefined
    ? await keyDifferences(volume, path)
    : [];
}

async function keyDifferences(volume: Volume, path: string): Promise<string[]> {
  const ours = unlockRule(path, volume.passphrase ?? "");
  // cryptsetup has no bounds.
  if (ours?.startsWith("luks2.work.") || ours === TAKES_ANY) return [];
  const { code, signal, stderr } = await testPassphrase(path);
  if (signal !== null) return [`open died of ${signal}: ours ${ours}`];
  if (ours === undefined && NO_CIPHER.test(stderr)) return [];
  return (code === 0) === (ours === undefined)
    ? []
    : [`open ended with ${code}, ours ${ours ?? "opens it"}: ${stderr}`];
}

/**
 * The rule for which a passphrase opens no slot; the content is not looked at.
 *
 * @param path of a volume that cryptsetup takes
 */
export function unlockRule(path: string, passphrase: string): string | undefined {
  const keyMaterial = new FileSource(path);
  try {
    const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
    if (metadata === undefined) return "luks2.work.values";
    const key = unlock(metadata, {
      keyMaterial,
      passphrase: new TextEncoder().encode(passphrase),
    });
    return "rule" in key ? key.rule : undefined;
  } finally {
    keyMaterial.close();
  }
}
