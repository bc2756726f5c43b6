import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { everySpec, specName } from "../../golden/recipes/combinations.ts";
import { cryptsetupCases, qemuCases } from "../../corpus/build/matrix_cases.ts";
import { bytesOf, type MatrixRecord } from "../../corpus/build/matrix_record.ts";
import { type MatrixImage, verifyUnlocked } from "../../corpus/build/matrix_verify.ts";
import { hashNames, hashTable } from "../../src/crypto/mod.ts";
import { QemuImgPeer, ReferencePeer } from "../../src/peers/mod.ts";
import { archivesIn, readArchive, verifyArchive } from "../../src/recorded/mod.ts";
import { liveTest } from "../live.ts";

const CORPUS = new URL("../../corpus", import.meta.url).pathname;
const MATRIX = archivesIn(`${CORPUS}/matrix`);
const CRYPTSETUP = archivesIn(`${CORPUS}/matrix-cryptsetup`);
const BUDGET = 1.25 * 1024 * 1024;

const matrix = MATRIX.flatMap((path) => readArchive(path)) as MatrixImage[];
const ofCryptsetup = CRYPTSETUP.flatMap((path) => readArchive(path)) as MatrixImage[];
const images = [...matrix, ...ofCryptsetup];

function namesOf(of: readonly MatrixImage[]): string[] {
  return of.map(({ record }) => record.name).sort();
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("the matrix has a volume of each combination that qemu-img 7.2 creates, and 36 that crash it", () => {
  const features = matrix.flatMap(({ record }) => record.features);
  assertEquals(features.length, 819 + 36);
  assertEquals(new Set(features).size, features.length);
  assertEquals(everySpec().map(specName).filter((name) => !features.includes(name)), []);
  assertEquals(namesOf(matrix), qemuCases().map(({ name }) => name).sort());
});

Deno.test("the volumes for cryptsetup have each mode, IV generator and hash that it opens", () => {
  const specs = cryptsetupCases().map(({ model }) => model.spec);
  assertEquals(namesOf(ofCryptsetup), cryptsetupCases().map(({ name }) => name).sort());
  const hashes = hashNames.filter((name) => hashTable[name].cryptsetup);
  assertEquals(hashes.filter((name) => !specs.some(({ hash }) => hash === name)), []);
  for (const cipher of ["aes", "camellia"]) {
    const used = new Set(specs.filter((it) => it.cipher === cipher).map((it) => it.ivGenerator));
    for (const ivGenerator of ["plain64be", "null", "benbi", "eboiv", undefined]) {
      assert(used.has(ivGenerator), `${cipher}: ${ivGenerator}`);
    }
  }
});

Deno.test("the matrix stays small", () => {
  const sizes = [...MATRIX, ...CRYPTSETUP].map((path) => Deno.statSync(path).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert(bytes < BUDGET, `${bytes} bytes`);
});

/** QEMU dies of keys of 24 bytes, and cryptsetup asks the kernel for what OpenSSL does not have. */
const READ_BY_NOBODY = /^matrix-((serpent|twofish)-24-(cbc|ctr)|\w+-24-ecb)-/;

Deno.test("public tools have read the content of every volume except 28", () => {
  const without = [];
  for (const { record } of images) {
    const { name, answers, content, contentBy } = record;
    const readers = Object.entries(answers).flatMap(([version, { digest }]) => {
      if (digest === undefined || !("sha256" in digest)) return [];
      assertEquals(digest, content, name);
      return [`qemu-img ${version}`];
    });
    assertEquals(contentBy.filter((tool) => tool.startsWith("qemu-img")), readers);
    if (contentBy.length === 0) without.push(name);
  }
  assertEquals(without.length, 28);
  assertEquals(without.filter((name) => !READ_BY_NOBODY.test(name)), []);
  // What any of the recorded versions reads, all of them read.
  const counts = new Set(matrix.map(({ record }) => versionsThatRead(record)));
  assertEquals(counts, new Set([0, Object.keys(matrix[0]?.record.answers ?? {}).length]));
});

function versionsThatRead({ contentBy }: MatrixRecord): number {
  return contentBy.filter((tool) => tool.startsWith("qemu-img")).length;
}

Deno.test("records of the matrix contain no path of a machine", () => {
  for (const { record } of images) assert(!/"\/|\.\.\/[^.]/.test(strict(record)), record.name);
});

/** Without what qemu-img says when it dies, which names a file of its source. */
function strict({ answers, ...record }: MatrixRecord): string {
  const said = Object.values(answers).map(({ info }) => info);
  return JSON.stringify({ ...record, said });
}

Deno.test("volumes of the matrix unpack to the bytes that were recorded", () => {
  for (const { record, files } of images) {
    const found = files().map((bytes) => [bytes.length, sha256(bytes)]);
    assertEquals(found, record.files.map((it) => [it.size, it.sha256]), record.name);
  }
});

/** Every so many volumes stand for all: `deno task matrix verify` goes through each. */
const EVERY = 13;

Deno.test("volumes of the matrix are built to the same bytes again", () => {
  const recorded = new Map(images.map(({ record }) => [record.name, record.files[0]?.sha256]));
  const cases = [...qemuCases(), ...cryptsetupCases()].filter((_, index) => index % EVERY === 0);
  for (const each of cases) {
    assertEquals(sha256(bytesOf(each)), recorded.get(each.name), each.name);
  }
});

Deno.test("the reference agrees with qemu-img on volumes of the matrix", async () => {
  const chosen = namesOf(matrix).filter((_, index) => index % EVERY === 0);
  for (const archive of MATRIX) {
    const { failures } = await verifyArchive(new ReferencePeer(), { archive, names: chosen });
    assertEquals(failures, []);
  }
});

Deno.test("the reference opens the volumes for cryptsetup and reads their content", async () => {
  const [byReference] = await verifyUnlocked(ofCryptsetup, undefined);
  assertEquals(byReference?.report.images, ofCryptsetup.length);
  assertEquals(byReference?.report.failures, []);
});

liveTest(
  { needs: ["qemu-img"] },
  "the installed qemu-img says of volumes of the matrix what was recorded",
  async () => {
    const peer = new QemuImgPeer();
    const { version } = await peer.describe();
    const chosen = namesOf(matrix).filter((_, index) => index % EVERY === 1);
    for (const archive of MATRIX) {
      const { failures } = await verifyArchive(peer, { archive, names: chosen, version });
      assertEquals(failures, []);
    }
  },
);
