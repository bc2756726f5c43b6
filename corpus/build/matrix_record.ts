import { createHash } from "node:crypto";
import { SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage } from "../../src/format/mod.ts";
import { buildLuks1, type CipherSpec, contentOf } from "../../src/luks1/mod.ts";
import { buildLuks2, normaliseLuks2 } from "../../src/luks2/mod.ts";
import {
  type CryptsetupPeer,
  digestFile,
  PeerError,
  type QemuImgPeer,
  runTool,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type ImageRecord,
  storeRecord,
  subjectOf,
  withExpectations,
} from "../../src/recorded/mod.ts";
import { type MatrixCase, PASSPHRASE } from "./matrix_cases.ts";
import { withReference } from "./reference.ts";
import { cryptsetupAnswers, withAnswers } from "../../golden/build/recording.ts";

/** The record of a volume of the matrix. */
export interface MatrixRecord extends ImageRecord {
  /** SHA-256 of the content before it was encrypted. */
  readonly content: { readonly sha256: string; readonly length: number };
  /** Public tools that have decrypted the volume to this content. */
  readonly contentBy: readonly string[];
}

/** The tools whose answers are recorded. */
interface Asked {
  readonly peers: readonly QemuImgPeer[];
  readonly cryptsetup: CryptsetupPeer;
}

const FILE = "image";
const WRONG_PASSPHRASE = "open says me";

/** The file of a volume. */
export function bytesOf({ model }: MatrixCase): Uint8Array {
  return wholeOf(buildLuks1(model).image);
}

function wholeOf({ segments, size }: BuiltImage): Uint8Array {
  return new SegmentSource(segments, size).read(0, size);
}

/**
 * Builds a volume and records the answers of public tools about it.
 *
 * @throws {PeerError} when a tool reads content that differs from what was encrypted
 */
export async function recordOf(each: MatrixCase, asked: Asked): Promise<MatrixRecord> {
  const bytes = bytesOf(each);
  const content = digestOf(contentOf(each.model));
  const unanswered: ImageRecord = {
    name: each.name,
    features: [each.feature],
    builder: "diskproof",
    commands: [],
    subject: FILE,
    format: "luks",
    passphrases: [PASSPHRASE],
    files: [{ name: FILE, size: bytes.length, sha256: digestOf(bytes).sha256 }],
    answers: {},
  };
  const record = await withScratch(async (directory) => {
    const images = `${directory}/images`;
    Deno.writeFileSync(`${directory}/${FILE}`, bytes);
    storeRecord(images, unanswered, directory);
    const answers = await withAnswers({ images, record: unanswered }, {
      peers: asked.peers,
      queries: { withoutMap: true },
    });
    return await withReference({ ...unanswered, answers }, { images, content });
  });
  const unlocked = await byCryptsetup(each, { bytes, record, cryptsetup: asked.cryptsetup });
  const readers = [...readersOf(record, content), ...unlocked.readers];
  const whole = { ...record, ...unlocked.volume };
  const { expected } = await withExpectations(whole, (directory) => {
    Deno.writeFileSync(`${directory}/${FILE}`, bytes);
  });
  return {
    ...whole,
    ...(expected === undefined ? {} : { expected }),
    content,
    contentBy: readers,
  };
}

function digestOf(bytes: Uint8Array): { sha256: string; length: number } {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), length: bytes.length };
}

/** The versions of qemu-img that read the volume. */
function readersOf({ name, answers }: ImageRecord, content: { sha256: string }): string[] {
  return Object.entries(answers).flatMap(([version, { digest }]) => {
    if (digest === undefined || !("sha256" in digest)) return [];
    if (digest.sha256 === content.sha256) return [`qemu-img ${version}`];
    throw new PeerError(`Cannot record ${name}: qemu-img ${version} reads different content`);
  });
}

/**
 * The answers of cryptsetup about a volume that no qemu-img reads; `undefined` if cryptsetup does
 * not open it.
 */
async function byCryptsetup(
  each: MatrixCase,
  { bytes, record, cryptsetup }: {
    bytes: Uint8Array;
    record: ImageRecord;
    cryptsetup: CryptsetupPeer;
  },
): Promise<{ volume: Pick<ImageRecord, "volume">; readers: string[] }> {
  const none = { volume: {}, readers: [] };
  if (Object.values(record.answers).some(({ digest }) => digest && "sha256" in digest)) return none;
  const { version } = await cryptsetup.describe();
  return await withScratch(async (directory) => {
    Deno.writeFileSync(`${directory}/${FILE}`, bytes);
    const subject = subjectOf(record, directory);
    if ((await cryptsetup.unlock(subject)).outcome !== "accepted") return none;
    const passphrases = [PASSPHRASE, WRONG_PASSPHRASE];
    const answers = await cryptsetupAnswers(cryptsetup, { subject, passphrases });
    if (answers.unlocks[1]?.slot !== "none") {
      throw new PeerError(`Cannot record ${record.name}: any passphrase opens it`);
    }
    const read = await decrypted(each, bytes);
    if (read.sha256 !== digestOf(contentOf(each.model)).sha256) {
      throw new PeerError(`Cannot record ${record.name}: cryptsetup reads different content`);
    }
    return { volume: { volume: { [version]: answers } }, readers: [`cryptsetup ${version}`] };
  });
}

/**
 * The content as cryptsetup decrypts it. Without a kernel it only decrypts volumes of version 2,
 * with `reencrypt --decrypt`: it is given a header of version 2 with the same cipher and volume
 * key, and the same payload.
 */
async function decrypted(
  { model }: MatrixCase,
  bytes: Uint8Array,
): Promise<{ sha256: string; length: number }> {
  const { image, payload } = buildLuks2(normaliseLuks2({
    format: "luks2",
    // Both builders draw the volume key first, so that the same seed gives the same key.
    seed: model.seed,
    encryption: encryptionOf(model.spec),
    keyBytes: model.spec.keyBytes,
    keys: [{
      slot: 0,
      passphrase: PASSPHRASE,
      kdf: { type: "pbkdf2", hash: "sha256", iterations: 1 },
      priority: 1,
    }],
    ...PLAIN_HEADER,
    size: model.size,
    pattern: model.pattern,
  }));
  const stored = bytes.subarray(bytes.length - model.size);
  if (payload === undefined || digestOf(wholeOf(payload)).sha256 !== digestOf(stored).sha256) {
    throw new PeerError("Cannot have cryptsetup decrypt a volume: the headers have different keys");
  }
  return await withScratch(async (directory) => {
    Deno.writeFileSync(`${directory}/header`, wholeOf(image));
    Deno.writeFileSync(`${directory}/payload`, stored);
    Deno.writeTextFileSync(`${directory}/passphrase`, PASSPHRASE);
    const { end, stderr } = await runTool([
      ...["cryptsetup", "reencrypt", "--decrypt", "--batch-mode", "--force-offline-reencrypt"],
      ...["--key-file", "passphrase", "--header", "header", "payload"],
    ], { directory });
    if (end.kind === "exited" && end.code === 0) return digestFile(`${directory}/payload`);
    throw new PeerError(`Cannot have cryptsetup decrypt a volume: ${stderr}`);
  });
}

/** cryptsetup needs free space in the area for key slots while it decrypts. */
const PLAIN_HEADER = {
  uuid: "5f1d0c7e-0000-4000-8000-000000000000",
  label: "",
  subsystem: "",
  seqid: 1,
  headerSize: 0x4000,
  spare: 2 ** 20,
  primary: "sound",
  secondary: "sound",
  sectorSize: 512,
  ivTweak: 0,
  hash: "sha256",
  checksum: "sha256",
  digestIterations: 1,
  tokens: 0,
  detached: true,
  fixed: false,
} as const;

/** The cipher in the notation of dm-crypt. */
function encryptionOf({ cipher, mode, ivGenerator, ivHash }: CipherSpec): string {
  const parts = [cipher, mode, ivGenerator].filter((part) => part !== undefined);
  return `${parts.join("-")}${ivHash === undefined ? "" : `:${ivHash}`}`;
}
