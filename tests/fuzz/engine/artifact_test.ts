import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { MemorySource, SegmentSource } from "../../../src/bytes/mod.ts";
import {
  type ArtifactContent,
  readSidecar,
  requireArtifacts,
  writeArtifact,
} from "../../../fuzz/engine/artifact.ts";
import { HarnessError } from "../../../fuzz/engine/target.ts";
import { type SparseFile, sparseFile } from "../../../fuzz/engine/extents.ts";

const image = new Uint8Array(9000).map((_, i) => i % 251);
const backing = new TextEncoder().encode("the backing file");

function content(files: readonly (SparseFile & { name: string })[]): ArtifactContent {
  return {
    target: "toy",
    seed: 4_000_000_000,
    timeout: 10_000,
    versions: { diskproof: "0.1.0" },
    found: {
      index: 45,
      path: [0, 1],
      fault: { kind: "crash", signature: "bug", message: "It fails", stack: ["src/a.ts:1:2"] },
      shrink: { tried: 9, complete: true },
      repeats: true,
      dossier: {
        case: { n: 11 },
        description: "eleven",
        excerpt: "0b",
        passphrases: ["secret"],
        files,
        gaps: [],
      },
    },
  };
}

const files = [
  { name: "image.qcow2", ...sparseFile(new MemorySource(image)) },
  { name: "base.raw", ...sparseFile(new MemorySource(backing)) },
];

function withDirectory(test: (directory: string) => void): () => void {
  return () => {
    const directory = Deno.makeTempDirSync({ dir: "/tmp" });
    try {
      test(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

Deno.test(
  "writeArtifact() writes the image unchanged, and everything else into the sidecar",
  withDirectory((directory) => {
    const path = writeArtifact(`${directory}/deep/down`, content(files));
    assertMatch(path, /\/deep\/down\/crash-[0-9a-f]{40}$/);
    assertEquals(Deno.readFileSync(path), image);
    const sidecar = readSidecar(path);
    assertEquals(sidecar.case, { n: 11 });
    assertEquals(sidecar.passphrases, ["secret"]);
    assertEquals([sidecar.seed, sidecar.path], [4_000_000_000, "45:0:1"]);
    assertEquals([sidecar.kind, sidecar.signature], ["crash", "bug"]);
    const [first, second] = sidecar.files;
    assertEquals(first?.storedAs, path.slice(path.lastIndexOf("/") + 1));
    const [extent] = second?.extents ?? [];
    const stored = gunzipSync(Buffer.from(extent?.gzip ?? "", "base64"));
    assertEquals(new Uint8Array(stored), backing);
  }),
);

Deno.test(
  "writeArtifact() names an artifact by its case and signature",
  withDirectory((directory) => {
    const first = writeArtifact(directory, content(files));
    assertEquals(writeArtifact(directory, { ...content(files), seed: 1 }), first);
    const { found } = content(files);
    const other = { ...found, fault: { ...found.fault, signature: "other bug" } };
    assert(writeArtifact(directory, { ...content(files), found: other }) !== first);
  }),
);

Deno.test(
  "writeArtifact() keeps the bytes of a terabyte without writing a terabyte",
  withDirectory((directory) => {
    const offset = 2 ** 40 - 4;
    const source = new SegmentSource([{ offset, bytes: new Uint8Array([1, 2, 3, 4]) }], 2 ** 40);
    const path = writeArtifact(directory, content([{ name: "huge", ...sparseFile(source) }]));
    assert(Deno.statSync(path).size <= 2 ** 30);
    const [file] = readSidecar(path).files;
    assertEquals(file?.size, 2 ** 40);
    const [extent] = file?.extents ?? [];
    const stored = gunzipSync(Buffer.from(extent?.gzip ?? "", "base64"));
    assertEquals([...stored.subarray(-4)], [1, 2, 3, 4]);
    assertEquals((extent?.offset ?? 0) + stored.length, 2 ** 40);
  }),
);

Deno.test(
  "writeArtifact() leaves no partial file when it fails",
  withDirectory((directory) => {
    const path = writeArtifact(directory, content(files));
    Deno.removeSync(`${path}.json`);
    // Something that no file can take the place of.
    Deno.mkdirSync(`${path}.json/folder`, { recursive: true });
    assertThrows(() => writeArtifact(directory, content(files)));
    const names = [...Deno.readDirSync(directory)].map(({ name }) => `${directory}/${name}`);
    assertEquals(names.sort(), [path, `${path}.json`]);
  }),
);

Deno.test(
  "requireArtifacts() removes partial files of a killed run, and nothing else",
  withDirectory((directory) => {
    const path = writeArtifact(directory, content(files));
    const old = `${path}-0123.part`;
    const fresh = `${path}-4567.part`;
    for (const part of [old, fresh, `${directory}/other.part`]) Deno.writeTextFileSync(part, "x");
    const hourAgo = Date.now() / 1000 - 3600;
    for (const part of [old, `${directory}/other.part`]) Deno.utimeSync(part, hourAgo, hourAgo);
    requireArtifacts(directory);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => `${directory}/${name}`);
    assertEquals(names.sort(), [fresh, path, `${path}.json`, `${directory}/other.part`].sort());
  }),
);

Deno.test(
  "requireArtifacts() creates no folder, and reports where none can be created",
  withDirectory((directory) => {
    requireArtifacts(`${directory}/deep/down`);
    assertEquals([...Deno.readDirSync(directory)], []);
    Deno.writeTextFileSync(`${directory}/file`, "x");
    const refused = () => requireArtifacts(`${directory}/file/below`);
    assertThrows(refused, HarnessError, `Cannot write to ${directory}/file/below: `);
  }),
);

Deno.test(
  "writeArtifact() keeps the place of a case that cannot be generated again",
  withDirectory((directory) => {
    const { index, path, fault } = content([]).found;
    const artifact = writeArtifact(directory, { ...content([]), found: { index, path, fault } });
    const sidecar = readSidecar(artifact);
    assertEquals(sidecar.case, undefined);
    assertEquals([sidecar.seed, sidecar.path], [4_000_000_000, "45:0:1"]);
    assertEquals(sidecar.gaps.length, 1);
  }),
);

Deno.test(
  "readSidecar() accepts the artifact or its sidecar",
  withDirectory((directory) => {
    const path = writeArtifact(directory, content(files));
    assertEquals(readSidecar(path), readSidecar(`${path}.json`));
  }),
);

Deno.test(
  "readSidecar() says what is wrong with a file that it cannot use",
  withDirectory((directory) => {
    const refused = (name: string, text: string | undefined, reason: string) => {
      const path = `${directory}/${name}`;
      if (text !== undefined) Deno.writeTextFileSync(path, text);
      assertThrows(() => readSidecar(path), Error, `Cannot replay ${path}: ${reason}`);
    };
    refused("none", undefined, "there is no such file");
    refused("alone", "bytes", "its sidecar alone.json is missing");
    refused("torn.json", '{"artifact":', "torn.json is not JSON");
    refused("other.json", '{"artifact": "other"}', "other.json is not the sidecar of an artifact");
    refused("null.json", "null", "null.json is not the sidecar of an artifact");
  }),
);
