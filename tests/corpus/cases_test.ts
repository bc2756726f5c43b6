import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { caseImages, corpusImages } from "../../corpus/build/images.ts";
import { json, set } from "../../corpus/cases/edit.ts";
import { modelOf as luks2Model } from "../../corpus/cases/luks2/models.ts";
import { small } from "../../corpus/cases/qcow2/models.ts";
import {
  brokenImage,
  cases,
  imageOf,
  imagesNotRecorded,
  keptImage,
  rulesWithoutCase,
  showsOf,
  singleImages,
} from "../../corpus/cases/mod.ts";
import type { ByteSource } from "../../src/bytes/mod.ts";
import { catalogue } from "../../src/formats.ts";
import { readRecord, recordNames } from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../corpus/images", import.meta.url).pathname;
const FLAGS = new URL("../../corpus/flags.json", import.meta.url).pathname;
const PIECE = 2 ** 20;

const recorded = recordNames(IMAGES);
const images = corpusImages();
const rules = catalogue.map(({ id }) => id);

Deno.test("every rule has a case, or a stated reason why no file can break it", () => {
  const having = new Set<string | undefined>([...cases, ...singleImages].map(({ rule }) => rule));
  const without = rules.filter((id) => !having.has(id));
  assertEquals(without.sort(), Object.keys(rulesWithoutCase).sort());
});

Deno.test("every case names rules of the catalogue and says in words what it shows", () => {
  for (const of of cases) {
    assertEquals([of.rule, ...of.leaves ?? []].filter((id) => !rules.includes(id)), []);
    assert(/^[^…]{8,130}$/.test(showsOf(of)), `${of.rule}: ${showsOf(of)}`);
  }
});

Deno.test("names of images are unique, and no name that an image had before is used again", () => {
  const names = images.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assertEquals(names.length, new Set(names).size);
  assertEquals(caseImages().length, 2 * cases.length + singleImages.length);
});

Deno.test("each flag of a case is defined, and each one that is defined is used", () => {
  const used = new Set(images.flatMap(({ flags = [] }) => flags));
  const { flags: defined } = JSON.parse(Deno.readTextFileSync(FLAGS));
  assertEquals([...used].sort(), Object.keys(defined).sort());
});

Deno.test("every image of a case is in the corpus, or a stated reason why it is not", () => {
  const names = images.map(({ name }) => name);
  const missing = names.filter((name) => !recorded.includes(name));
  assertEquals(missing.sort(), Object.keys(imagesNotRecorded).sort());
  assertEquals(recorded.filter((name) => !names.includes(name)), []);
});

function sha256(source: ByteSource): string {
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += PIECE) {
    hash.update(source.read(at, Math.min(PIECE, source.size - at)));
  }
  return hash.digest("hex");
}

Deno.test("the cases build the images of the corpus, byte for byte", () => {
  for (const { name, features, build, shows, aliases, flags, happened } of images) {
    if (imagesNotRecorded[name] !== undefined) continue;
    const { image, files, format, passphrases, header } = build();
    const record = readRecord(IMAGES, name);
    const built = Object.entries({ image, ...files }).map(([file, source]) => ({
      name: file,
      size: source.size,
      sha256: sha256(source),
    }));
    assertEquals([record.files, record.features], [built, features], name);
    assertEquals([record.format, record.header], [format, header], name);
    assertEquals([record.shows, record.flags], [shows, flags], name);
    assertEquals([record.aliases, record.happened], [aliases, happened], name);
    assertEquals(record.passphrases ?? [], passphrases, name);
  }
});

/** Whether two files have the same bytes; found out up to the first difference. */
function isSame(left: ByteSource, right: ByteSource): boolean {
  if (left.size !== right.size) return false;
  for (let at = 0; at < left.size; at += PIECE) {
    const length = Math.min(PIECE, left.size - at);
    if (Buffer.compare(left.read(at, length), right.read(at, length)) !== 0) return false;
  }
  return true;
}

Deno.test("the two images of a case differ, or are opened in different ways", () => {
  for (const of of cases) {
    const [broken, kept] = [brokenImage(of), keptImage(of)];
    const isOpenedAlike = String(broken.passphrases) === String(kept.passphrases) &&
      broken.budget === kept.budget;
    const names = Object.keys({ ...broken.files, ...kept.files });
    const differ = !isSame(broken.image, kept.image) || names.some((name) => {
      const [left, right] = [broken.files[name], kept.files[name]];
      return left === undefined || right === undefined || !isSame(left, right);
    });
    assert(differ || !isOpenedAlike, `${of.rule}: ${showsOf(of)}`);
  }
});

Deno.test("an edit of a part that the image does not have is an error", () => {
  const start = { base: small() };
  for (const edit of [set("/header/clusterbits", 9), set("/l2[7]/0/l2_entry", 0)]) {
    assertThrows(() => imageOf(start, [edit]), Error, "Cannot find");
  }
  const volume = { base: luks2Model() };
  assertThrows(() => imageOf(volume, [json("/segment/0/size", "0")]), Error, "Cannot find");
});
