import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileSource, MemorySource } from "../../src/bytes/mod.ts";
import { AccessError, patternBytes } from "../../src/format/mod.ts";
import { luks2Content } from "../../src/luks2/mod.ts";
import { encryptWithCryptsetup, QUICK_PBKDF2 } from "./made.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { type AnyJson, changedBytes, changedVolume, modelOf, volumeOf } from "./volumes.ts";
import { CountingSource } from "../counting_source.ts";
import { liveTest } from "../live.ts";

const model = modelOf();
const content = luks2Content(model);
const DATA = 557056;

Deno.test("without a passphrase the header of a volume is reported, and reading content fails", () => {
  const { layer, findings } = openVolume({ source: volumeOf().source });
  // The volume is built with key material that is zeros for the most part.
  assertEquals(findings.rules(), ["luks2.area.random", "luks2.open.key-present"]);
  assert(layer !== undefined && !layer.unlocked && layer.encrypted);
  assertEquals(layer.virtualSize, content.length);
  const [run] = layer.runs(0, layer.virtualSize);
  assert(run?.broken !== undefined);
  const error = assertThrows(() => layer.readRun(run, 0, new Uint8Array(1)), AccessError);
  assertEquals(error.broken.rule, "luks2.open.key-present");
});

Deno.test("a segment with a size ends there, and a dynamic one with the last whole sector", () => {
  const sizeOf = (...changes: Parameters<typeof changedVolume>) => {
    const { layer } = openVolume(changedVolume(...changes));
    return layer?.virtualSize;
  };
  const fixed = (size: string) => ({
    json: (root: AnyJson) => void (root.segments["0"].size = size),
  });
  assertEquals(sizeOf({}, fixed("1024")), 1024);
  assertEquals(sizeOf({}, fixed("18446744073709551104")), content.length);
  assertEquals(sizeOf({}, { size: DATA + 8191 }), 7680);
  assertEquals(sizeOf({ sectorSize: 4096 }, { size: DATA + 8191 }), 4096);
  assertEquals(sizeOf({}, { size: DATA }), 0);
});

Deno.test("every part of the content can be read, wherever it starts and ends", () => {
  for (const sectorSize of [512, 1024, 2048, 4096]) {
    const { layer } = openVolume(volumeOf({ sectorSize }));
    assert(layer !== undefined);
    const [run] = layer.runs(0, layer.virtualSize);
    assert(run !== undefined);
    for (const [from, length] of [[0, 1], [511, 2], [4095, 4097], [1, 8191], [8191, 1]] as const) {
      const part = new Uint8Array(length);
      layer.readRun(run, from, part);
      assertEquals(part, content.subarray(from, from + length));
    }
  }
});

Deno.test("a priority that is not an integer is converted as by cryptsetup", () => {
  const opens = (priority: string): boolean => {
    const slot = '"0":{"type":"luks2"';
    const text = (stored: string): string =>
      stored.replace(slot, slot.replace("{", `{"priority":${priority},`));
    return openVolume(changedVolume({}, { text })).layer?.unlocked === true;
  };
  // What cryptsetup 2.6.1 opens the slot with, and what not.
  for (const tried of ["1", "true", "TRUE", "1.5", "2.5", "1e0", '"2"', '" 1x"']) {
    assert(opens(tried), tried);
  }
  for (const passedOver of ["0", "false", "null", "0.5", "NaN", "Infinity", "{}", "[1]"]) {
    assert(!opens(passedOver), passedOver);
  }
  assert(!opens("4294967297"), "it is not cut to 32 bits");
});

/**
 * The key slots whose keys are derived: their areas are read after that, beside the one time that every
 * area is read to look for damage.
 */
function derivedSlots(slot: string, kdf: AnyJson, rules: RegExp): string[] {
  const areas = new Map<string, number>();
  const volume = changedVolume({}, {
    json: ({ keyslots }) => {
      Object.assign(keyslots[slot].kdf, kdf);
      for (const name of ["0", "3"]) areas.set(name, Number(keyslots[name].area.offset));
    },
  });
  const source = new CountingSource(volume.source);
  const { layer, findings } = openVolume({ ...volume, source, passphrase: "third" });
  assert(layer !== undefined && !layer.unlocked);
  assert(findings.rules().some((rule) => rules.test(rule)), `${findings.rules()}`);
  return [...areas].filter(([, offset]) => source.readsOf(offset, 1) > 1).map(([name]) => name);
}

Deno.test("no work is done above the budget, whatever a header requests", () => {
  assertEquals(derivedSlots("0", {}, /^luks2\.key\.unlock$/), ["0", "3"]);
  for (
    const { slot, kdf } of [
      { slot: "0", kdf: { iterations: 2 ** 31 - 1 } },
      { slot: "3", kdf: { memory: 2 ** 31 - 1 } },
      { slot: "3", kdf: { memory: 2 ** 20, time: 2 ** 31 - 1 } },
    ]
  ) {
    assert(!derivedSlots(slot, kdf, /^luks2\.work\./).includes(slot), JSON.stringify(kdf));
  }
});

liveTest(
  { needs: ["cryptsetup"] },
  "iv_tweak is the number of the first sector: what cryptsetup encrypts behind it is read so",
  async (directory) => {
    const made = patternBytes({ kind: "noise", seed: 9 }, 2 ** 17);
    for (const sectorSize of ["512", "4096"]) {
      const files = await encryptWithCryptsetup(`${directory}/${sectorSize}`, {
        passphrase: "pw",
        content: made,
        options: [...QUICK_PBKDF2, "--sector-size", sectorSize],
        detached: true,
      });
      const header = changedBytes(await Deno.readFile(files.path), 0x4000, {
        json: (root) => void (root.segments["0"].iv_tweak = "8"),
      });
      const all = new FileSource(files.payload ?? "");
      const payload = new MemorySource(all.read(4096, all.size - 4096));
      const { layer, findings } = openVolume({
        source: new MemorySource(header),
        payload,
        passphrase: "pw",
      });
      assertEquals(messagesOf(findings), []);
      assert(layer !== undefined);
      assertEquals(readAll(layer), made.subarray(4096));
      all.close();
    }
  },
);
