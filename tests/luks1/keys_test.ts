import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import {
  addKey,
  changeKey,
  createLuks1,
  decodeLuks1,
  eraseKey,
  Luks1Error,
  type Luks1Options,
  slotStates,
  unlock,
} from "../../src/luks1/mod.ts";
import { contentOf, run } from "./live.ts";
import { UUID } from "./volumes.ts";
import { liveTest } from "../live.ts";

/** Bytes that differ with each call. */
function randomFrom(seed: number): (length: number) => Uint8Array {
  let at = 0;
  return (length) => patternBytes({ kind: "noise", seed }, length, at += 65536);
}

const random = randomFrom(3);

function optionsOf(options: Partial<Luks1Options> = {}): Luks1Options {
  return {
    cipher: "aes",
    keyBytes: 32,
    mode: "cbc",
    ivGenerator: "plain64",
    hash: "sha256",
    passphrase: utf8("one"),
    iterations: 10,
    digestIterations: 10,
    uuid: UUID,
    random,
    ...options,
  };
}

function openedSlot(header: Uint8Array, passphrase: string): number | undefined {
  const keyMaterial = new MemorySource(header);
  const result = unlock(decodeLuks1(keyMaterial), { keyMaterial, passphrase: utf8(passphrase) });
  return "masterKey" in result ? result.slot : undefined;
}

function enabled(header: Uint8Array): number[] {
  return decodeLuks1(new MemorySource(header)).slots.flatMap(({ active }, index) =>
    active === slotStates.enabled ? [index] : []
  );
}

Deno.test("createLuks1() creates the requested keys in the requested slots", () => {
  const { header } = createLuks1(optionsOf({
    slot: 4,
    slots: [{ slot: 7, passphrase: utf8("two"), iterations: 3 }],
  }));
  assertEquals(enabled(header), [4, 7]);
  assertEquals(openedSlot(header, "one"), 4);
  assertEquals(openedSlot(header, "two"), 7);
  assertEquals(openedSlot(header, "three"), undefined);
});

Deno.test("createLuks1() gives the digest an eighth of the iterations of a key, and at least 1000", () => {
  const iterations = (count: number) => {
    const { digestIterations: _, ...options } = optionsOf({ iterations: count });
    const { header } = createLuks1(options);
    return decodeLuks1(new MemorySource(header)).mk_digest_iter;
  };
  assertEquals(iterations(10), 1000);
  assertEquals(iterations(8008), 1001);
});

Deno.test("createLuks1() rejects impossible options", () => {
  const refuses = (options: Partial<Luks1Options>, says: string) =>
    assertThrows(() => createLuks1(optionsOf(options)), Luks1Error, says);
  refuses({ cipher: "rot13" }, "Cannot use the cipher rot13");
  refuses({ mode: "xts", keyBytes: 33 }, "a key of 33 bytes is not one of 32, 48, 64");
  refuses({ hash: "crc32" }, 'Cannot use the hash "crc32"');
  refuses({ ivGenerator: "essiv", ivHash: "sha1" }, "takes no key of 20 bytes");
  refuses({ iterations: 0 }, "0 iterations");
  refuses({ iterations: 2 ** 31 }, "they are 1 to 2147483647");
  refuses({ digestIterations: 1.5 }, "1.5 iterations");
  refuses({ slots: [{ slot: 0, passphrase: utf8("x"), iterations: 1 }] }, "two keys for slot 0");
  refuses({ payloadOffset: 2055 }, "ends at sector 2056");
  refuses({ payloadOffset: 0 }, "ends at sector 2056");
  refuses({ uuid: "x".repeat(40) }, "too long for uuid");
  refuses({ slot: 8 }, "Cannot find key slot 8");
  assertEquals(createLuks1(optionsOf({ payloadOffset: 2056 })).header.length, 2056 * 512);
  assertEquals(createLuks1(optionsOf({ payloadOffset: 0, detached: true })).header.length, 1052672);
});

Deno.test("addKey() uses the first free slot, or the requested one", () => {
  const { header } = createLuks1(optionsOf({ slot: 0 }));
  const key = { passphrase: utf8("one"), newPassphrase: utf8("two"), iterations: 5, random };
  const first = addKey(header, key);
  assertEquals([first.slot, openedSlot(first.header, "two")], [1, 1]);
  const asked = addKey(header, { ...key, slot: 6 });
  assertEquals([asked.slot, openedSlot(asked.header, "two")], [6, 6]);
  assertEquals(openedSlot(header, "two"), undefined);
  assertThrows(() => addKey(header, { ...key, slot: 0 }), Luks1Error, "slot 0 is in use");
  const forced = addKey(header, { ...key, slot: 0, force: true });
  assertEquals(openedSlot(forced.header, "one"), undefined);
  assertEquals(openedSlot(forced.header, "two"), 0);
  const wrong = { ...key, passphrase: utf8("three") };
  assertThrows(() => addKey(header, wrong), Luks1Error, "the passphrase opens no key slot");
});

Deno.test("addKey() fails when all slots are in use", () => {
  let { header } = createLuks1(optionsOf());
  const key = { passphrase: utf8("one"), newPassphrase: utf8("n"), iterations: 1, random };
  for (let slot = 1; slot < 8; slot++) ({ header } = addKey(header, key));
  assertThrows(() => addKey(header, key), Luks1Error, "all key slots are in use");
});

Deno.test("changeKey() moves to a free slot, or stays if there is none", () => {
  let { header } = createLuks1(optionsOf());
  const key = { passphrase: utf8("one"), newPassphrase: utf8("two"), iterations: 5, random };
  const moved = changeKey(header, key);
  assertEquals([moved.slot, ...enabled(moved.header)], [1, 1]);
  assertEquals(openedSlot(moved.header, "one"), undefined);
  assertEquals(openedSlot(moved.header, "two"), 1);
  for (let slot = 1; slot < 8; slot++) {
    ({ header } = addKey(header, { ...key, newPassphrase: utf8("n") }));
  }
  const stayed = changeKey(header, key);
  assertEquals([stayed.slot, openedSlot(stayed.header, "two")], [0, 0]);
  assertEquals(openedSlot(stayed.header, "one"), undefined);
});

Deno.test("changeKey() stays in the requested slot, which the old passphrase must open", () => {
  const { header } = createLuks1(optionsOf({
    slots: [{ slot: 5, passphrase: utf8("one"), iterations: 3 }],
  }));
  const key = { passphrase: utf8("one"), newPassphrase: utf8("two"), iterations: 5, random };
  const stayed = changeKey(header, { ...key, slot: 5 });
  assertEquals([stayed.slot, ...enabled(stayed.header)], [5, 0, 5]);
  assertEquals([openedSlot(stayed.header, "one"), openedSlot(stayed.header, "two")], [0, 5]);
  // By way of slot 1.
  assertEquals(stayed.states.map(enabled), [[0, 1, 5], [0, 1], [0, 1, 5], [0, 5]]);
  assertThrows(() => changeKey(header, { ...key, slot: 4 }), Luks1Error, "opens no key slot");
});

Deno.test("eraseKey() erases by slot and by passphrase, and never the last key unasked", () => {
  const { header } = createLuks1(optionsOf({
    slots: [
      { slot: 1, passphrase: utf8("two"), iterations: 3 },
      { slot: 2, passphrase: utf8("two"), iterations: 3 },
    ],
  }));
  const bySlot = eraseKey(header, { slot: 0, random });
  assertEquals(enabled(bySlot.header), [1, 2]);
  assertEquals(openedSlot(bySlot.header, "one"), undefined);
  const byPassphrase = eraseKey(header, { passphrase: utf8("two"), random });
  assertEquals(byPassphrase.slots, [1, 2]);
  assertEquals(enabled(byPassphrase.header), [0]);
  const last = byPassphrase.header;
  assertThrows(() => eraseKey(last, { slot: 0, random }), Luks1Error, "no key would remain");
  assertEquals(enabled(eraseKey(last, { slot: 0, random, force: true }).header), []);
  assertThrows(() => eraseKey(last, { slot: 3, random }), Luks1Error, "slot 3 is not in use");
  assertThrows(() => eraseKey(last, { random }), Luks1Error, "neither a slot nor a passphrase");
  const wrong = { slot: 0, passphrase: utf8("two"), random };
  assertThrows(() => eraseKey(header, wrong), Luks1Error, "the passphrase opens no key slot");
});

Deno.test("no key is changed for more iterations than the budget allows", () => {
  const { header } = createLuks1(optionsOf());
  const key = { passphrase: utf8("one"), newPassphrase: utf8("two"), iterations: 5, random };
  const budget = { iterationsMax: 19 };
  const says =
    "attempting the key slots up to slot 0 requires more iterations than the budget of 19";
  assertThrows(() => addKey(header, { ...key, ...budget }), Luks1Error, says);
  assertThrows(() => changeKey(header, { ...key, ...budget }), Luks1Error, says);
  assertThrows(() => eraseKey(header, { ...key, ...budget, force: true }), Luks1Error, says);
  assertEquals(eraseKey(header, { ...key, iterationsMax: 20, force: true }).slots, [0]);
});

Deno.test("an erased slot keeps its place and stripes, and nothing of its key", () => {
  const { header } = createLuks1(optionsOf({
    slots: [{ slot: 1, passphrase: utf8("two"), iterations: 3 }],
  }));
  const erased = eraseKey(header, { slot: 1, random }).header;
  const [before, after] = [header, erased].map((bytes) =>
    decodeLuks1(new MemorySource(bytes)).slots[1]
  );
  assert(before !== undefined && after !== undefined);
  assertEquals({ ...after }, {
    ...before,
    active: slotStates.disabled,
    iterations: 0,
    salt: new Uint8Array(32),
  });
  const at = before.key_material_offset * 512;
  const material = (bytes: Uint8Array) => bytes.subarray(at, at + 32 * 4000);
  const same = material(header).filter((byte, index) => byte === material(erased)[index]).length;
  // Of random bytes, one in 256 is the same.
  assert(same < 2000, String(same));
});

Deno.test("keys are not changed where the slots overlap something else", () => {
  const { header } = createLuks1(optionsOf());
  const key = { passphrase: utf8("one"), newPassphrase: utf8("two"), iterations: 5, random };
  const short = header.subarray(0, header.length - 4096);
  assertThrows(() => addKey(short, key), Luks1Error, "only");
  const overlapping = header.slice();
  overlapping.set(overlapping.subarray(208 + 40, 208 + 44), 208 + 48 + 40);
  assertThrows(() => addKey(overlapping, key), Luks1Error, "overlap");
});

liveTest(
  { needs: ["qemu-img", "cryptsetup"] },
  "qemu-img and cryptsetup open what was added, changed and erased here",
  async (directory) => {
    let { header } = createLuks1(optionsOf({ mode: "xts", keyBytes: 64 }));
    const key = { newPassphrase: utf8("two"), iterations: 7, random };
    ({ header } = addKey(header, { ...key, passphrase: utf8("one"), slot: 3 }));
    ({ header } = changeKey(header, {
      ...key,
      passphrase: utf8("two"),
      newPassphrase: utf8("three"),
    }));
    const volume = new Uint8Array(header.length + 4096);
    volume.set(header);
    const path = `${directory}/volume`;
    const passphrase = `${directory}/passphrase`;
    await Deno.writeFile(path, volume);
    const opens = async (text: string) => {
      await Deno.writeTextFile(passphrase, text);
      const content = await contentOf({ path, passphrase });
      const { code } = await run([
        ...["cryptsetup", "open", "--test-passphrase", "--key-file", passphrase, path],
      ]);
      return [content instanceof Uint8Array, code === 0];
    };
    assertEquals(await opens("one"), [true, true]);
    assertEquals(await opens("two"), [false, false]);
    assertEquals(await opens("three"), [true, true]);
    const erased = eraseKey(header, { passphrase: utf8("one"), random });
    volume.set(erased.header);
    await Deno.writeFile(path, volume);
    assertEquals(await opens("one"), [false, false]);
    assertEquals(await opens("three"), [true, true]);
  },
);
