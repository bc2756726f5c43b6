import { assertEquals } from "@std/assert";
import { compressAhead, inflateCluster, unzstdCluster } from "../../src/codec/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";

const UNIT = 4096;

/** Blocks that can be compressed, others that cannot, and zeros. */
function* blocks(count: number) {
  for (let index = 0; index < count; index++) {
    const kind = index % 3 === 0 ? "noise" : "text";
    const bytes = index % 5 === 4 ? undefined : patternBytes({ kind, seed: index }, UNIT);
    yield { index, bytes };
  }
}

const inflate = { deflate: inflateCluster, zstd: unzstdCluster } as const;

for (const method of ["deflate", "zstd"] as const) {
  for (const threads of [0, 1, 3]) {
    Deno.test(`blocks are compressed ahead and in order: ${method}, ${threads} more threads`, () => {
      const made = [...compressAhead(blocks(200), { method, unit: UNIT, threads })];
      assertEquals(made.map(({ index }) => index), Array.from({ length: 200 }, (_, at) => at));
      for (const { index, bytes, short } of made) {
        const isShorter = bytes !== undefined && index % 3 !== 0;
        assertEquals(short !== undefined, isShorter, `block ${index}`);
        if (short === undefined) continue;
        const back = inflate[method](short, UNIT);
        assertEquals(back.ok && back.bytes, bytes);
      }
    });
  }
}

Deno.test("a block may be overwritten as soon as the next one is wanted", () => {
  const reused = function* () {
    const memory = new Uint8Array(UNIT);
    for (const { index, bytes } of blocks(200)) {
      memory.set(bytes ?? []);
      yield { index, bytes: bytes && memory };
    }
  };
  const made = [...compressAhead(reused(), { method: "deflate", unit: UNIT, threads: 1 })];
  const expected = [...blocks(200)].map(({ bytes }) => bytes);
  assertEquals(
    made.map(({ bytes, short }) => {
      const back = short && inflateCluster(short, UNIT);
      return back === undefined ? bytes : back.ok && back.bytes;
    }),
    expected,
  );
});

Deno.test("threads end when the caller stops early", () => {
  const made = compressAhead(blocks(200), { method: "deflate", unit: UNIT, threads: 2 });
  assertEquals(made.next().value?.index, 0);
  made.return(undefined);
  assertEquals(made.next().done, true);
});
