import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { PeerError, ReferencePeer, withScratch } from "../../src/peers/mod.ts";
import {
  archivesIn,
  describeFile,
  type ImageRecord,
  joinReports,
  type PackedImage,
  packFamilies,
  packImages,
  readArchive,
  readRecord,
  readRecordFiles,
  RecordedPeer,
  removeRecord,
  storeRecord,
  verifyArchive,
  verifyRecords,
} from "../../src/recorded/mod.ts";
import { packTar } from "../../src/recorded/archive/sparse_tar.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const CAST5 = `${ROOT}/corpus/matrix/cast5-ecb.tar.gz`;

/** A record of two files, with holes. */
async function imageOf(name: string): Promise<PackedImage> {
  const files = [new Uint8Array(5000).fill(1, 600, 700), new TextEncoder().encode(name)];
  const record = await withScratch((directory): Promise<ImageRecord> => {
    const names = ["disk", "header"];
    names.forEach((file, index) => Deno.writeFileSync(`${directory}/${file}`, files[index]!));
    return Promise.resolve({
      name,
      features: ["a test"],
      builder: "diskproof",
      commands: [],
      subject: "disk",
      header: "header",
      files: names.map((file) => describeFile(directory, file)),
      answers: {},
    });
  });
  return { record, files: () => files };
}

Deno.test("readArchive() returns what packImages() packed, in the order of the names", async () => {
  const images = [await imageOf("second"), await imageOf("first")];
  await withScratch((directory) => {
    const path = `${directory}/images.tar.gz`;
    Deno.writeFileSync(path, packImages(images));
    assertEquals(archivesIn(directory), [path]);
    const read = readArchive(path);
    assertEquals(read.map(({ record }) => record), [images[1]?.record, images[0]?.record]);
    assertEquals(read.map(({ files }) => files()), [images[1]?.files(), images[0]?.files()]);
    return Promise.resolve();
  });
});

Deno.test("packImages() gives the same bytes in whatever order images come", async () => {
  const images = [await imageOf("a"), await imageOf("b")];
  assertEquals(packImages(images), packImages(images.toReversed()));
});

Deno.test("a damaged archive is not the fault of a peer, and is named", async () => {
  const { record } = await imageOf("alone");
  const text = new TextEncoder().encode(JSON.stringify(record));
  const whole = Deno.readFileSync(CAST5);
  const ofRecord = (record: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    return gzipSync(packTar([{ name: "alone.json", bytes }]));
  };
  const damaged: Record<string, Uint8Array> = {
    "no archive at all": new Uint8Array(600).fill(1),
    "nothing in it": gzipSync(new Uint8Array(1024)),
    "cut off": whole.subarray(0, whole.length / 2),
    "without its file": gzipSync(packTar([{ name: "alone.json", bytes: text }])),
    "with a name that leads elsewhere": gzipSync(packTar([{
      name: "alone.json",
      bytes: new TextEncoder().encode(JSON.stringify({ ...record, name: "../alone" })),
    }])),
    "with a file whose name leads elsewhere": ofRecord({
      ...record,
      files: [{ name: "../disk", size: 0, sha256: "" }],
    }),
    "with an image elsewhere": ofRecord({ ...record, subject: "/etc/hostname" }),
    "with a header elsewhere": ofRecord({ ...record, header: ".." }),
    "with more than anybody unpacks": ofRecord({
      ...record,
      files: [{ name: "disk", size: 2 ** 40, sha256: "" }],
    }),
    "with a record that is none": ofRecord(null),
    "without JSON": gzipSync(packTar([{ name: "alone.json", bytes: text.subarray(1) }])),
  };
  await withScratch((directory) => {
    for (const [about, bytes] of Object.entries(damaged)) {
      const path = `${directory}/damaged.tar.gz`;
      Deno.writeFileSync(path, bytes);
      assertThrows(() => readArchive(path), PeerError, `Cannot use ${path}`, about);
    }
    assertThrows(() => readArchive(`${directory}/none.tar.gz`), PeerError, "Cannot use");
    return Promise.resolve();
  });
});

Deno.test("verifyArchive() queries only the named images", async () => {
  const names = readArchive(CAST5).slice(0, 3).map(({ record }) => record.name);
  const { images, questions, failures } = await verifyArchive(new ReferencePeer(), {
    archive: CAST5,
    names,
  });
  assertEquals([images, failures], [3, []]);
  assert(questions >= 2 * names.length);
});

Deno.test("verifyArchive() reports a peer that answers about a different image", async () => {
  const [first, second] = readArchive(CAST5);
  const [version, answers] = Object.entries(first?.record.answers ?? {})[0] ?? [];
  assert(version !== undefined && answers !== undefined && second !== undefined);
  const peer = new RecordedPeer(answers, { version });
  const names = [second.record.name];
  const { failures } = await verifyArchive(peer, { archive: CAST5, names, version });
  assertEquals([...new Set(failures.map(({ image }) => image))], names);
  assert(failures.some(({ question }) => question === "info"));
});

Deno.test("joinReports() adds up counts, and sorts differences in the order of the images", () => {
  const failure = (image: string) => ({ image, question: "info", recordedBy: [], differences: [] });
  const report = (name: string) => {
    return { images: 2, questions: 5, unsupported: 1, failures: [failure(name)], known: [] };
  };
  assertEquals(joinReports([report("b"), report("a")]), {
    images: 4,
    questions: 10,
    unsupported: 2,
    failures: [failure("a"), failure("b")],
    known: [],
  });
  assertEquals(joinReports([]).images, 0);
});

/** Fails unless a promise is rejected with such a message. */
async function assertFails(promise: Promise<unknown>, message: string): Promise<void> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  assert(error instanceof PeerError);
  assertStringIncludes(error.message, message);
}

Deno.test("a record in a directory cannot have files written outside of the scratch directory", async () => {
  const { record, files } = await imageOf("alone");
  await withScratch(async (images) => {
    Deno.mkdirSync(`${images}/alone`);
    for (const name of ["../escaped", "..", "a/b", ""]) {
      const [disk, header] = record.files;
      assert(disk !== undefined && header !== undefined);
      const hostile = { ...record, files: [{ ...disk, name }, header] };
      Deno.writeTextFileSync(`${images}/alone.json`, JSON.stringify(hostile));
      const packed = gzipSync(files()[0] ?? new Uint8Array());
      Deno.writeFileSync(`${images}/alone/${encodeURIComponent(name)}.gz`, packed);
      const verified = verifyRecords(new ReferencePeer(), { images });
      await assertFails(verified, "is not the name of a file in it");
    }
    // Nor is the record of another image taken.
    Deno.writeTextFileSync(`${images}/alone.json`, JSON.stringify({ ...record, name: "x" }));
    const verified = verifyRecords(new ReferencePeer(), { images });
    await assertFails(verified, "it is the record of x");
  });
});

Deno.test("packFamilies() moves loose files into archives, and drops files without a record", async () => {
  await withScratch((images) => {
    const bytes = new Map([["one.a-x", 1], ["one.a-y", 2], ["two", 3]]);
    const store = (name: string, value: number) => {
      Deno.writeFileSync(`${images}/disk`, new Uint8Array(3000).fill(value, 2000));
      const files = [describeFile(images, "disk")];
      const record = { name, features: [], builder: "", commands: [], subject: "disk", files };
      storeRecord(images, { ...record, answers: {} }, images);
    };
    const read = (name: string) =>
      readRecordFiles(images, readRecord(images, name)).map((file) => file[2999]);
    const entries = () => [...Deno.readDirSync(images)].map(({ name }) => name).sort();
    for (const [name, value] of bytes) store(name, value);
    Deno.removeSync(`${images}/disk`);
    packFamilies(images);
    const records = ["one.a-x.json", "one.a-y.json", "two.json"];
    assertEquals(entries(), ["one.a.files.tgz", ...records, "two.files.tgz"].sort());
    for (const [name, value] of bytes) assertEquals(read(name), [value], name);
    // A file that is recorded again is loose, and comes before the packed one.
    store("one.a-x", 9);
    assertEquals([read("one.a-x"), read("one.a-y")], [[9], [2]]);
    removeRecord(images, "two");
    Deno.removeSync(`${images}/disk`);
    packFamilies(images);
    assertEquals(entries(), ["one.a-x.json", "one.a-y.json", "one.a.files.tgz"]);
    assertEquals([read("one.a-x"), read("one.a-y")], [[9], [2]]);
    const before = Deno.readFileSync(`${images}/one.a.files.tgz`);
    packFamilies(images);
    assertEquals(Deno.readFileSync(`${images}/one.a.files.tgz`), before);
    Deno.writeTextFileSync(
      `${images}/two.json`,
      Deno.readTextFileSync(`${images}/one.a-x.json`)
        .replace("one.a-x", "two"),
    );
    assertThrows(() => read("two"), PeerError, "Cannot find disk of recorded image two");
    return Promise.resolve();
  });
});
