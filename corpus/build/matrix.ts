/**
 * The matrix: a small volume for each combination of cipher, key, mode, IV generator and hash, with
 * the answers of public tools.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { printReport } from "../../golden/build/report.ts";
import { answerers } from "../../golden/build/tools.ts";
import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import {
  CryptsetupPeer,
  ifInstalled,
  type Peer,
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
} from "../../src/recorded/mod.ts";
import { cryptsetupCases, type MatrixCase, qemuCases } from "./matrix_cases.ts";
import { bytesOf, recordOf } from "./matrix_record.ts";
import { type MatrixImage, verifyUnlocked } from "./matrix_verify.ts";

const CORPUS = new URL("..", import.meta.url).pathname;

/** The text of `--help`. */
export const help = `Record the matrix of LUKS volumes, or compare implementations with it.

Usage:
  deno task matrix build [--answers-by COMMAND]…
  deno task matrix verify

build needs qemu-img 7.2 and cryptsetup, and takes minutes. verify rebuilds each volume, and compares
the reference and, where they are installed, qemu-img and cryptsetup with what is recorded.

Options:
  --answers-by COMMAND   also record the answers of this qemu-img; COMMAND is split at blanks
  --help                 this text

Example:
  deno task matrix verify

Exit status: 0 all as recorded; 1 an answer differs; 2 the command line is unusable; 3 a tool does not
work, or its answer cannot be right.
`;

/** Every volume of the matrix, by archive. */
function casesByArchive(): Map<string, MatrixCase[]> {
  return Map.groupBy([...qemuCases(), ...cryptsetupCases()], ({ archive }) => archive);
}

function pathOf(archive: string): string {
  return `${CORPUS}/${archive}.tar.gz`;
}

async function build(answersBy: readonly string[]): Promise<number> {
  const peers = await answerers(answersBy);
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
    print(`${name}: ${cases.length} volumes, ${packed.length} bytes`);
  }
  const known = new Set([...archives.keys()].map(pathOf));
  const stale = [...directories].flatMap(archivesIn).filter((path) => !known.has(path));
  for (const path of stale) Deno.removeSync(path);
  print(`${[...archives.values()].flat().length} volumes, ${bytes} bytes`);
  return 0;
}

async function verify(): Promise<number> {
  const archives = casesByArchive();
  const paths = [...archives.keys()].map(pathOf);
  let failed = 0;
  for (const peer of await installedPeers()) {
    const { name, version } = await peer.describe();
    const isQemuImg = name === "qemu-img";
    // For volumes that only cryptsetup opens, the parts of the reference are queried below.
    const asked = isQemuImg ? paths : paths.filter((path) => dirname(path).endsWith("/matrix"));
    const shape = isQemuImg ? { version } : {};
    const reports = [];
    for (const archive of asked) reports.push(await verifyArchive(peer, { archive, ...shape }));
    failed += printReport(joinReports(reports), `${name} ${version}`);
  }
  const images = paths.flatMap((path) => readArchive(path)) as MatrixImage[];
  const cryptsetup = await ifInstalled(new CryptsetupPeer());
  if (cryptsetup === undefined) {
    print("skipped: cryptsetup is not installed; its recorded answers are not compared with it");
  }
  for (const { who, report } of await verifyUnlocked(images, cryptsetup)) {
    failed += printReport(report, who);
  }
  failed += rebuilt([...archives.values()].flat(), images);
  return failed > 0 ? 1 : 0;
}

/** Prints which volumes differ from their recorded bytes; returns their number. */
function rebuilt(cases: readonly MatrixCase[], images: readonly PackedImage[]): number {
  const recorded = new Map(images.map(({ record }) => [record.name, record.files[0]?.sha256]));
  const others = cases.filter((each) => {
    return createHash("sha256").update(bytesOf(each)).digest("hex") !== recorded.get(each.name);
  });
  for (const { name } of others) print(`${name} differs when it is rebuilt`);
  print(`${cases.length} volumes rebuilt, ${others.length} differ`);
  return others.length;
}

async function installedPeers(): Promise<Peer[]> {
  const reference = new ReferencePeer();
  const qemuImg = await ifInstalled(new QemuImgPeer());
  if (qemuImg !== undefined) return [reference, qemuImg];
  print("skipped: qemu-img is not installed; only the reference is compared");
  return [reference];
}

/**
 * Runs a command line.
 *
 * @returns the exit status
 * @throws {UsageError} when the command line cannot be used
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { lists: ["answers-by"] });
  const [verb, ...rest] = options.positional;
  if (rest.length > 0 || (verb !== "build" && verb !== "verify")) {
    throw new UsageError("matrix needs one of build and verify");
  }
  const answersBy = options.list("answers-by");
  if (verb === "build") return await build(answersBy);
  if (answersBy.length > 0) throw new UsageError("--answers-by is an option of matrix build");
  return await verify();
}
