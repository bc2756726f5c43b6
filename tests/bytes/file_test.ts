import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  estimateHoles,
  FileSource,
  type FileSystem,
  fileSystem,
  type Hole,
  holesOf,
  MemorySource,
  SourceError,
  useFileSystem,
} from "../../src/bytes/mod.ts";
import { withScratch } from "../../src/peers/mod.ts";

Deno.test("a file that was closed for many others is read again, unless it was replaced", () =>
  withScratch((directory) => {
    const paths = Array.from({ length: 140 }, (_, index) => `${directory}/${index}`);
    for (const [index, path] of paths.entries()) {
      Deno.writeFileSync(path, new Uint8Array(600).fill(index));
    }
    const sources = paths.map((path) => new FileSource(path));
    for (const [index, source] of sources.entries()) {
      assertEquals(source.read(599, 2), Uint8Array.of(index, 0));
    }
    // The first ones are closed now.
    Deno.renameSync(paths[1] as string, `${directory}/moved`);
    Deno.copyFileSync(`${directory}/moved`, paths[1] as string);
    Deno.removeSync(paths[2] as string);
    assertEquals(sources[0]?.read(0, 1), Uint8Array.of(0));
    assertThrows(() => sources[1]?.read(0, 1), SourceError, "it was replaced since it was opened");
    assertThrows(() => sources[2]?.read(0, 1), SourceError, "no such file");
    // The last one is open still.
    Deno.removeSync(paths.at(-1) as string);
    assertEquals(sources.at(-1)?.read(0, 1), Uint8Array.of(139));
    for (const source of sources) source.close();
    assertThrows(() => sources[0]?.read(0, 1), TypeError, "it is closed");
    return Promise.resolve();
  }));

Deno.test("two paths to one file have one identity, and a copy has another", () =>
  withScratch((directory) => {
    Deno.writeFileSync(`${directory}/a`, new Uint8Array(512));
    Deno.linkSync(`${directory}/a`, `${directory}/b`);
    Deno.copyFileSync(`${directory}/a`, `${directory}/c`);
    const identities = ["a", "b", "c"].map((name) => {
      const source = new FileSource(`${directory}/${name}`);
      source.close();
      return source.identity;
    });
    assertEquals(identities[0], identities[1]);
    assert(identities[0] !== identities[2]);
    return Promise.resolve();
  }));

Deno.test("holesOf() finds the holes of a part without reading all the others", () => {
  const holes: Hole[] = Array.from(
    { length: 2 ** 20 },
    (_, i) => ({ start: 8192 * i, length: 4096 }),
  );
  let looks = 0;
  const counted = new Proxy(holes, {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) looks++;
      return Reflect.get(target, key);
    },
  });
  const source = new MemorySource(new Uint8Array(0));
  const sized = { size: 2 ** 33, read: source.read, readInto: source.readInto };
  const found = [...holesOf(sized, { from: 2 ** 32 + 1024, to: 2 ** 32 + 10_240 }, counted)];
  assertEquals(found, [
    { start: 2 ** 32 + 1024, length: 3072 },
    { start: 2 ** 32 + 8192, length: 2048 },
  ]);
  assert(looks < 64, `${looks}`);
});

/** A file system with one sparse file, whose blocks of data are few. */
class SparseFiles implements FileSystem {
  reads = 0;
  readonly #size: number;
  readonly #data: readonly Hole[];

  constructor(size: number, data: readonly Hole[]) {
    this.#size = size;
    this.#data = data;
  }

  open(): ReturnType<FileSystem["open"]> {
    const allocated = this.#data.reduce((sum, { length }) => sum + length, 0);
    return {
      facts: { isFile: true, size: this.#size, allocated, identity: "sparse" },
      readAt: (offset, target) => {
        this.reads++;
        target.fill(0);
        for (const { start, length } of this.#data) {
          const from = Math.max(0, start - offset);
          if (from < target.length) target.fill(1, from, Math.max(from, start + length - offset));
        }
        return target.length;
      },
      close: () => {},
    };
  }

  realPath(path: string): string {
    return path;
  }
}

const MIB = 2 ** 20;

/** Sizes of sparse files, and how many reads an estimate of their holes may take. */
const SIZES: readonly (readonly [number, number])[] = [
  [8 * MIB, 8],
  [2 ** 36, 70_000],
  [2 ** 52, 70_000],
];

for (const [size, most] of SIZES) {
  Deno.test(`the holes of a sparse file of 2^${Math.log2(size)} bytes are estimated with ${most} reads at most`, () => {
    // Where each of the blocks that are read is, data is found to the block.
    const step = Math.max(4096, size / 65536);
    const start = 37 * step - (step > 4096 ? 8192 : 0);
    const length = step > 4096 ? step + 12_288 : 4096;
    const files = new SparseFiles(size, [{ start, length }]);
    const before = fileSystem();
    useFileSystem(files);
    try {
      const source = new FileSource("sparse");
      const holes = estimateHoles(source);
      assertEquals(holes, [
        { start: 0, length: start },
        { start: start + length, length: size - start - length },
      ]);
      source.close();
    } finally {
      useFileSystem(before);
    }
    assert(files.reads <= most, `${files.reads}`);
  });
}
