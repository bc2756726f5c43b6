import { everySpec, specName } from "../recipes/combinations.ts";
import { ITER_TIME, KEYS, secrets } from "../recipes/recipe.ts";
import type { CipherSpec } from "../../src/luks1/mod.ts";
import {
  compareDigest,
  compareInfo,
  compareOutcomes,
  type Difference,
  digestFile,
  type Peer,
  withScratch,
} from "../../src/peers/mod.ts";
import { type GoldenTools, runRecipe } from "./build.ts";

/** The result of comparing all combinations. */
export interface CombinationReport {
  readonly volumes: number;
  readonly differ: number;
}

/**
 * Creates a volume with qemu-img for each combination of cipher, key, mode, IV generator and hash,
 * and compares the reference with it: the output of `info`, and the content.
 */
export async function verifyCombinations(
  only: string,
  options: {
    tools: GoldenTools;
    peers: { reference: Peer; qemuImg: Peer };
    onVolume: (name: string, differences: readonly Difference[]) => void;
  },
): Promise<CombinationReport> {
  const { tools, peers, onVolume } = options;
  const specs = everySpec().filter((spec) => specName(spec).includes(only));
  let differ = 0;
  for (const spec of specs) {
    const differences = await withScratch(async (directory) => {
      await runRecipe({ name: specName(spec), features: [], commands: [making(spec)] }, {
        directory,
        tools,
      });
      return await compared(directory, peers);
    });
    if (differences.length > 0) differ++;
    onVolume(specName(spec), differences);
  }
  return { volumes: specs.length, differ };
}

/** The command that encrypts the content. */
function making(spec: CipherSpec): { argv: string[] } {
  const { cipher, mode, ivGenerator, ivHash, hash, keyBytes } = spec;
  const options = [
    "key-secret=key",
    ITER_TIME,
    `cipher-alg=${cipher}-${(keyBytes * 8) / (mode === "xts" ? 2 : 1)}`,
    `cipher-mode=${mode}`,
    `ivgen-alg=${ivGenerator}`,
    ...(ivHash === undefined ? [] : [`ivgen-hash-alg=${ivHash}`]),
    `hash-alg=${hash}`,
  ].join(",");
  const convert = ["qemu-img", "convert", "-q", ...secrets("key"), "-f", "raw", "-O", "luks"];
  return { argv: [...convert, "-o", options, "verse", "disk"] };
}

async function compared(
  directory: string,
  { reference, qemuImg }: { reference: Peer; qemuImg: Peer },
): Promise<Difference[]> {
  const subject = { path: "disk", directory, passphrases: [KEYS.key] };
  const { version } = await qemuImg.describe();
  const info = compareOutcomes(await qemuImg.info(subject), await reference.info(subject), {
    values: (theirs, ours) => compareInfo(theirs, ours, { version }),
  });
  const content = digestFile(`${directory}/verse`);
  const read = [await qemuImg.digest(subject), await reference.digest(subject)];
  const expected = { outcome: "accepted" as const, value: content };
  const values = read.flatMap((it) => compareOutcomes(expected, it, { values: compareDigest }));
  return [...info, ...values];
}
