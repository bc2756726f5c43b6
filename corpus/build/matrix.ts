/**
 * The matrix: a small volume for each combination of cipher, key, mode, IV generator and hash, with what
 * public tools say of it.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import {
  CryptsetupPeer,
  ifInstalled,
  type Peer,
  PeerError,
  QemuImgPeer,
  ReferencePeer,
} from "../../src/peers/mod.ts";
import {
  archivesIn,
  joinReports,
  type PackedImage,
  packImages,
  readArchive,
  verifyArchive,
  type VerifyReport,
} from "../../src/recorded/mod.ts";
import { cryptsetupCases, type MatrixCase, qemuCases } from "./matrix_cases.ts";
import { bytesOf, recordOf } from "./matrix_record.ts";
import { type MatrixImage, verifyUnlocked } from "./matrix_verify.ts";

const CORPUS = new URL("..", import.meta.url).pathname;

/** The text of `--help`. */
export const help = `Records the matrix of LUKS volumes, and holds implementations against it.

Usage:
  deno task matrix build [--answers-by COMMAND]…
  deno task matrix verify

build needs qemu-img 7.2 and cryptsetup, and takes minutes. verify holds the reference, and
qemu-img and cryptsetup where they are installed, against what is recorded, and builds each volume anew.

Options:
  --answers-by COMMAND   record the answers of this qemu-img as well; words are split at blanks
  --help                 this text

Exit status: 0 all as recorded; 1 an answer differs; 2 the command line is unusable; 3 a tool could
not be started, or its answer cannot be right.
`;

const STATUS = { ok: 0, failed: 1, usage: 2, peer: 3 } as const;

/** Every volume of the matrix, by archive. */
function casesByArchive(): Map<string, MatrixCase[]> {
  return Map.groupBy([...qemuCases(), ...cryptsetupCases()], ({ archive }) => archive);
}

function pathOf(archive: string): string {
  return `${CORPUS}/${archive}.tar.gz`;
}

async function build(others: readonly string[]): Promise<number> {
  const peers = [
    new QemuImgPeer(),
    ...others.map((command) => new QemuImgPeer({ command: command.split(" ") })),
  ];
  const cryptsetup = new CryptsetupPeer();
  const archives = casesByArchive();
  const directories = new Set([...archives.keys()].map((name) => `${CORPUS}/${dirname(name)}`));
  for (const directory of directories) Deno.mkdirSync(directory, { recursive: true });
  let bytes = 0;
  for (const [name, cases] of archives) {
    const images: PackedImage[] = [];
    for (const each of cases) {
      const record = await recordOf(each, { peers, cryptsetup });
      images.push({ record, files: () => [bytesOf(each)] });
    }
    const packed = packImages(images);
    Deno.writeFileSync(pathOf(name), packed);
    bytes += packed.length;
    say(`${name}: ${cases.length} volumes, ${packed.length} bytes\n`);
  }
  const known = new Set([...archives.keys()].map(pathOf));
  const stale = [...directories].flatMap(archivesIn).filter((path) => !known.has(path));
  for (const path of stale) Deno.removeSync(path);
  return say(`${[...archives.values()].flat().length} volumes, ${bytes} bytes\n`);
}

async function verify(): Promise<number> {
  const archives = casesByArchive();
  const paths = [...archives.keys()].map(pathOf);
  let failed = 0;
  for (const peer of await installedPeers()) {
    const { name, version } = await peer.describe();
    const isQemuImg = name === "qemu-img";
    // What cryptsetup opens, and QEMU does not, the reference is asked by its parts below.
    const asked = isQemuImg ? paths : paths.filter((path) => dirname(path).endsWith("/matrix"));
    const shape = isQemuImg ? { version } : {};
    const reports = [];
    for (const archive of asked) reports.push(await verifyArchive(peer, { archive, ...shape }));
    failed += tell(joinReports(reports), `${name} ${version}`);
  }
  const images = paths.flatMap((path) => readArchive(path)) as MatrixImage[];
  const cryptsetup = await ifInstalled(new CryptsetupPeer());
  if (cryptsetup === undefined) {
    say("cryptsetup is not installed: its recorded answers are not compared with it\n");
  }
  for (const { who, report } of await verifyUnlocked(images, cryptsetup)) {
    failed += tell(report, who);
  }
  failed += rebuilt([...archives.values()].flat(), images);
  return failed > 0 ? STATUS.failed : STATUS.ok;
}

/** Says which volumes have other bytes than were recorded. */
function rebuilt(cases: readonly MatrixCase[], images: readonly PackedImage[]): number {
  const recorded = new Map(images.map(({ record }) => [record.name, record.files[0]?.sha256]));
  const others = cases.filter((each) => {
    return createHash("sha256").update(bytesOf(each)).digest("hex") !== recorded.get(each.name);
  });
  for (const { name } of others) say(`${name} has other bytes when it is built anew\n`);
  say(`${cases.length} volumes built anew, ${others.length} differ\n`);
  return others.length;
}

/** The reference, and qemu-img where it is installed. */
async function installedPeers(): Promise<Peer[]> {
  const reference = new ReferencePeer();
  const qemuImg = await ifInstalled(new QemuImgPeer());
  if (qemuImg !== undefined) return [reference, qemuImg];
  say("qemu-img is not installed: only the reference is compared\n");
  return [reference];
}

/** Prints what differs and a last line; gives the number of failures back. */
function tell({ images, questions, failures, known }: VerifyReport, who: string): number {
  for (const { image, question, recordedBy, differences } of failures) {
    say(`${image}: ${question} differs from ${recordedBy.join(", ") || "every answer"}\n`);
    for (const { path, left, right } of differences.slice(0, 8)) {
      say(`  ${path || "/"}: ${JSON.stringify(left)} recorded, ${JSON.stringify(right)} now\n`);
    }
  }
  const ends = known.length === 0 ? "" : `, ${known.length} known crashes`;
  say(`${who}: ${images} images, ${questions} questions${ends}, ${failures.length} differ\n`);
  return failures.length;
}

/**
 * Runs a command line.
 *
 * @returns the exit status
 */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseArgs(args, {
    boolean: ["help"],
    string: ["answers-by"],
    collect: ["answers-by"],
  });
  if (parsed["help"] === true) return say(help);
  const [verb, ...rest] = parsed._.map(String);
  if (rest.length > 0 || !["build", "verify"].includes(verb ?? "")) {
    return complain("Cannot run matrix: name one verb, build or verify", STATUS.usage);
  }
  try {
    const others = (parsed["answers-by"] as string[] | undefined) ?? [];
    return verb === "build" ? await build(others) : await verify();
  } catch (error) {
    if (error instanceof PeerError) return complain(error.message, STATUS.peer);
    throw error;
  }
}

function say(text: string): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return STATUS.ok;
}

function complain(text: string, status: number): number {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  return status;
}
