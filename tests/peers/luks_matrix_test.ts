import { assertEquals } from "@std/assert";
import { everySpec, specName } from "../../golden/recipes/combinations.ts";
import { LUKS_DEFAULTS, LUKS_PAIRS } from "../../golden/recipes/luks.ts";
import { FileSource } from "../../src/bytes/mod.ts";
import { buildLuks1, type CipherSpec } from "../../src/luks1/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import { openVolume, readAll } from "../luks1/ours.ts";
import { modelOf, sourceOf } from "../luks1/volumes.ts";
import { liveTest } from "../live.ts";

const PASSPHRASE = "open sesame";
const SIZE = 4096;
/** Volumes that one process is queried about. */
const AT_ONCE = 40;

Deno.test("the matrix has each of 819 combinations once", () => {
  const names = everySpec().map(specName);
  assertEquals(names.length, 819);
  assertEquals(new Set(names).size, 819);
});

/** What a combination consists of; the length of a key is that of one of the two keys of XTS. */
function partsOf({ cipher, mode, ivGenerator, ivHash, keyBytes, hash }: CipherSpec): string[] {
  const length = mode === "xts" ? keyBytes / 2 : keyBytes;
  const iv = ivHash === undefined ? `${ivGenerator}` : `${ivGenerator}:${ivHash}`;
  return [cipher, String(length), mode, iv, hash];
}

/** Places of the length of a key and of the hash, of which not every pair is made. */
const KEY_AND_HASH = "1 4";

function pairsOf(parts: readonly string[]): string[] {
  return parts.flatMap((left, at) => {
    return parts.flatMap((right, other) => {
      const skipped = other <= at || `${at} ${other}` === KEY_AND_HASH;
      return skipped ? [] : [`${at} ${left}, ${other} ${right}`];
    });
  });
}

Deno.test("golden LUKS images have every pair that some combination has, and no other", () => {
  const all = new Set(everySpec().flatMap((spec) => pairsOf(partsOf(spec))));
  const rows = [...LUKS_PAIRS, LUKS_DEFAULTS];
  const golden = new Set(rows.flatMap((row) => pairsOf(row.split(" "))));
  assertEquals([...golden].sort(), [...all].sort());
});

/** What is built here: as little work as a key slot can be, and 0x5a in all of the content. */
function build(path: string, spec: CipherSpec): void {
  const { image } = buildLuks1(modelOf({
    spec,
    digestIterations: 1,
    keys: [{ slot: 3, passphrase: PASSPHRASE, iterations: 1 }],
    erased: [],
    size: SIZE,
    pattern: { kind: "fill", seed: 0x5a },
  }));
  const source = sourceOf(image);
  Deno.writeFileSync(path, source.read(0, source.size));
}

/** Reads each volume and then overwrites a part of it with qemu-io; returns its complaints. */
async function rewritten(directory: string, names: readonly string[]): Promise<string> {
  const commands = names.flatMap((name) => [
    `open -o driver=luks,key-secret=key,file.filename=${name}`,
    `read -q -P 0x5a 0 ${SIZE}`,
    "write -q -P 0xa5 1k 1k",
    "write -q -P 0x3c 3584 512",
    "close",
  ]);
  const all = commands.flatMap((command) => ["-c", command]);
  const secret = ["--object", "secret,id=key,file=passphrase"];
  const { end, stdout, stderr } = await runTool(["qemu-io", ...secret, ...all], { directory });
  const quiet = end.kind === "exited" && end.code === 0;
  return quiet ? stdout + stderr : `${end.kind}: ${stdout}${stderr}`;
}

liveTest(
  { needs: ["qemu-io"] },
  "qemu-io reads every combination as it is built here, and what it writes is read",
  async (directory) => {
    Deno.writeTextFileSync(`${directory}/passphrase`, PASSPHRASE);
    const expected = new Uint8Array(SIZE).fill(0x5a).fill(0xa5, 1024, 2048).fill(0x3c, 3584);
    const specs = everySpec();
    for (let from = 0; from < specs.length; from += AT_ONCE) {
      const batch = specs.slice(from, from + AT_ONCE).map((spec, at) => ({ spec, name: `v${at}` }));
      for (const { spec, name } of batch) build(`${directory}/${name}`, spec);
      const complaints = await rewritten(directory, batch.map(({ name }) => name));
      assertEquals(complaints, "", batch.map(({ spec }) => specName(spec)).join("; "));
      for (const { spec, name } of batch) {
        const source = new FileSource(`${directory}/${name}`);
        const { layer } = openVolume({ source, passphrase: PASSPHRASE });
        assertEquals(layer === undefined ? undefined : readAll(layer), expected, specName(spec));
        source.close();
      }
    }
  },
);
