import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { luks1Models } from "../../fuzz/formats/luks1/models.ts";
import { luks2Models } from "../../fuzz/formats/luks2/models.ts";
import { type ByteSource, MemoryStore, SegmentSource, utf8 } from "../../src/bytes/mod.ts";
import { type BuiltFiles, EditError } from "../../src/format/mod.ts";
import { formatOf } from "../../src/formats.ts";
import { contentOf, createImage } from "../../src/image/create/mod.ts";
import { editFiles } from "../../src/image/edit/mod.ts";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import type { Luks2Model } from "../../src/luks2/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import {
  assertContent,
  bytesOf,
  type Change,
  changes,
  contentNow,
  editorOf,
  make,
} from "../editing.ts";
import { succeed, writeImage } from "../qcow1/live.ts";

type Model = Luks1Model | Luks2Model;

interface Drawn {
  readonly model: Model;
  readonly list: readonly Change[];
  readonly content: Uint8Array;
}

/** A volume with what is done to it. */
function drawn(models: fc.Arbitrary<Model>): fc.Arbitrary<Drawn> {
  return models.map((model) => ({ ...model, tail: 0 }))
    .map((model) => ({ model, content: writerOf(model).content(model).at(0).bytes }))
    .filter(({ content }) => content.length > 0)
    .chain(({ model, content }) =>
      changes(content.length, 4096).map((list): Drawn => ({ model, list, content }))
    );
}

function writerOf(model: Model) {
  return formatOf(model.format).writer;
}

function sourceOf({ segments, size }: BuiltFiles["image"]): ByteSource {
  return new SegmentSource(segments, size);
}

/** A store of the file with the payload, and how it is opened. */
function opening(model: Model) {
  const { image, payload } = writerOf(model).build(model);
  const store = new MemoryStore(sourceOf(payload ?? image));
  const passphrases = (writerOf(model).passphrases?.(model) ?? []).slice(0, 1).map(utf8);
  const open = () =>
    payload === undefined
      ? editFiles(new Map([["disk", store]]), model.format, { passphrases })
      : editFiles(new Map([["disk", store]]), "raw", { passphrases, header: sourceOf(image) });
  return { store, open };
}

const MODELS: Readonly<Record<string, fc.Arbitrary<Model>>> = {
  "LUKS version 1": luks1Models({ sizeMax: 16384 }),
  "LUKS version 2": luks2Models({ sizeMax: 32768 }),
};

for (const [name, models] of Object.entries(MODELS)) {
  Deno.test(`a volume of ${name} that is written to reads like an array of bytes`, () => {
    fc.assert(
      fc.property(drawn(models), ({ model, list, content }) => {
        const { open } = opening(model);
        const image = open();
        const expected = content.slice();
        for (const change of list) {
          make(editorOf(image), change);
          expected.set(bytesOf(change), change.offset);
        }
        assertContent(contentNow(image), expected);
        image.finish();
        assertContent(contentNow(open()), expected);
      }),
      { numRuns: 15 },
    );
  });

  Deno.test(`a volume of ${name} grows and shrinks with its content`, () => {
    fc.assert(
      fc.property(drawn(models), ({ model, content }) => {
        const { open, store } = opening(model);
        const image = open();
        const unit = editorOf(image).layer.clusterSize;
        const before = store.size;
        const to = editorOf(image).resize?.bind(image.editor);
        if ("fixed" in model && model.fixed) {
          assertThrows(() => to?.(content.length + unit), EditError, "a fixed size");
          return;
        }
        to?.(content.length + 3 * unit);
        assertEquals(store.size - before, 3 * unit);
        assertEquals(contentNow(image).length, content.length + 3 * unit);
        assertContent(contentNow(image).slice(0, content.length), content);
        editorOf(image).write(content.length + unit + 1, new Uint8Array([5]));
        assertEquals(contentNow(open())[content.length + unit + 1], 5);
        assertThrows(() => to?.(unit), EditError, "content past the new end");
        to?.(unit, { shrink: true });
        assertContent(contentNow(open()), content.slice(0, unit));
      }),
      { numRuns: 5 },
    );
  });
}

Deno.test("the payload of a detached header is changed in an image, too", () => {
  fc.assert(
    fc.property(
      drawn(luks1Models({ sizeMax: 16384 })).filter(({ model }) => (model as Luks1Model).detached),
      ({ model, list, content }) => {
        const { image: header, payload } = writerOf(model).build(model);
        if (payload === undefined) throw new TypeError("Cannot find the payload");
        const inside = sourceOf(payload);
        const image = new MemoryStore();
        for (
          const { offset, bytes } of createImage({
            format: "qcow",
            size: Math.ceil(inside.size / 512) * 512,
            content: contentOf(inside, inside.size),
          })
        ) image.write(offset, bytes);
        const passphrases = (writerOf(model).passphrases?.(model) ?? []).map(utf8);
        const open = () =>
          editFiles(new Map([["disk", image]]), undefined, {
            passphrases,
            header: sourceOf(header),
          });
        const volume = open();
        const expected = content.slice();
        for (const change of list) {
          make(editorOf(volume), change);
          expected.set(bytesOf(change), change.offset);
        }
        volume.finish();
        assertContent(contentNow(open()), expected);
      },
    ),
    { numRuns: 5 },
  );
});

liveTest(
  { needs: QEMU },
  "qemu-img reads what was written to a LUKS volume",
  async (directory) => {
    const models = luks1Models({ sizeMax: 16384, qemu: true, old: true, passphrases: ["secret"] });
    await fc.assert(
      fc.asyncProperty(drawn(models), async ({ model, list, content }) => {
        const { store, open } = opening(model);
        const image = open();
        const expected = content.slice();
        for (const change of list) {
          make(editorOf(image), change);
          expected.set(bytesOf(change), change.offset);
        }
        await writeImage(`${directory}/image`, store);
        await succeed([
          ...["qemu-img", "convert", "--object", "secret,id=key,data=secret", "--image-opts"],
          `driver=luks,file.filename=${directory}/image,key-secret=key`,
          ...["-O", "raw", `${directory}/raw`],
        ]);
        assertContent(await Deno.readFile(`${directory}/raw`), expected);
      }),
      { numRuns: 8 },
    );
  },
);
