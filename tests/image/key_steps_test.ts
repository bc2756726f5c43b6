import { assert, assertEquals } from "@std/assert";
import { randomBytes } from "node:crypto";
import { MemorySource, type Segment, utf8 } from "../../src/bytes/mod.ts";
import type { KeyArea } from "../../src/format/mod.ts";
import { keyAreaOf } from "../../src/image/create/mod.ts";
import {
  addKey,
  type ChangedKeys,
  changeKey,
  createLuks1,
  decodeLuks1,
  keySteps,
  unlock,
} from "../../src/luks1/mod.ts";
import { contentOf, run } from "../luks1/live.ts";
import { UUID } from "../luks1/volumes.ts";
import { liveTest } from "../live.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const key = {
  passphrase: utf8("old"),
  newPassphrase: utf8("new"),
  iterations: 1000,
  iterationsMax: 10 ** 6,
  random,
};

/** A volume with the passphrase `old` in slot 0 and `other` in as many slots after it. */
function volume(others: number): Uint8Array {
  const { header } = createLuks1({
    ...{ cipher: "aes", keyBytes: 64, mode: "xts", ivGenerator: "plain64", hash: "sha256" },
    ...{ passphrase: utf8("old"), iterations: 1000, digestIterations: 1000, uuid: UUID, random },
    slots: Array.from({ length: others }, (_, index) => {
      return { slot: index + 1, passphrase: utf8("other"), iterations: 1000 };
    }),
  });
  const bytes = new Uint8Array(header.length + 4096);
  bytes.set(header);
  return bytes;
}

interface Case {
  readonly others: number;
  readonly change: (header: Uint8Array) => ChangedKeys;
  /** The slots that the passphrases open in the end. */
  readonly leaves: { readonly old?: number; readonly new: number };
}

const cases: Readonly<Record<string, Case>> = {
  "a key is added": { others: 1, change: (h) => addKey(h, key), leaves: { old: 0, new: 2 } },
  "a key is added in place of the only one": {
    others: 0,
    change: (header) => addKey(header, { ...key, slot: 0, force: true }),
    leaves: { new: 0 },
  },
  "a key is changed": { others: 1, change: (h) => changeKey(h, key), leaves: { new: 2 } },
  "a key is changed in its slot": {
    others: 0,
    change: (header) => changeKey(header, { ...key, slot: 0 }),
    leaves: { new: 0 },
  },
  "a key is changed in its slot while one slot is free": {
    others: 6,
    change: (header) => changeKey(header, { ...key, slot: 0 }),
    leaves: { new: 0 },
  },
};

function slotOf(bytes: Uint8Array, passphrase: string): number | undefined {
  const keyMaterial = new MemorySource(bytes);
  const options = { keyMaterial, passphrase: utf8(passphrase) };
  const found = unlock(decodeLuks1(keyMaterial), options);
  return "masterKey" in found ? found.slot : undefined;
}

function areaOf(bytes: Uint8Array): KeyArea {
  const area = keyAreaOf(new MemorySource(bytes));
  assert(typeof area !== "string", String(area));
  return area;
}

function written(bytes: Uint8Array, parts: readonly Segment[]): Uint8Array {
  const target = bytes.slice();
  for (const part of parts) target.set(part.bytes, part.offset);
  return target;
}

/** The first half of the bytes of a step, and the second one. */
function halves(step: readonly Segment[]): [Segment[], Segment[]] {
  let left = Math.floor(step.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2);
  const [first, second]: [Segment[], Segment[]] = [[], []];
  for (const { offset, bytes } of step) {
    const length = Math.min(left, bytes.length);
    first.push({ offset, bytes: bytes.subarray(0, length) });
    second.push({ offset: offset + length, bytes: bytes.subarray(length) });
    left -= length;
  }
  return [first, second];
}

/** What a file can be like when writing stops: after each step, and within each. */
function* stops(before: Uint8Array, steps: readonly (readonly Segment[])[]): Generator<Uint8Array> {
  let bytes = before;
  for (const step of steps) {
    yield bytes;
    for (const half of halves(step)) yield written(bytes, half);
    bytes = written(bytes, step);
  }
  yield bytes;
}

for (const [name, { others, change, leaves }] of Object.entries(cases)) {
  Deno.test(`wherever writing stops while ${name}, the old passphrase or the new one opens`, () => {
    const before = volume(others);
    const { states, header } = change(before);
    assertEquals(states.at(-1), header);
    let last = before;
    let count = 0;
    for (const bytes of stops(before, keySteps(areaOf(before), { before, states }))) {
      const opened = slotOf(bytes, "old") ?? slotOf(bytes, "new");
      assert(opened !== undefined, `stop ${count}`);
      if (others > 0) assert(slotOf(bytes, "other") !== undefined, `stop ${count}`);
      last = bytes;
      count++;
    }
    assert(count >= 7, String(count));
    assertEquals([slotOf(last, "old"), slotOf(last, "new")], [leaves.old, leaves.new]);
    assertEquals(last, header);
  });
}

Deno.test("a key that is changed in its slot is in a free one meanwhile, which is erased then", () => {
  const before = volume(0);
  const area = areaOf(before);
  const { states, header } = changeKey(before, { ...key, slot: 0 });
  /** Which slot each part is of, and whether it is the record (r) or the material (m). */
  const steps = keySteps(area, { before, states }).map((step) =>
    step.map(({ offset }) =>
      offset < 4096 ? `r${(offset - 208) / 48}` : `m${(offset - 4096) / 258_048}`
    ).join()
  );
  assertEquals(steps, ["m1", "r1", "r0", "m0", "m0", "r0", "r1", "m1"]);
  const { slots } = decodeLuks1(new MemorySource(header));
  assertEquals([slots[1]?.active, slots[1]?.iterations], [0xdead, 0]);
  const end = (8 + 2 * 504) * 512;
  // Random bytes are over the key that was there meanwhile.
  const [kept] = states;
  const material = (bytes: Uint8Array) => bytes.subarray(end - 258_048, end - 2048);
  const same = material(header).filter((byte, at) => byte === material(kept ?? header)[at]).length;
  assert(same < 2000, String(same));
});

liveTest(
  { needs: ["qemu-img", "cryptsetup"] },
  "qemu-img and cryptsetup open the result where writing stops while a key is changed",
  async (directory) => {
    const before = volume(0);
    const { states } = changeKey(before, { ...key, slot: 0 });
    const all = [...stops(before, keySteps(areaOf(before), { before, states }))];
    const path = `${directory}/volume`;
    const seen = new Set<string>();
    // With both halves of each of eight steps.
    assertEquals(all.length, 25);
    for (const bytes of all.filter((_, index) => index % 3 === 1 || index % 6 === 0)) {
      Deno.writeFileSync(path, bytes);
      const opens = [];
      for (const text of ["old", "new"]) {
        const passphrase = `${directory}/passphrase`;
        Deno.writeTextFileSync(passphrase, text);
        const test = ["cryptsetup", "open", "--test-passphrase", "--key-file", passphrase, path];
        const opened = (await run(test)).code === 0;
        assertEquals(await contentOf({ path, passphrase }) instanceof Uint8Array, opened);
        if (opened) opens.push(text);
      }
      assert(opens.length > 0);
      seen.add(opens.join());
    }
    assertEquals([...seen], ["old", "old,new", "new"]);
  },
);
