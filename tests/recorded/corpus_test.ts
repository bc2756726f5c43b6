import { assert, assertEquals } from "@std/assert";
import { LuksdePeer, runTool } from "../../src/peers/mod.ts";
import {
  hasSpoken,
  type ImageRecord,
  infoRecorded,
  questionsOf,
  readRecord,
  recordNames,
  unpackRecord,
} from "../../src/recorded/mod.ts";
import { luks2Rules } from "../../src/luks2/mod.ts";
import { liveTest } from "../live.ts";

const IMAGES = new URL("../../corpus/images", import.meta.url).pathname;
/** Bytes that the volumes of LUKS version 2 may have, compressed. */
const LUKS2_MAX = 2 * 1024 * 1024;
/** How a volume was opened, and how much of it was looked at, is not of the volume. */
const NOT_OF_A_FILE = /^luks2\.(open|work)\./;

const records = recordNames(IMAGES).map((name) => readRecord(IMAGES, name));
const ofLuks2 = records.filter(({ format }) => format === "luks2");

Deno.test("the corpus has a volume that breaks and one that keeps each rule of LUKS version 2", () => {
  for (const does of ["breaks", "keeps"]) {
    const covered = new Set(
      ofLuks2.filter(({ features }) => features[1] === does).map(({ features }) => features[0]),
    );
    const wanted = luks2Rules.map(({ id }) => id).filter((rule) => !NOT_OF_A_FILE.test(rule));
    assertEquals(wanted.filter((rule) => !covered.has(rule)), [], does);
  }
});

Deno.test("the volumes of LUKS version 2 in the corpus are small", () => {
  const archives = [...Deno.readDirSync(IMAGES)].map(({ name }) => name)
    .filter((name) => name.startsWith("luks2.") && name.endsWith(".tgz"));
  const bytes = archives.map((name) => Deno.statSync(`${IMAGES}/${name}`).size)
    .reduce((sum, size) => sum + size, 0);
  assert(archives.length > 10 && bytes < LUKS2_MAX, `${bytes} bytes`);
});

/** Bytes that a directory occupies on disk. */
function onDisk(path: string): number {
  const { blocks, isDirectory } = Deno.statSync(path);
  const inside = isDirectory ? [...Deno.readDirSync(path)] : [];
  return inside.reduce((sum, { name }) => sum + onDisk(`${path}/${name}`), 512 * (blocks ?? 0));
}

Deno.test("corpus and golden images together occupy less than 25 MB on disk", () => {
  const root = new URL("../../", import.meta.url).pathname;
  const bytes = onDisk(`${root}corpus`) + onDisk(`${root}golden`);
  assert(bytes < 25_000_000, `${bytes} bytes; deno task corpus describe packs loose files`);
});

/** The questions about an image to which no tool has a right answer. */
function unanswered(record: ImageRecord): string[] {
  return questionsOf(record).filter(({ recorded }) => {
    return !recorded.some(({ outcome, fault }) => fault === undefined && hasSpoken(outcome));
  }).map(({ name }) => name);
}

Deno.test("the corpus has the verdict of the reference only where no tool has a right answer", () => {
  for (const record of records) {
    const { name, reference = {} } = record;
    assertEquals(unanswered(record).sort(), Object.keys(reference).sort(), name);
  }
});

Deno.test("a volume of LUKS version 2 that luksDump accepts has a digest and key slots", () => {
  for (const { name, volume = {}, reference = {} } of ofLuks2) {
    for (const answers of Object.values(volume)) {
      const taken = infoRecorded(answers).outcome === "accepted";
      const asked = new Set([
        ...answers.unlocks.map(({ passphrase }) => passphrase),
        ...Object.keys(reference).map((question) => question.replace("unlock with ", "")),
      ]);
      assertEquals(
        [asked.has("first"), asked.has("third"), asked.has("digest")],
        Array(3).fill(taken),
        name,
      );
    }
  }
});

liveTest(
  { needs: ["luksdeinfo"] },
  "luksdeinfo dies of what is recorded of it",
  async (directory) => {
    const { version: installed } = await new LuksdePeer().describe();
    for (const record of records) {
      for (const { argv, version, crashed } of record.crashes ?? []) {
        if (version !== installed) continue;
        unpackRecord(IMAGES, record, directory);
        const { end } = await runTool(argv, { directory });
        assertEquals(end, { kind: "crashed", signal: crashed }, record.name);
      }
    }
  },
);

Deno.test("the corpus has the crashes and hangs of the tools that are known", () => {
  const failing = records.filter((record) => /"(crashed|hung)":/.test(JSON.stringify(record)))
    .map(({ name }) => name);
  assertEquals(failing, [
    "blk.backing.no-loop-breaks",
    "luks.key.material-sector-multiple-breaks",
    "luks.key.xts-even-48-bytes",
    "luks.key.xts-even-64-bytes",
    "luks2.token.fields-number-32",
    "qcow2.crypt.draft-2016-breaks",
    "qcow2.crypt.luks-ext-present-breaks",
  ]);
});
