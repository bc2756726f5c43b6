import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MATRIX } from "../../golden/recipes/mod.ts";
import { olderVersion, PeerError, withScratch } from "../../src/peers/mod.ts";
import {
  questionsOf,
  readRecord,
  RecordedPeer,
  recordNames,
  recordText,
  unpackRecord,
  verifyRecords,
} from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;
const BUDGET = 12 * 1024 * 1024;

Deno.test("golden images are those of the matrix, with the commands of the matrix", () => {
  const names = MATRIX.map((recipe) => recipe.name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(recordNames(IMAGES), [...names].sort());
  for (const recipe of MATRIX) {
    const record = readRecord(IMAGES, recipe.name);
    assertEquals(record.name, recipe.name);
    assertEquals(record.features, recipe.features);
    assertEquals(record.commands, recipe.commands, recipe.name);
    assertEquals(record.passphrases, recipe.passphrases, recipe.name);
    assertEquals(record.header, recipe.header, recipe.name);
    const unlocks = Object.values(record.volume ?? {}).map(({ unlocks }) => unlocks);
    for (const tried of unlocks.map((all) => all.map(({ passphrase }) => passphrase))) {
      assertEquals(tried, recipe.unlocks, recipe.name);
    }
  }
});

Deno.test("there are at least 80 golden images, of less than 12 MiB in total", () => {
  let bytes = 0;
  for (const { name, isFile } of Deno.readDirSync(IMAGES)) {
    assert(isFile, `the files of ${name} are not packed`);
    bytes += Deno.statSync(`${IMAGES}/${name}`).size;
  }
  assert(recordNames(IMAGES).length >= 80);
  assert(bytes < BUDGET, `${bytes} bytes`);
});

const BUILDERS = ["qemu-img", "qemu-io", "cryptsetup"];

Deno.test("golden images are created only by public tools and contain no path of a machine", () => {
  for (const { name, commands, answers } of MATRIX.map(({ name }) => readRecord(IMAGES, name))) {
    for (const { argv } of commands) {
      assert(BUILDERS.includes(argv[0] ?? ""), name);
      assert(!argv.some((word) => word.startsWith("/") || word.includes("..")), name);
    }
    for (const { info } of Object.values(answers)) {
      assert(!JSON.stringify(info).includes('"/'), name);
    }
  }
});

Deno.test("golden images unpack to the bytes that were recorded, without holes", async () => {
  for (const name of recordNames(IMAGES)) {
    const record = readRecord(IMAGES, name);
    // The largest ones are unpacked by `golden verify`.
    if (record.files.some((file) => file.size > 4 * 1024 * 1024)) continue;
    await withScratch((directory) => {
      unpackRecord(IMAGES, record, directory);
      for (const file of record.files) {
        const { size, blocks } = Deno.statSync(`${directory}/${file.name}`);
        assertEquals(size, file.size);
        assert(blocks === null || blocks * 512 >= size, name);
      }
      return Promise.resolve();
    });
  }
});

Deno.test("recorded answers of different versions differ only in what is declared", async () => {
  for (const name of recordNames(IMAGES)) {
    const { answers } = readRecord(IMAGES, name);
    const versions = Object.keys(answers);
    assert(versions.length > 0, name);
    for (const question of questionsOf({ answers })) {
      for (const version of versions) {
        const recorded = answers[version];
        if (recorded === undefined) continue;
        const posed = await question.pose(new RecordedPeer(recorded, { version }), { path: "" });
        for (const other of versions) {
          const differences = posed.against(other, olderVersion(version, other));
          assertEquals(differences, [], `${name}: ${question.name}, ${version} and ${other}`);
        }
      }
    }
  }
});

Deno.test("verifyRecords() reports a peer that answers about a different image", async () => {
  const name = "qcow2-snapshots-many";
  const other = readRecord(IMAGES, "qcow2-cluster-2k");
  const [version, answers] = Object.entries(other.answers)[0] ?? [];
  assert(version !== undefined && answers !== undefined);
  const peer = new RecordedPeer(answers, { version });
  const report = await verifyRecords(peer, { images: IMAGES, names: [name], version });
  assertEquals(report.images, 1);
  assertEquals(
    new Set(report.failures.map(({ question }) => question)),
    new Set(["info", "map", "check", "digest"]),
  );
  assertEquals(report.unsupported, 2);
});

Deno.test("missing or damaged golden images are not the fault of a peer", async () => {
  let message = "";
  try {
    readRecord(IMAGES, "no-such-image");
  } catch (error) {
    assert(error instanceof PeerError);
    message = error.message;
  }
  assertStringIncludes(message, "Cannot use recorded image no-such-image: ");
  const record = readRecord(IMAGES, "raw-data");
  const changed = { ...record, files: record.files.map((file) => ({ ...file, sha256: "0" })) };
  await withScratch((directory) => {
    try {
      unpackRecord(IMAGES, changed, directory);
      message = "";
    } catch (error) {
      message = (error as Error).message;
    }
    return Promise.resolve();
  });
  assertEquals(message, "Cannot use recorded image raw-data: disk has changed");
});

Deno.test("recordText() writes large numbers to the last digit", () => {
  const record = readRecord(IMAGES, "qcow2-2-to-61-cluster-2m");
  const text = recordText(record);
  // 2^61, which JSON.stringify() would round to 2305843009213694000.
  assertStringIncludes(text, '"virtual-size": 2305843009213693952');
  assertEquals(JSON.parse(text), record);
});
