import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { Marks } from "../../src/format/mod.ts";
import {
  boundaries,
  decodeLuks2,
  describedMembers,
  type JsonNode,
  luks2Driver,
  memberAt,
  parseJson,
} from "../../src/luks2/mod.ts";
import { sortFault, valueFaults } from "../../src/luks2/json/check.ts";
import { metadata } from "../../src/luks2/json/description.ts";
import { read } from "../../src/luks2/json/read.ts";
import { write } from "../../src/luks2/json/write.ts";
import { liveTest } from "../live.ts";
import { atOnce, differences } from "./live.ts";
import { formatWithCryptsetup, QUICK_ARGON2ID, QUICK_PBKDF2 } from "./made.ts";
import { interrupted, signed } from "./reencrypting.ts";
import { type AnyJson, changed } from "./volumes.ts";

/** Volumes that have every member that is described. */
const bases: readonly ((root: AnyJson) => void)[] = [
  (root) => {
    root.segments["0"].flags = ["x"];
    root.segments["0"].integrity = {
      type: "aead",
      journal_encryption: "none",
      journal_integrity: "none",
    };
    root.config.flags = ["allow-discards"];
    root.config.requirements = { mandatory: ["x"] };
    root.keyslots["0"].priority = 2;
  },
  (root) => signed(root, interrupted("checksum")),
  (root) => signed(root, interrupted("datashift")),
];

/** All paths in the JSON of a volume. */
function pathsIn(node: AnyJson, path = ""): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.keys(node).flatMap((name) => [
    `${path}/${name}`,
    ...pathsIn(node[name], `${path}/${name}`),
  ]);
}

function jsonOf(base: (root: AnyJson) => void): AnyJson {
  let json: AnyJson;
  changed({}, {
    json: (root) => {
      base(root);
      json = structuredClone(root);
    },
  });
  return json;
}

/** A volume with one value of its JSON replaced. */
function volumeWith(base: (root: AnyJson) => void, path: string, value: unknown): Uint8Array {
  const json = (root: AnyJson) => {
    base(root);
    const names = path.split("/").slice(1);
    const last = names.pop() ?? "";
    names.reduce((node, name) => node[name], root)[last] = value;
  };
  return changed({}, { json });
}

function parsed(value: unknown): JsonNode | undefined {
  return parseJson(utf8(JSON.stringify(value))).root;
}

Deno.test("memberAt() describes every value of a volume, and nothing else", () => {
  for (const base of bases) {
    const undescribed = pathsIn(jsonOf(base)).filter((path) => memberAt(path) === undefined);
    assertEquals(undescribed, []);
  }
  for (const path of ["/x", "/keyslots/0/x", "/keyslots/0/area/offset/0", "/config/constructor"]) {
    assertEquals(memberAt(path), undefined, path);
  }
});

Deno.test("the volumes of these tests have every member that is described", () => {
  const pattern = (path: string) => path.replace(/^(\/(?!config)[a-z]+)\/\d+/, "$1/*");
  const paths = new Set(bases.flatMap((base) => pathsIn(jsonOf(base)).map(pattern)));
  const missing = describedMembers().map(({ path }) => path).filter((path) => !paths.has(path));
  assertEquals(missing, []);
});

Deno.test("boundaries() has values on both sides of each constraint", () => {
  for (const { path, member } of describedMembers()) {
    const nodes = boundaries(member).map(parsed).filter((node) => node !== undefined);
    for (const constraint of member.constraints ?? []) {
      // What a number has to equal is up to the header, and what is not digits alone up to a fuzzer.
      if ("equals" in constraint || "digitsAlone" in constraint) continue;
      const one = { ...member, constraints: [constraint] };
      const holds = nodes.filter((node) => sortFault(one, node) === undefined)
        .map((node) => valueFaults(one, node, {}).length === 0);
      const about = `${path} ${JSON.stringify(constraint)}`;
      assert(holds.includes(true), `${about} never holds`);
      // Every text that is not one of some is on the other side.
      assert(holds.includes(false) || member.sort === "text", `${about} is never broken`);
    }
  }
});

Deno.test("write() writes each kind as in the specification, and read() reads it again", () => {
  const values = {
    keyslots: {
      "7": {
        type: "luks2",
        key_size: 32,
        area: { type: "raw", offset: 32768n, size: 2n ** 64n - 1n },
        kdf: { type: "pbkdf2", salt: Uint8Array.of(0, 255, 16) },
      },
    },
    segments: { "0": { type: "crypt", offset: 0n, size: undefined, flags: ["x"] } },
    config: { json_size: 12288n, requirements: { mandatory: [] } },
  };
  const json = write(metadata, values);
  assertEquals(json, {
    keyslots: {
      "7": {
        type: "luks2",
        key_size: 32,
        area: { type: "raw", offset: "32768", size: "18446744073709551615" },
        kdf: { type: "pbkdf2", salt: "AP8Q" },
      },
    },
    segments: { "0": { type: "crypt", offset: "0", size: "dynamic", flags: ["x"] } },
    config: { json_size: "12288", requirements: { mandatory: [] } },
  });
  const { keyslots: [slot], segments: [segment], config } = read(metadata, parsed(json));
  assertEquals([slot?.name, slot?.number, slot?.key_size], ["7", 7, 32]);
  assertEquals(slot?.area.size, 2n ** 64n - 1n);
  assertEquals(slot?.kdf.salt, Uint8Array.of(0, 255, 16));
  // What is absent.
  assertEquals([slot?.priority, slot?.kdf.hash, slot?.mode], [1, "", ""]);
  assertEquals([segment?.offset, segment?.size, segment?.flags], [0n, undefined, ["x"]]);
  assertEquals(segment?.integrity, undefined);
  assertEquals([config.json_size, config.requirements?.mandatory], [12288n, []]);
});

Deno.test("read() reads any JSON", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(...describedMembers()), (value, of) => {
    read(of.member, parsed(value));
    const root = { keyslots: { "0": value }, segments: value, config: value };
    assertEquals(read(metadata, parsed(root)).keyslots.length, 1);
  }));
});

Deno.test("inspect says what values of the JSON mean", () => {
  const bytes = changed({}, { json: (root) => void (root.segments["0"].other = 1) });
  const options = { rows: 1000, tables: 50, entries: 1000, marks: new Marks([]) };
  const { parts = [] } = luks2Driver.anatomy?.(new MemorySource(bytes), options) ?? {};
  const meaning = (path: string) =>
    parts.flatMap(({ rows }) => [...rows]).find((row) => row.path === `/primary/json${path}`)?.doc;
  assertEquals(
    meaning("/keyslots/3/area/offset"),
    "Start of the area in the file with the header, in bytes.",
  );
  assertEquals(meaning("/tokens/0/keyslots/0"), "Key slots that the passphrase opens.");
  assertEquals(meaning("/segments/0/other"), "Not described by the format.");
});

const cryptsetup = { needs: ["cryptsetup"] } as const;

liveTest(cryptsetup, "all that cryptsetup writes into a header is described", async (directory) => {
  for (const options of [QUICK_PBKDF2, QUICK_ARGON2ID]) {
    const path = `${directory}/volume`;
    await formatWithCryptsetup(path, { passphrase: "x", options });
    const bytes = await Deno.readFile(path);
    const { primary } = decodeLuks2(new MemorySource(bytes));
    const { root } = primary.json ?? {};
    const text = new TextDecoder().decode(primary.area.subarray(root?.start, root?.end));
    const paths = pathsIn(JSON.parse(text));
    assert(paths.length > 30, text);
    assertEquals(paths.filter((path) => memberAt(path) === undefined), []);
  }
});

for (const [number, base] of bases.entries()) {
  const name =
    `cryptsetup and the reference accept the same boundaries of members in volume ${number}`;
  liveTest(cryptsetup, name, async (directory) => {
    const cases = pathsIn(jsonOf(base)).flatMap((path) => {
      const member = memberAt(path);
      const item = /\/\d+$/.test(path) && member?.sort !== "object";
      return member === undefined || item
        ? []
        : boundaries(member).map((value) => ({ path, value }));
    });
    assert(cases.length > 50, `${cases.length} cases`);
    const differing: string[] = [];
    await atOnce(cases, async ({ path, value }, worker) => {
      const volume = { source: new MemorySource(volumeWith(base, path, value)) };
      const found = await differences(volume, `${directory}/${worker}`);
      differing.push(...found.map((text) => `${path} := ${JSON.stringify(value)}: ${text}`));
    });
    assertEquals(differing, []);
  });
}
