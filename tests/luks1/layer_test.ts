import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemorySource, SECTOR, utf8 } from "../../src/bytes/mod.ts";
import { AccessError, Marks, patternBytes } from "../../src/format/mod.ts";
import {
  buildLuks1,
  contentOf,
  decodeLuks1,
  isMasterKey,
  iterationsOf,
  luks1Driver,
  masterKeyOf,
  unlock,
} from "../../src/luks1/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { brokenRules, openVolume, readAll } from "./ours.ts";
import { CountingSource } from "../counting_source.ts";
import { edited, modelOf, sourceOf, volumeOf } from "./volumes.ts";

Deno.test("probe() accepts the magic with version 1 and nothing else", () => {
  const head = volumeOf().source.read(0, 512);
  assert(luks1Driver.probe(head));
  assert(!luks1Driver.probe(Uint8Array.from(head, (byte, at) => at === 7 ? 2 : byte)));
  assert(!luks1Driver.probe(Uint8Array.from(head, (byte, at) => at === 5 ? 0xbf : byte)));
  assert(!luks1Driver.probe(new Uint8Array(512)));
});

Deno.test("open() reads the content with the passphrase of any slot", () => {
  const model = modelOf();
  for (const { passphrase } of model.keys) {
    const { layer, findings } = openVolume({ ...volumeOf(), passphrase });
    assert(layer !== undefined);
    assertEquals(findings.rules(), []);
    assertEquals(readAll(layer), contentOf(model));
  }
});

Deno.test("open() makes an attempt with each passphrase", () => {
  const { source } = volumeOf();
  const open = (...passphrases: string[]) =>
    luks1Driver.open(source, new Findings(), { passphrases: passphrases.map(utf8) });
  assert(open("none", "second")?.unlocked);
  assert(open("second", "none")?.unlocked);
  assert(!open("none", "neither")?.unlocked);
  assert(!open()?.unlocked);
});

Deno.test("open() reads a detached header with its payload", () => {
  const model = modelOf({ detached: true, cutHeader: true });
  const { layer, findings } = openVolume(volumeOf(model));
  assert(layer !== undefined);
  assertEquals(findings.rules(), []);
  assertEquals(readAll(layer), contentOf(model));
});

Deno.test("a header that is a copy opens the whole volume as its payload", () => {
  const model = modelOf();
  const { source } = volumeOf();
  const copy = new MemorySource(source.read(0, 592 + 64000 * 4));
  const { layer } = openVolume({ source: copy, payload: source, passphrase: "second" });
  assert(layer !== undefined);
  assertEquals(layer.virtualSize, model.size);
  assertEquals(readAll(layer), contentOf(model));
});

Deno.test("a layer that no passphrase has opened is described and cannot be read", () => {
  const { source } = volumeOf();
  const { layer } = openVolume({ source });
  assert(layer !== undefined);
  assertEquals(layer.virtualSize, 4096);
  assertEquals(layer.info()["format-specific"]?.type, "luks");
  const [run] = [...layer.runs(0, 4096)];
  assertEquals(run?.broken?.rule as string, "luks.open.key-present");
  const read = () => layer.readRun({ start: 0, length: 512, kind: "data" }, 0, new Uint8Array(512));
  assertThrows(read, AccessError, "no passphrase");
});

Deno.test("readRun() reads any bytes, off the sectors too", () => {
  const model = modelOf();
  const { layer } = openVolume(volumeOf());
  assert(layer !== undefined);
  const [run] = [...layer.runs(512, 4096)];
  assert(run !== undefined);
  for (const [skip, length] of [[0, 512], [1, 1], [511, 2], [100, 2000], [512, 3072]] as const) {
    const target = new Uint8Array(length);
    layer.readRun(run, skip, target);
    assertEquals(target, patternBytes(model.pattern, length, 512 + skip));
  }
});

Deno.test("no work is done for iterations beyond the budget", () => {
  const { image } = buildLuks1(modelOf());
  const source = new CountingSource(edited(image, { "/key_slots/2/iterations": 0xffffffff }));
  const { layer, findings } = openVolume({ source, passphrase: "neither" });
  // Every slot's key material is read once to look for damage, and once more when its iterations are done.
  const [first = 0, , third = 0] = decodeLuks1(source).slots.map((slot) => {
    return source.readsOf(slot.key_material_offset * SECTOR, 1);
  });
  assertEquals(first - third, 1);
  assertEquals(findings.rules(), ["luks.work.iterations-budget"]);
  assert(layer !== undefined && !layer.unlocked);
  // A slot before that one is tried all the same.
  assert(openVolume({ source, passphrase: "first" }).layer?.unlocked);
  assertEquals(iterationsOf(decodeLuks1(source)), 2 + 0xffffffff + 2 * 3);
});

Deno.test("unlock() checks the budget for the one slot of its attempt", () => {
  const { image } = buildLuks1(modelOf());
  const keyMaterial = edited(image, { "/key_slots/2/iterations": 0xffffffff });
  const header = decodeLuks1(keyMaterial);
  const passphrase = utf8("first");
  const alone = unlock(header, { keyMaterial, passphrase, slot: 0, iterationsMax: 5 });
  assert("masterKey" in alone && alone.slot === 0);
  const dear = unlock(header, { keyMaterial, passphrase, slot: 0, iterationsMax: 4 });
  assert("rule" in dear && dear.rule === "luks.work.iterations-budget");
});

Deno.test("unlock() skips slots without exactly 4000 stripes", () => {
  const { image } = buildLuks1(modelOf());
  const keyMaterial = edited(image, { "/key_slots/0/stripes": 0xffffffff });
  const result = unlock(decodeLuks1(keyMaterial), { keyMaterial, passphrase: utf8("first") });
  assert("rule" in result && result.rule === "luks.key.unlock");
});

Deno.test("unlock() ends at a slot that reaches past its region, and not before", () => {
  const { source: keyMaterial } = volumeOf();
  const header = decodeLuks1(keyMaterial);
  const regionBytes = (8 + 128) * 512 + 64000;
  const tried = (passphrase: string, region: number) => {
    const options = { keyMaterial, passphrase: utf8(passphrase), regionBytes: region };
    const result = unlock(header, options);
    return "rule" in result ? result.rule : result.slot;
  };
  assertEquals(tried("first", regionBytes), 0);
  assertEquals(tried("second", regionBytes), "luks.slot.material-inside-file");
  assertEquals(tried("second", regionBytes + 65536), 2);
  assertEquals(tried("second", regionBytes + 65535), "luks.slot.material-inside-file");
});

Deno.test("masterKeyOf() gives the master key, and other bytes for another passphrase", () => {
  const { source } = volumeOf();
  const header = decodeLuks1(source);
  const [slot] = header.slots;
  assert(slot !== undefined);
  const key = (passphrase: string) =>
    masterKeyOf(header, slot, { keyMaterial: source, passphrase: utf8(passphrase) });
  assert(isMasterKey(header, key("first")));
  assert(!isMasterKey(header, key("second")));
});

Deno.test("open() accepts any bytes", () => {
  for (let seed = 0; seed < 300; seed++) {
    const noise = patternBytes({ kind: "noise", seed }, 700);
    noise.set(volumeOf().source.read(0, seed));
    const passphrases = [utf8("first")];
    luks1Driver.open(new MemorySource(noise), new Findings(), {
      passphrases,
      iterationsMax: 99,
    });
  }
});

Deno.test("open() judges everything that has a meaning, not only what QEMU reports first", () => {
  const source = edited(buildLuks1(modelOf()).image, {
    "/header/payload_offset": 3,
    "/header/mk_digest_iter": 0,
    "/key_slots/4/stripes": 1,
    "/key_slots/5/active": 1,
    "/header/hash_spec": "md4",
    "/header/cipher_mode": "cbc-benbi",
  });
  assertEquals(brokenRules({ source, passphrase: "first" }), [
    "luks.header.payload-after-header",
    "luks.header.mk-iterations",
    "luks.slot.before-payload",
    "luks.slot.stripes",
    "luks.slot.state",
    "luks.hash.known",
    "luks.cipher.ivgen-known",
    "luks.payload.alignment",
  ]);
});

Deno.test("anatomy() shows the header and the slots, and claims what they point to", () => {
  const { image } = buildLuks1(modelOf());
  const marks = new Marks([]);
  const limits = { rows: 100, tables: 100, entries: 100, marks };
  const anatomy = luks1Driver.anatomy?.(sourceOf(image), limits);
  assert(anatomy !== undefined);
  assertEquals(anatomy.parts.map(({ path }) => path), [
    "/header",
    ...Array.from({ length: 8 }, (_, slot) => `/key_slots/${slot}`),
  ]);
  assertEquals(Array.from(anatomy.claims, ({ offset, length }) => [offset, length]), [
    [0, 592],
    ...Array.from({ length: 8 }, (_, slot) => [4096 + slot * 65536, 64000]),
    [528384, 4096],
  ]);
});
