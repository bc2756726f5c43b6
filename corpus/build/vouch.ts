import { createHash } from "node:crypto";
import { type NamedPeer, namedPeer, parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import {
  CryptsetupPeer,
  type DigestReport,
  runTool,
  type Subject,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type ImageRecord,
  readRecord,
  recordNames,
  subjectOf,
  unpackRecord,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { IMAGES } from "./images.ts";

const DIGEST = "digest";
/** Milliseconds for one answer: some key slots are made to be slow. */
const TIMEOUT_MS = 10_000;

/** An implementation that reads content, and its name with its version. */
export interface Witness {
  readonly name: string;
  /** The digest of the content; `undefined` where it has none. */
  digest(subject: Subject, length: number): Promise<DigestReport | undefined>;
}

/**
 * `corpus vouch`: has the content of volumes read by implementations besides diskproof where no tool
 * has a recorded digest, and records those that read the same; or, where diskproof reads none, the
 * versions of cryptsetup that find the passphrase to open nothing.
 *
 * @returns 0, or 1 if one reads other content
 * @throws {UsageError} when the command line cannot be used
 */
export async function vouch(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { values: ["only"], lists: ["by"] });
  const [unexpected] = options.positional;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const only = options.value("only") ?? "";
  const peers = options.list("by").map((text) => namedPeer(text, { timeoutMs: TIMEOUT_MS }));
  const witnesses = [await cryptsetupWitness(), ...await Promise.all(peers.map(peerWitness))];
  let vouched = 0;
  let differing = 0;
  for (const name of recordNames(IMAGES).filter((it) => it.includes(only))) {
    const record = readRecord(IMAGES, name);
    const found = await witnessesOf(record, witnesses);
    if (found === undefined) continue;
    found.differ.forEach((witness) => print(`${name}: ${witness} reads other content`));
    differing += found.differ.length;
    const all = [...new Set([...record.witnesses?.[DIGEST] ?? [], ...found.agree])].sort();
    if (all.length === 0) continue;
    vouched++;
    writeRecord(IMAGES, withWitnesses(record, all));
  }
  for (const { peer } of peers) await peer.close?.();
  print(`${vouched} images have a witness`);
  return differing > 0 ? 1 : 0;
}

/** A record with those who vouch for its digest, in the order in which recording writes the members. */
function withWitnesses(record: ImageRecord, all: readonly string[]): ImageRecord {
  const { witnesses, volume, reference, expected, ...rest } = record;
  return {
    ...rest,
    witnesses: { ...witnesses, [DIGEST]: all },
    ...(volume === undefined ? {} : { volume }),
    ...(reference === undefined ? {} : { reference }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Who reads the content that only the reference has read; `undefined` if there is none. */
async function witnessesOf(
  record: ImageRecord,
  witnesses: readonly Witness[],
): Promise<{ agree: string[]; differ: string[] } | undefined> {
  const { verdict, content } = record.reference?.[DIGEST] ?? {};
  if (verdict === "rejected") return { agree: lockedFor(record), differ: [] };
  if (content === undefined) return undefined;
  const agree: string[] = [];
  const differ: string[] = [];
  const before = record.witnesses?.[DIGEST] ?? [];
  for (const { name, digest } of witnesses.filter((it) => !before.includes(it.name))) {
    const read = await withScratch(async (directory) => {
      unpackRecord(IMAGES, record, directory);
      return await digest(subjectOf(record, directory), content.length);
    });
    if (read !== undefined) (isSame(read, content) ? agree : differ).push(name);
  }
  return { agree, differ };
}

/** The versions of cryptsetup that open no key slot with the passphrase of a volume. */
function lockedFor({ volume = {}, passphrases: [first] = [] }: ImageRecord): string[] {
  return Object.entries(volume).flatMap(([version, { unlocks }]) => {
    const answer = unlocks.find(({ passphrase }) => passphrase === first);
    return answer?.slot === "none" && answer.fault === undefined ? [`cryptsetup ${version}`] : [];
  });
}

function isSame(left: DigestReport, right: DigestReport): boolean {
  return left.sha256 === right.sha256 && left.length === right.length;
}

async function peerWitness({ peer }: NamedPeer): Promise<Witness> {
  const { name, version } = await peer.describe();
  return {
    name: `${name} ${version}`,
    digest: async (subject) => {
      const outcome = await peer.digest(subject);
      return outcome.outcome === "accepted" ? outcome.value : undefined;
    },
  };
}

/**
 * cryptsetup decrypts a volume of LUKS2 in place without the kernel. The content is at the start of the
 * file then; what it has behind the content stays. It leaves out an `iv_tweak` when it does so
 * (cryptsetup lib/luks2/luks2_reencrypt.c, crash_iv_offset), so that a volume with one is skipped.
 */
export async function cryptsetupWitness(): Promise<Witness> {
  const { version } = await new CryptsetupPeer().describe();
  return {
    name: `cryptsetup ${version}`,
    digest: async ({ path, directory = ".", header, passphrases = [] }, length) => {
      const [passphrase] = passphrases;
      if (passphrase === undefined || await hasTweak(directory, header ?? path)) return undefined;
      Deno.writeTextFileSync(`${directory}/passphrase`, passphrase);
      const { end } = await runTool([
        ...["cryptsetup", "reencrypt", "--decrypt", "--batch-mode", "--force-offline-reencrypt"],
        ...["--key-file", "passphrase", "--header", header ?? "exported-header", path],
      ], { directory, timeoutMs: TIMEOUT_MS });
      if (end.kind !== "exited" || end.code !== 0) return undefined;
      const bytes = Deno.readFileSync(`${directory}/${path}`).subarray(0, length);
      return { sha256: createHash("sha256").update(bytes).digest("hex"), length: bytes.length };
    },
  };
}

/** Whether a segment of a volume does not start with sector 0 of its IVs. */
async function hasTweak(directory: string, header: string): Promise<boolean> {
  const { stdout } = await runTool(["cryptsetup", "luksDump", "--dump-json-metadata", header], {
    directory,
  });
  return /"iv_tweak":\s*"0*[1-9]/.test(stdout);
}
