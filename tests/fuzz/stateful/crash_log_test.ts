import { assert, assertEquals } from "@std/assert";
import { CrashLog } from "../../../fuzz/stateful/mod.ts";
import { MemorySource } from "../../../src/bytes/mod.ts";

const SECTOR = 512;
const BOUNDS = { prefixesMax: 100, others: 200, seed: 1 } as const;

/** Two sectors of two files, and how a crash may leave them: as digits, a digit for each sector. */
function contents(log: CrashLog): Set<string> {
  const found = new Set<string>();
  for (const { files } of log.crashes(BOUNDS)) {
    found.add(
      files.map(({ source }) => {
        const bytes = source.read(0, 2 * SECTOR);
        return `${bytes[0]}${bytes[SECTOR]}`;
      }).join(" "),
    );
  }
  return found;
}

function fill(value: number, sectors = 1): Uint8Array {
  return new Uint8Array(sectors * SECTOR).fill(value);
}

Deno.test("of the writes since a flush any may be lost or torn, and none before it", () => {
  const log = new CrashLog();
  const image = log.store({ name: "image", source: new MemorySource(fill(0, 2)) });
  image.write(0, fill(1));
  image.flush();
  image.write(0, fill(2, 2));
  image.write(SECTOR, fill(3));
  const found = contents(log);
  assertEquals([...found].sort(), ["00", "10", "13", "20", "22", "23"]);
  log.settle();
  assertEquals([...contents(log)].sort(), ["10", "13", "20", "22", "23"]);
});

Deno.test("the flush of a file says nothing of another file", () => {
  const log = new CrashLog();
  const [image, data] = ["image", "data"].map((name) =>
    log.store({ name, source: new MemorySource(fill(0, 2)) })
  );
  data?.write(0, fill(1));
  image?.write(0, fill(2));
  image?.flush();
  assert(contents(log).has("20 00"));
  log.settle();
  assertEquals(log.pending, 1);
  data?.flush();
  log.settle();
  assertEquals([log.pending, [...contents(log)]], [0, ["20 10"]]);
});

Deno.test("a part of a sector is written with the rest of it", () => {
  const log = new CrashLog();
  const image = log.store({ name: "image", source: new MemorySource(fill(0, 2)) });
  image.write(0, fill(1).subarray(0, 256));
  image.write(256, fill(1).subarray(0, 1));
  for (const { files: [file] } of log.crashes(BOUNDS)) {
    const bytes = file?.source.read(0, SECTOR) ?? new Uint8Array();
    assert(bytes[256] === 0 || bytes[0] === 1);
  }
});
