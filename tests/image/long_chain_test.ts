import { assertEquals, assertStringIncludes } from "@std/assert";
import { type FileSystem, fileSystem, MemorySource, useFileSystem } from "../../src/bytes/mod.ts";
import {
  judgeImage,
  layersOf,
  mapOf,
  type OpenedImage,
  openFiles,
  openImage,
  readContent,
} from "../../src/image/mod.ts";
import { runTool, withScratch } from "../../src/peers/mod.ts";
import { makeLink } from "../cli/files.ts";
import { liveTest } from "../live.ts";
import { fill, overlayBytes } from "./overlays.ts";

const nameOf = (index: number): string => `c${String(index).padStart(4, "0")}`;

/** The images of a chain, from the base up: only the base has content. */
function chain(length: number): Map<string, Uint8Array> {
  const images = new Map([[nameOf(0), overlayBytes({ clusters: [fill(0, 1)] })]]);
  const overlay = overlayBytes({ backing: { name: "cNNNN", format: "qcow2" } });
  const at = new TextDecoder("latin1").decode(overlay).indexOf("cNNNN");
  for (let index = 1; index < length; index++) {
    const bytes = overlay.slice();
    bytes.set(new TextEncoder().encode(nameOf(index - 1)), at);
    images.set(nameOf(index), bytes);
  }
  return images;
}

function writeAll(directory: string, images: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of images) Deno.writeFileSync(`${directory}/${name}`, bytes);
}

function rulesOf(image: OpenedImage): string[] {
  return judgeImage(image).findings.map(({ rule }) => rule);
}

/** What `qemu-img map` prints of an image. */
async function qemuMap(directory: string, name: string): Promise<unknown> {
  const command = ["qemu-img", "map", "--output=json", name];
  const { end, stdout, stderr } = await runTool(command, { directory });
  return end.kind === "exited" && end.code === 0 ? JSON.parse(stdout) : stderr;
}

/** The map of an image in the members that qemu-img 7.2 has. */
function mapEntriesOf(image: OpenedImage): unknown {
  return mapOf(image).entries.map(({ compressed: _, ...entry }) => entry);
}

for (const length of [65, 200, 500]) {
  liveTest(
    { needs: ["qemu-img"] },
    `a chain of ${length} images opens, as in qemu-img`,
    async (directory) => {
      writeAll(directory, chain(length));
      const name = nameOf(length - 1);
      const image = openImage(name, { directory });
      assertEquals(rulesOf(image), []);
      assertEquals(mapEntriesOf(image), await qemuMap(directory, name));
      image.close();
    },
  );
}

/** Counts the files that are open. */
class CountingFiles implements FileSystem {
  readonly #base = fileSystem();
  count = 0;
  most = 0;

  open(path: string): ReturnType<FileSystem["open"]> {
    const file = this.#base.open(path);
    this.most = Math.max(this.most, ++this.count);
    return {
      facts: file.facts,
      readAt: (offset, target) => file.readAt(offset, target),
      close: () => {
        this.count--;
        file.close();
      },
    };
  }

  realPath(path: string): string {
    return this.#base.realPath(path);
  }
}

Deno.test("a chain of 1000 images reads, with 128 open files at most", () =>
  withScratch((directory) => {
    writeAll(directory, chain(1000));
    const before = fileSystem();
    const counting = new CountingFiles();
    useFileSystem(counting);
    try {
      const image = openImage(nameOf(999), { directory });
      assertEquals(layersOf(image).length, 1000);
      assertEquals(readContent(layersOf(image), 0, 512), new Uint8Array(512).fill(1));
      assertEquals(rulesOf(image), []);
      image.close();
    } finally {
      useFileSystem(before);
    }
    assertEquals([counting.most, counting.count], [128, 0]);
    return Promise.resolve();
  }));

Deno.test("images beyond the 4096th of a chain are not opened, and the finding says so", () => {
  const open = (length: number): OpenedImage => {
    const images = [...chain(length)].reverse();
    return openFiles(new Map(images.map(([name, bytes]) => [name, new MemorySource(bytes)])));
  };
  const last = open(4096);
  assertEquals([last.incomplete, readContent(layersOf(last), 0, 1)[0]], [false, 1]);
  const over = open(4097);
  assertEquals([over.incomplete, layersOf(over).length], [true, 4096]);
  let lowest = over;
  while (lowest.backing !== undefined) lowest = lowest.backing;
  const [finding] = lowest.findings.list();
  assertEquals(finding?.rule, "blk.backing.not-followed");
  assertStringIncludes(finding?.message ?? "", "the chain has more than 4096 images");
});

Deno.test("where a long chain does not open, the finding names the cause once", () => {
  const images = [...chain(1000)].slice(1).reverse();
  const sources = new Map(images.map(([name, bytes]) => [name, new MemorySource(bytes)]));
  const [finding] = openFiles(sources).findings.list();
  assertEquals(finding?.rule, "blk.backing.opens");
  assertEquals(
    finding?.message,
    "The backing file 'c0998' does not open: The backing file 'c0000' is not opened: " +
      "there is no such file",
  );
});

/** Loops by the names of their images: each is the backing file of the one before it. */
const LOOPS: readonly (readonly string[])[] = [["a"], ["a", "b"], ["a", "b", "c"]];

for (const names of LOOPS) {
  Deno.test(`a loop of ${names.length} images is found`, () =>
    withScratch((directory) => {
      for (const [index, name] of names.entries()) {
        const backing = { name: names[(index + 1) % names.length] as string };
        Deno.writeFileSync(`${directory}/${name}`, overlayBytes({ backing }));
      }
      const image = openImage("a", { directory });
      let lowest = image;
      while (lowest.backing !== undefined) lowest = lowest.backing;
      assertEquals(layersOf(image).length, names.length);
      assertEquals(rulesOf(lowest), ["blk.backing.no-loop"]);
      assertEquals(judgeImage(image).qemu.open, "reject");
      image.close();
      return Promise.resolve();
    }));
}

Deno.test("a file that recurs through a symbolic or hard link makes a loop", () =>
  withScratch(async (directory) => {
    Deno.writeFileSync(`${directory}/hard`, overlayBytes({ backing: { name: "other" } }));
    Deno.linkSync(`${directory}/hard`, `${directory}/other`);
    Deno.writeFileSync(`${directory}/soft`, overlayBytes({ backing: { name: "link" } }));
    await makeLink("soft", `${directory}/link`);
    for (const name of ["hard", "soft"]) {
      const image = openImage(name, { directory });
      assertEquals(rulesOf(image), ["blk.backing.no-loop"], name);
      image.close();
    }
  }));

Deno.test("a copy of an image in its own chain is not a loop", () =>
  withScratch((directory) => {
    Deno.writeFileSync(`${directory}/a`, overlayBytes({ backing: { name: "b" } }));
    Deno.writeFileSync(`${directory}/b`, overlayBytes({ backing: { name: "c" } }));
    Deno.writeFileSync(`${directory}/c`, overlayBytes({}));
    const image = openImage("a", { directory });
    assertEquals([rulesOf(image), layersOf(image).length], [[], 3]);
    image.close();
    return Promise.resolve();
  }));

liveTest(
  { needs: ["qemu-img"] },
  "an image with itself as a raw backing file opens, as in qemu-img",
  async (directory) => {
    const backing = { name: "self", format: "raw" };
    Deno.writeFileSync(`${directory}/self`, overlayBytes({ backing, size: 8192n }));
    const image = openImage("self", { directory });
    assertEquals(rulesOf(image).filter((rule) => rule !== "blk.backing.short"), []);
    assertEquals(mapEntriesOf(image), await qemuMap(directory, "self"));
    image.close();
  },
);

liveTest(
  { needs: ["qemu-img"] },
  "a name in an image is relative to the folder of the link that leads to it, as in qemu-img",
  async (directory) => {
    for (const folder of ["a", "b"]) Deno.mkdirSync(`${directory}/${folder}`);
    const overlay = overlayBytes({ backing: { name: "base", format: "raw" } });
    Deno.writeFileSync(`${directory}/b/middle`, overlay);
    await makeLink("../b/middle", `${directory}/a/link`);
    const top = overlayBytes({ backing: { name: "link", format: "qcow2" } });
    Deno.writeFileSync(`${directory}/a/top`, top);
    const open = () => openImage("a/top", { directory, root: directory });
    Deno.writeFileSync(`${directory}/b/base`, new Uint8Array(4096).fill(1));
    assertStringIncludes(String(await qemuMap(directory, "a/top")), "Could not open 'a/base'");
    const without = open();
    assertEquals(rulesOf(without), ["blk.backing.opens"]);
    without.close();
    Deno.writeFileSync(`${directory}/a/base`, new Uint8Array(4096).fill(2));
    const image = open();
    assertEquals(readContent(layersOf(image), 0, 1)[0], 2);
    assertEquals(mapEntriesOf(image), await qemuMap(directory, "a/top"));
    image.close();
  },
);
