import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemorySource, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import { Marks } from "../../src/format/mod.ts";
import { formats } from "../../src/formats.ts";
import {
  anatomyOf,
  digestOf,
  judgeImage,
  layersOf,
  mapOf,
  openBytes,
  openFiles,
  probe,
  readContent,
} from "../../src/image/mod.ts";
import { excerptOf, inspectionLines } from "../../src/report/mod.ts";
import { header, toy, type ToyModel } from "./format.ts";

/** The list with the toy: the one line that a new format takes. */
const withToy = [toy, ...formats];

const model: ToyModel = toy.writer.normalise({
  format: "toy",
  blockBits: 9,
  blocks: 5,
  data: [
    { index: 3, pattern: { kind: "text", seed: 1 } },
    { index: 1, pattern: { kind: "fill", seed: 7 } },
  ],
});

function image(): SegmentSource {
  const { segments, size } = toy.writer.build(model).image;
  return new SegmentSource(segments, size);
}

/** The image with a byte of a field of its header changed. */
function changed(field: keyof typeof header.offsets, byte: number): PatchedSource {
  const patch = { offset: header.offsets[field], bytes: Uint8Array.of(byte) };
  return new PatchedSource(image(), [patch]);
}

Deno.test("a format is probed if it is in the list, and unknown otherwise", () => {
  assertEquals(probe(image(), { formats: withToy }).name, "toy");
  assertEquals(probe(image()).name, "raw");
  assertEquals(openBytes(image(), undefined, { formats: withToy }).format, "toy");
  assertEquals(openBytes(image(), "toy", { formats: withToy }).format, "toy");
  assertEquals(openBytes(image(), toy).format, "toy");
  assertThrows(() => openBytes(image(), "toy"), TypeError, "unsupported format 'toy'");
});

Deno.test("an image of a new format is judged by its own rules", () => {
  const rulesOf = (source: MemorySource | PatchedSource): string[] =>
    judgeImage(openBytes(source, toy)).findings.map(({ rule }) => rule);
  assertEquals(judgeImage(openBytes(image(), toy)).spec.verdict, "valid");
  assertEquals(rulesOf(changed("version", 2)), ["toy.header.version"]);
  assertEquals(rulesOf(changed("block_bits", 17)), ["toy.header.block-bits"]);
  assertEquals(rulesOf(changed("block_bits", 16)), [
    "toy.entry.inside-file",
    "toy.entry.inside-file",
  ]);
  assertEquals(rulesOf(changed("blocks", 255)).at(0), "toy.entry.inside-file");
  assertEquals(rulesOf(new MemorySource(new Uint8Array(24))), [
    "toy.header.magic",
    "toy.header.version",
    "toy.header.block-bits",
  ]);
});

Deno.test("an image of a new format reads as its model says", () => {
  const layers = layersOf(openBytes(image(), toy));
  const expected = toy.writer.content(model);
  for (const index of expected.named) {
    const { bytes } = expected.at(index);
    assertEquals(readContent(layers, index * 512, 512), bytes, `${index}`);
  }
  assertEquals(mapOf(openBytes(image(), toy)).entries.length, 5);
  const chained = openFiles(new Map([["top", image()]]), undefined, { formats: withToy });
  const range = { from: 0, to: expected.virtualSize };
  assertEquals(digestOf(layersOf(chained), range), digestOf(layers, range));
});

Deno.test("an image of a new format is inspected, with integers in their byte order", () => {
  const source = image();
  const limits = { rows: 9, tables: 9, entries: 99, marks: new Marks([]) };
  const anatomy = anatomyOf(openBytes(source, toy), limits);
  const values = Array.from(anatomy.parts[0]?.rows ?? [], ({ path, value }) => `${path} ${value}`);
  assertEquals(values.slice(1), [
    "/header/version 1 first",
    "/header/block_bits 9",
    "/header/blocks 5",
    "/header/table_offset 24 bytes",
  ]);
  assert(
    [...inspectionLines({ source, anatomy, notes: [], stretches: 9 })].join("\n").includes(
      "block_bits",
    ),
  );
  const broken = changed("version", 2);
  const { findings } = judgeImage(openBytes(broken, toy));
  const excerpt = excerptOf(broken, findings, { format: toy });
  assert(excerpt.startsWith("toy, "), excerpt);
  assert(excerpt.includes("version is 2, not 1 (toy.header.version)"), excerpt);
});
