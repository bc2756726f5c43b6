import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { guestDisk } from "../../fuzz/generate/mod.ts";
import { qcow1Models } from "../../fuzz/formats/qcow1/models.ts";
import {
  type ByteSource,
  MemorySource,
  MemoryStore,
  SegmentSource,
  utf8,
} from "../../src/bytes/mod.ts";
import { EditError, seededBytes } from "../../src/format/mod.ts";
import { editFiles } from "../../src/image/edit/mod.ts";
import { buildQcow1, qcow1Format, type Qcow1Model } from "../../src/qcow1/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import {
  assertContent,
  bytesOf,
  type Change,
  changes,
  contentNow,
  crashes,
  editorOf,
  make,
  RecordingStore,
} from "../editing.ts";
import { builtOf, edited, fieldOf } from "./images.ts";
import { succeed, writeImage } from "./live.ts";

/** A generated image with its backing file, what is done to it, and what it contains before. */
interface Drawn {
  readonly model: Qcow1Model;
  readonly list: readonly Change[];
  readonly base: Uint8Array;
  readonly content: Uint8Array;
}

const BASE_BYTES = 3000;

const drawn = qcow1Models({ clustersMax: 24, backingNames: fc.constant("base") })
  .filter(({ size }) => size <= 2n ** 18n && size >= 512n)
  .chain((model) => {
    const base = model.backing === undefined ? new Uint8Array(0) : seededBytes(7)(BASE_BYTES);
    const disk = guestDisk(qcow1Format.writer.content(model, 0), {
      size: base.length,
      ranges: [{ start: 0, end: base.length }],
      read: (start, length) => new MemorySource(base).read(start, length),
    });
    const content = disk.read(0, disk.size).slice();
    return changes(content.length, 2 ** model.clusterBits)
      .map((list): Drawn => ({ model, list, base, content }));
  });

function open({ model, base }: Pick<Drawn, "model" | "base">, image: MemoryStore | RecordingStore) {
  const files = new Map<string, ByteSource>([["image", image], ["base", new MemorySource(base)]]);
  const { encryption } = model;
  const passphrases = encryption === undefined ? [] : [utf8(encryption.passphrase)];
  return editFiles(files, "qcow", { passphrases });
}

function storeOf(model: Qcow1Model): MemoryStore {
  const { segments, size } = buildQcow1(model);
  return new MemoryStore(new SegmentSource(segments, size));
}

/** Compressed clusters cannot be encrypted. */
function allowed({ encryption }: Qcow1Model, change: Change): Change {
  return encryption === undefined ? change : { ...change, kind: "write" };
}

Deno.test("a qcow image that is written to reads like an array of bytes", () => {
  fc.assert(
    fc.property(drawn, ({ model, list, base, content }) => {
      const image = open({ model, base }, storeOf(model));
      const expected = content.slice();
      assertContent(contentNow(image), expected);
      for (const change of list) {
        make(editorOf(image), allowed(model, change));
        expected.set(bytesOf(allowed(model, change)), change.offset);
        assertContent(contentNow(image), expected);
      }
    }),
    { numRuns: 80 },
  );
});

Deno.test("wherever a write to a qcow image stops, each sector has its old or its new bytes", () => {
  fc.assert(
    fc.property(drawn, ({ model, list: [first], base, content }) => {
      if (first === undefined) return;
      const change = allowed(model, first);
      const store = new RecordingStore(storeOf(model));
      make(editorOf(open({ model, base }, store)), change);
      const after = content.slice();
      after.set(bytesOf(change), change.offset);
      for (const crashed of crashes(storeOf(model), store.steps)) {
        const now = contentNow(open({ model, base }, crashed));
        for (let at = 0; at < now.length; at += 512) {
          const sector = now.subarray(at, at + 512).join();
          const choices = [content, after].map((of) => of.subarray(at, at + 512).join());
          assert(choices.includes(sector), `the sector at ${at} is neither old nor new`);
        }
      }
    }),
    { numRuns: 40 },
  );
});

liveTest(
  { needs: QEMU },
  "qemu-img reads what was written to a qcow image",
  async (directory) => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ model, list, base, content }) => {
        const store = storeOf(model);
        const image = open({ model, base }, store);
        const expected = content.slice();
        for (const change of list) {
          make(editorOf(image), allowed(model, change));
          expected.set(bytesOf(allowed(model, change)), change.offset);
        }
        image.finish();
        await writeImage(`${directory}/image`, store);
        await Deno.writeFile(`${directory}/base`, base);
        const secret = `secret,id=key,data=${model.encryption?.passphrase ?? ""}`;
        const keyed = model.encryption !== undefined;
        const name = keyed
          ? `driver=qcow,file.filename=${directory}/image,encrypt.key-secret=key`
          : `driver=qcow,file.filename=${directory}/image`;
        await succeed(
          ["qemu-img", "convert", ...keyed ? ["--object", secret] : []]
            .concat(["--image-opts", name, "-O", "raw", `${directory}/raw`]),
        );
        assertContent(await Deno.readFile(`${directory}/raw`), expected);
      }),
      { numRuns: 12 },
    );
  },
);

const FIRST = "/l2[0]/0/l2_entry";
const COMPRESSED = "/l2[0]/1/l2_entry";

function editedBy(fields: Readonly<Record<string, bigint>>) {
  const store = new MemoryStore(edited(builtOf(), fields));
  return { store, image: editFiles(new Map([["image", store]])) };
}

Deno.test("a cluster that two parts of the disk share is not written in place", () => {
  const first = fieldOf(builtOf(), FIRST);
  const { image } = editedBy({ "/l2[0]/2/l2_entry": first });
  const before = contentNow(image).slice();
  assertContent(before.subarray(8192), before.subarray(0, 512));
  editorOf(image).write(8192, new Uint8Array([1, 2, 3]));
  const after = before.slice();
  after.set([1, 2, 3], 8192);
  assertContent(contentNow(image), after);
});

Deno.test("an image whose tables overlap other parts is not written to", () => {
  for (
    const fields of [
      { "/l1/0/l1_entry": fieldOf(builtOf(), "/header/l1_table_offset") },
      { "/header/l1_table_offset": 8n },
      { [FIRST]: 0n, [COMPRESSED]: fieldOf(builtOf(), "/l1/0/l1_entry") },
    ]
  ) {
    const { store, image } = editedBy(fields);
    const before = store.read(0, store.size).slice();
    assertThrows(() => editorOf(image).write(0, new Uint8Array(8704)), EditError);
    assertThrows(() => editorOf(image).makeEmpty?.(), EditError, "overlaps another part");
    assertContent(store.read(0, store.size), before);
  }
});

Deno.test("qcow1.write.sector-aligned and qcow1.write.partial-compressed name the cluster", () => {
  const built = builtOf();
  const off = editedBy({ [FIRST]: fieldOf(built, FIRST) + 1n });
  assertThrows(
    () => editorOf(off.image).write(0, new Uint8Array(4096)),
    EditError,
    "qcow1.write.sector-aligned",
  );
  const broken = editedBy({ [COMPRESSED]: fieldOf(built, COMPRESSED) + 1n });
  const editor = editorOf(broken.image);
  assertThrows(() => editor.write(4096, new Uint8Array(512)), EditError, "qcow1.comp.inflate");
  editor.write(4096, new Uint8Array(4096).fill(5));
  assertContent(contentNow(broken.image).subarray(4096, 8192), new Uint8Array(4096).fill(5));
});

Deno.test("a qcow image that is emptied has no clusters, and still its backing file", () => {
  fc.assert(
    fc.property(drawn, ({ model, base, content }) => {
      const store = storeOf(model);
      const image = open({ model, base }, store);
      editorOf(image).makeEmpty?.();
      const expected = new Uint8Array(content.length);
      expected.set(base.subarray(0, expected.length));
      assertContent(contentNow(image), expected);
      editorOf(image).write(0, new Uint8Array([1]));
      expected[0] = 1;
      assertContent(contentNow(image), expected);
      assertContent(contentNow(open({ model, base }, store)), expected);
    }),
    { numRuns: 30 },
  );
});

Deno.test("an encrypted qcow image is not written to without its passphrase", () => {
  const { image } = editedBy({ "/header/crypt_method": 1n });
  assertEquals(image.editor, undefined);
  assertEquals(image.findings.rules(), ["qcow1.crypt.key-present"]);
});
