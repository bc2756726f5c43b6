import { assert, assertEquals, assertRejects } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource } from "../../../src/bytes/mod.ts";
import { UsageError } from "../../../src/cli/mod.ts";
import { fileBytes } from "../../../src/format/mod.ts";
import { detect } from "../../../src/image/mod.ts";
import { qcow2Format } from "../../../src/qcow2/mod.ts";
import { serveMutants } from "../../../fuzz/cli/mutants.ts";
import { caseAt } from "../../../fuzz/engine/mod.ts";
import { images, mutantOf, qcow2Models } from "../../../fuzz/formats/mod.ts";

const kits = images.filter(({ format }) => format.name === "qcow2");
const image = fc.sample(qcow2Models(), 20)
  .map((model) => qcow2Format.writer.build(model).image)
  .filter(({ placed }) => placed.some(({ path }) => path === "/l2[0]"))
  .map(fileBytes)
  .reduce((best, other) => other.length < best.length ? other : best);

function mutantsOf(bytes: Uint8Array, seed: number): ReturnType<typeof mutantOf>[] {
  return Array.from({ length: 200 }, (_, index) => {
    let drawn = 0;
    const draw = <T>(values: fc.Arbitrary<T>): T =>
      caseAt(values, { seed, target: `test ${drawn++}` }, index).value;
    return mutantOf(bytes, { kits, draw, sizeMax: 2 ** 20 });
  });
}

Deno.test("mutants name the structures of an image that they change, also of one that is damaged", () => {
  const damaged = image.slice();
  damaged.fill(0xff, 72, 80);
  for (const bytes of [image, damaged]) {
    const mutants = mutantsOf(bytes, 1);
    for (const place of ["/header/", "/l1/", "/l2[", "/reftable/"]) {
      assert(mutants.some(({ says }) => says.includes(place)), place);
    }
    assert(mutants.filter((it) => detect(new MemorySource(it.bytes)) === qcow2Format).length > 150);
    assert(new Set(mutants.map((it) => it.bytes.join())).size > 100);
  }
  assertEquals(mutantsOf(image, 1), mutantsOf(image, 1));
});

Deno.test("bytes of no known format become images of the formats that are asked for", () => {
  const mutants = mutantsOf(new TextEncoder().encode("not an image"), 1);
  const formats = new Set(mutants.map((it) => detect(new MemorySource(it.bytes))));
  assert(formats.has(qcow2Format));
});

const NUMBERS_MAX = 1000;

function request(numbers: readonly number[], bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(4 * numbers.length + bytes.length);
  numbers.forEach((number, index) => new DataView(all.buffer).setUint32(4 * index, number));
  all.set(bytes, 4 * numbers.length);
  return all;
}

/** Sends chunks, and gives what comes back. */
async function served(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<number[]> {
  const answers: number[] = [];
  const output = new WritableStream<Uint8Array>({ write: (bytes) => void answers.push(...bytes) });
  await serveMutants(
    { input: ReadableStream.from(chunks), output },
    NUMBERS_MAX,
    (bytes, { seed, index, sizeMax }) =>
      Uint8Array.of(seed, index, ...bytes.map((it) => it + 1)).subarray(0, sizeMax),
  );
  return answers;
}

Deno.test("requests for mutants are answered however they are cut into chunks", async () => {
  const sent = [
    ...request([7, 2, 100, 3], Uint8Array.of(10, 20, 30)),
    ...request([8, 1, 3, 2], Uint8Array.of(1, 2)),
    ...request([9, 1, 100, 0], new Uint8Array()),
  ];
  const expected = [
    ...[0, 0, 0, 5, 7, 0, 11, 21, 31],
    ...[0, 0, 0, 5, 7, 1, 11, 21, 31],
    ...[0, 0, 0, 3, 8, 0, 2],
    ...[0, 0, 0, 2, 9, 0],
  ];
  assertEquals(await served([Uint8Array.from(sent)]), expected);
  assertEquals(await served(sent.map((byte) => Uint8Array.of(byte))), expected);
});

Deno.test("a malformed request for mutants ends the program with a message", async () => {
  const rejected = (bytes: Uint8Array<ArrayBuffer>, message: string) =>
    assertRejects(() => served([bytes]), UsageError, message);
  await rejected(request([1, 1, 100, NUMBERS_MAX + 1], new Uint8Array()), "1001 bytes, at most");
  await rejected(request([1, 65537, 100, 0], new Uint8Array()), "65537 results");
  await rejected(request([1, 1, 100, 5], Uint8Array.of(1, 2)), "5 bytes were expected, 2 came");
  await rejected(request([1, 1, 100, 5], new Uint8Array()), "the image is missing");
  await rejected(Uint8Array.of(1, 2, 3), "16 bytes were expected, 3 came");
});
