import { assertEquals, assertThrows } from "@std/assert";
import { FileStore, fileSystem, SourceError, useFileSystem } from "../../src/bytes/mod.ts";
import { denoFileSystem } from "../../src/cli/deno_files.ts";
import { withScratch } from "../../src/peers/mod.ts";

/** Both file systems: that of the library, and that of the program. */
const SYSTEMS = { Node: fileSystem(), Deno: denoFileSystem };

for (const [name, system] of Object.entries(SYSTEMS)) {
  const withFile = (test: (path: string) => void): Promise<void> =>
    withScratch((directory) => {
      const before = fileSystem();
      useFileSystem(system);
      try {
        const path = `${directory}/file`;
        Deno.writeFileSync(path, new Uint8Array(1000).fill(1));
        test(path);
      } finally {
        useFileSystem(before);
      }
      return Promise.resolve();
    });

  Deno.test(`a file is written at any place, made shorter and longer (${name})`, () =>
    withFile((path) => {
      const store = new FileStore(path);
      store.write(10, new Uint8Array([2, 3]));
      store.write(2000, new Uint8Array([4]));
      assertEquals(store.size, 2001);
      assertEquals(store.read(9, 4), new Uint8Array([1, 2, 3, 1]));
      store.resize(11);
      store.resize(20);
      assertEquals(store.read(8, 20), new Uint8Array([1, 1, 2, ...new Array(17).fill(0)]));
      store.flush();
      store.close();
      assertEquals(Deno.readFileSync(path).subarray(8, 20).join(), "1,1,2,0,0,0,0,0,0,0,0,0");
    }));

  Deno.test(`what another program does to a file that is written to is an error (${name})`, () =>
    withFile((path) => {
      const store = new FileStore(path);
      Deno.truncateSync(path, 500);
      assertThrows(() => store.read(0, 600), SourceError, "it has become shorter");
      assertThrows(() => store.flush(), SourceError, "another program has changed its size");
      Deno.truncateSync(path, 1000);
      store.flush();
      Deno.writeFileSync(`${path}.new`, new Uint8Array(1000));
      Deno.renameSync(`${path}.new`, path);
      store.write(0, new Uint8Array([9]));
      assertThrows(() => store.flush(), SourceError, "it was replaced");
      store.close();
    }));

  Deno.test(`only a regular file that exists is opened for writing (${name})`, () =>
    withFile((path) => {
      assertThrows(() => new FileStore(`${path}.missing`));
      Deno.mkdirSync(`${path}.folder`);
      assertThrows(() => new FileStore(`${path}.folder`));
    }));
}

Deno.test("two programs do not write to one file", () =>
  withScratch((directory) => {
    const before = fileSystem();
    useFileSystem(denoFileSystem);
    try {
      const path = `${directory}/file`;
      Deno.writeFileSync(path, new Uint8Array(1000));
      const store = new FileStore(path);
      assertThrows(() => new FileStore(path), SourceError, "another program has locked it");
      store.close();
      new FileStore(path).close();
    } finally {
      useFileSystem(before);
    }
    return Promise.resolve();
  }));
